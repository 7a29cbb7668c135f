"""The report of a change, worded in a language: what a command, a page or a letter shows, and the `verify` JSON.

Whoever shows it needs nothing else. `worker.changes.wording` makes it of a report; the schema of its JSON is
`docs/schema/verify.schema.json`.
"""

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field

from checks.codes import Blame, Code, Verdict
from checks.document import EndpointDocument, Json
from checks.language import Language
from settings_store.changes.applying import Step
from worker.changes.impact import Impact, Safety

URGENCY = (
    Impact.WILL_DISCONNECT,
    Impact.CANNOT_TELL,
    Impact.ALREADY_DISCONNECTED,
    Impact.WILL_RECONNECT,
    Impact.KEEPS_WORKING,
)
"""What people must hear of first."""


@dataclass(frozen=True, slots=True)
class MailboxDocument:
    """One mailbox. `protocol` is that of the endpoint that decided, `where` its name for people.

    `services` has the codes of mail and calendar where Exchange was asked; `apart` says them where they differ.
    """

    address: str
    impact: Impact
    code: Code
    protocol: str | None
    where: str
    seen: str
    services: Mapping[str, str] | None
    apart: str

    def as_json(self) -> Json:
        """Without the words: there are many mailboxes, and the causes have them."""
        return {
            "address": self.address,
            "impact": self.impact,
            "code": self.code,
            "endpoint": self.protocol,
            "seen": self.seen,
            "services": dict(self.services) if self.services is not None else None,
        }


@dataclass(frozen=True, slots=True)
class GroupDocument:
    """The mailboxes of one impact: how many in words, and the first of them. The report has the rest."""

    impact: Impact
    count: int
    words: str
    first: Sequence[MailboxDocument] = ()

    def as_json(self) -> Json:
        """Without mailboxes: the document lists all of them."""
        return {"impact": self.impact, "count": self.count, "message": self.words}


@dataclass(frozen=True, slots=True)
class CauseDocument:
    """Mailboxes with the same impact for the same reason, who must act, and what to do. `words` say how many.

    `seen` is what a server said to one of them, redacted; '' where nothing was.
    """

    code: Code
    protocol: str | None
    where: str
    impact: Impact
    count: int
    words: str
    sentence: str
    advice: str
    blame: Blame
    who_acts: str
    field: str | None
    seen: str = ""

    def as_json(self) -> Json:
        """`words` are the headline, the sentence is the message."""
        return {
            "code": self.code,
            "protocol": self.protocol,
            "impact": self.impact,
            "count": self.count,
            "headline": self.words,
            "message": self.sentence,
            "seen": self.seen,
            "advice": self.advice,
            "blame": self.blame,
            "who_acts": self.who_acts,
            "field": self.field,
        }


@dataclass(frozen=True, slots=True)
class CommonCauseDocument:
    """One cause that explains most failures. `hint` is what to look at where so many mailboxes seem to be to blame;
    anywhere else it is `field`, the form field.
    """

    code: Code
    protocol: str | None
    count: int
    words: str
    sentence: str
    hint: str
    field: str | None

    def as_json(self) -> Json:
        """`words` are the headline, the sentence is the message."""
        return {
            "code": self.code,
            "protocol": self.protocol,
            "count": self.count,
            "headline": self.words,
            "message": self.sentence,
            "hint": self.hint,
            "field": self.field,
        }


@dataclass(frozen=True, slots=True)
class StopDocument:
    """Why the logins ended early; `count` mailboxes were not tried."""

    code: Code
    sentence: str
    count: int

    def as_json(self) -> Json:
        """The sentence is called `message`."""
        return {"code": self.code, "message": self.sentence, "count": self.count}


@dataclass(frozen=True, slots=True)
class ServiceDocument:
    """How many mailboxes have each verdict on one service of Exchange. `label` is its name for people."""

    name: str
    label: str
    ok: int
    fail: int
    inconclusive: int


@dataclass(frozen=True, slots=True)
class UntriedDocument:
    """Mailboxes that were not tried, which resuming goes on with."""

    count: int
    sentence: str

    def as_json(self) -> Json:
        """`action` is what to do."""
        return {"action": "resume", "message": self.sentence, "count": self.count}


@dataclass(frozen=True, slots=True)
class NextDocument:
    """What to do with the change. Applying it all the same takes the number of disconnects that are accepted.

    `command` would be accepted now; it is empty where none leads on.
    """

    sentence: str
    accept_disconnects: int
    action: Step
    command: tuple[str, ...]

    def as_json(self) -> Json:
        """`action` is what the message leads to, the command is one line for a shell."""
        return {
            "action": self.action,
            "message": self.sentence,
            "accept_disconnects": self.accept_disconnects,
            "command": shlex.join(self.command) or None,
        }


@dataclass(frozen=True, slots=True)
class ReportDocument:
    """The whole report. `sign` is the verdict as that of a check; `causes` are the most frequent first.

    Mailboxes are not held: `read` gives all of them by address, as they are asked for.
    """

    language: Language
    change_id: str
    short_id: str
    domain: str
    verdict: Safety
    sign: Verdict
    headline: str
    stop: StopDocument | None
    endpoints: tuple[EndpointDocument, ...]
    common_cause: CommonCauseDocument | None
    causes: tuple[CauseDocument, ...]
    untried: UntriedDocument | None
    groups: tuple[GroupDocument, ...]
    services: tuple[ServiceDocument, ...]
    next: NextDocument
    checksum: str
    read: Callable[[], Iterator[MailboxDocument]] = field(repr=False)

    @property
    def client(self) -> str:
        """The name of the client profile that judged, '' where that is not known."""
        return next((endpoint.client for endpoint in self.endpoints if endpoint.client), "")

    @property
    def urgent_causes(self) -> list[CauseDocument]:
        """The causes, those first that people must hear of first."""
        return sorted(self.causes, key=lambda cause: URGENCY.index(cause.impact))

    def group(self, impact: Impact) -> GroupDocument:
        """The mailboxes of one impact."""
        return next(group for group in self.groups if group.impact == impact)

    def mailboxes(self, impact: Impact | None = None) -> Iterator[MailboxDocument]:
        """Every mailbox by address, or those of one impact."""
        return (line for line in self.read() if impact is None or line.impact == impact)

    def head(self) -> Json:
        """The `verify` document without its mailboxes."""
        return {
            "change_id": self.change_id,
            "domain": self.domain,
            "verdict": self.verdict,
            "headline": self.headline,
            "client": self.client or None,
            "endpoints": [endpoint.as_json() for endpoint in self.endpoints],
            "counts": {str(group.impact): group.count for group in self.groups},
            "checksum": self.checksum,
            "stop": self.stop.as_json() if self.stop else None,
            "common_cause": self.common_cause.as_json() if self.common_cause else None,
            "causes": [cause.as_json() for cause in self.causes],
            "untried": self.untried.as_json() if self.untried else None,
            "groups": [group.as_json() for group in self.groups],
            "services": [asdict(service) for service in self.services],
            "next": self.next.as_json(),
        }
