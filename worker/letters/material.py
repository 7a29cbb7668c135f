"""What letters are made of: the worded report, where we connect from, and the mailboxes of each cause."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from checks.codes import Code
from checks.document import EndpointDocument
from checks.language import Language, Phrases, in_every_language
from settings_store.mailboxes.rejections import without_remedy
from worker.changes.document import CauseDocument, MailboxDocument, ReportDocument
from worker.changes.impact import Impact
from worker.changes.report import MailboxLine, Report
from worker.changes.wording import mailbox_document, report_document
from worker.egress.connection_ips import Sources

phrase = Phrases(in_every_language("worker.letters", "WORDS"))
OWNERS: Mapping[Language, Mapping[Code, str]] = in_every_language("worker.letters", "OWNERS")
SERVERS: Mapping[Language, Mapping[Code, str]] = in_every_language("worker.letters", "SERVERS")
FIREWALL: Mapping[Language, Mapping[Code, str]] = in_every_language("worker.letters", "FIREWALL")

Key = tuple[Code, str | None, Impact]
State = Literal["pending", "in_force", "given_up"]
_STATES: Mapping[str, State] = {"rollback": "in_force", "reopen": "given_up", "none": "given_up"}
_EXAMPLES = 3
LOST = 20
"""So many mailboxes are in a ticket; a page or a file has all."""


@dataclass(frozen=True, slots=True)
class Met:
    """The mailboxes of one cause: the first addresses, and what a server said to the first of them."""

    addresses: tuple[str, ...]
    seen: str

    @property
    def examples(self) -> tuple[str, ...]:
        """A few of them, for whoever looks into a log."""
        return self.addresses[:_EXAMPLES]


@dataclass(frozen=True, slots=True)
class Material:
    """A report with all that letters need besides. `state`: whether its settings may still take effect, or have.

    `lost` are the first mailboxes that would disconnect.
    """

    report: ReportDocument
    met: Mapping[Key, Met]
    lost: Sequence[MailboxDocument]
    sources: Sources
    time: str
    state: State

    @property
    def language(self) -> Language:
        """That of all letters."""
        return self.report.language

    def say(self, key: str, **values: object) -> str:
        """A sentence of letters."""
        return phrase(self.language, key, **values)

    def of(self, cause: CauseDocument) -> Met:
        """The mailboxes of a cause."""
        return self.met[cause.code, cause.protocol, cause.impact]

    def endpoint(self, protocol: str | None) -> EndpointDocument | None:
        """The endpoint of a protocol."""
        return next((each for each in self.report.endpoints if each.endpoint.protocol == protocol), None)

    @property
    def from_where(self) -> str:
        """The line that says which addresses we connect from."""
        known = self.language.listed(self.sources.addresses)
        if not known:
            return self.say("from.none")
        return self.say("from.more" if self.sources.system_chooses else "from", addresses=known)


def material(report: Report, sources: Sources, listed: int) -> Material:
    """All that is needed of a report, with at most `listed` addresses of a cause. Reads its mailboxes once."""
    lost: list[MailboxLine] = []
    met = _met(_kept(report.mailboxes(), lost), listed)
    return Material(
        report=report_document(report, listed=0, commands=False),
        met=met,
        lost=[mailbox_document(line, report.language) for line in lost],
        sources=sources,
        time=written(report.reported_at),
        state=_STATES.get(report.step, "pending"),
    )


def _kept(lines: Iterable[MailboxLine], lost: list[MailboxLine]) -> Iterator[MailboxLine]:
    """The lines as they are, and in `lost` the first that would disconnect."""
    for line in lines:
        if line.impact == Impact.WILL_DISCONNECT and len(lost) < LOST:
            lost.append(line)
        yield line


def _met(lines: Iterable[MailboxLine], listed: int) -> dict[Key, Met]:
    addresses: dict[Key, list[str]] = {}
    seen: dict[Key, str] = {}
    for line in lines:
        key = line.code, line.endpoint, line.impact
        kept = addresses.setdefault(key, [])
        if len(kept) < listed:
            kept.append(line.address)
        if not seen.get(key):
            seen[key] = without_remedy(line.seen)
    return {key: Met(tuple(kept), seen[key]) for key, kept in addresses.items()}


def written(at: float) -> str:
    """A time that is read alike everywhere: `2026-11-29 10:05 UTC`."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")
