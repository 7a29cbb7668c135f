"""How domains are, worded in a language: what a command, a page or a letter shows, and the `health` JSON.

Whoever shows it needs nothing else. `worker.health.wording` makes it of what was read; the schemas of its JSON are
`docs/schema/health.schema.json` and `docs/schema/health-list.schema.json`. Times are UTC seconds since 1970, in JSON
ISO 8601 in UTC; within words they are written as whoever asked for the document wants them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from checks.codes import Code
from checks.document import Json
from checks.language import Language
from checks.model import MailboxState
from worker.health.endpoint_document import EndpointHealthDocument, iso


@dataclass(frozen=True, slots=True)
class DisconnectedDocument:
    """A mailbox that does not connect. `words` say since when, '' where that is not known."""

    address: str
    code: Code | None
    since: float | None
    words: str

    def as_json(self) -> Json:
        """Without words: the incidents have them."""
        return {"address": self.address, "code": self.code.value if self.code else None, "since": iso(self.since)}


@dataclass(frozen=True, slots=True)
class MailboxesDocument:
    """How many mailboxes are in each state, in words too; `disconnected` are the first that do not connect."""

    counts: Mapping[MailboxState, int]
    words: str
    disconnected: tuple[DisconnectedDocument, ...]

    @property
    def more(self) -> int:
        """How many are disconnected besides those listed."""
        return self.counts[MailboxState.DISCONNECTED] - len(self.disconnected)

    def as_json(self) -> Json:
        """The words are called `message`."""
        counts: Json = {state.value: count for state, count in self.counts.items()}
        return counts | {"message": self.words, "list": [item.as_json() for item in self.disconnected]}


@dataclass(frozen=True, slots=True)
class IncidentDocument:
    """A failure that health checks found. `title` is how grave and of what, `course` since and until when.

    `shared` names the domains where it concerns several.
    """

    id: str
    scope: str
    severity: str
    code: Code
    title: str
    sentence: str
    advice: str
    course: str
    shared: str
    seen: str
    address: str
    domains: Sequence[str]
    mailboxes: int
    since: float
    opened_at: float
    recovered_at: float | None
    closed_at: float | None
    reopened: int

    @property
    def is_open(self) -> bool:
        """Whether it is not over."""
        return self.closed_at is None

    def as_json(self) -> Json:
        """The sentence is called `message`."""
        return {
            "id": self.id,
            "scope": self.scope,
            "severity": self.severity,
            "code": self.code.value,
            "title": self.title,
            "message": self.sentence,
            "advice": self.advice,
            "course": self.course,
            "seen": self.seen,
            "address": self.address or None,
            "domains": list(self.domains),
            "mailboxes": self.mailboxes,
            "since": iso(self.since),
            "opened": iso(self.opened_at),
            "recovered": iso(self.recovered_at),
            "closed": iso(self.closed_at),
            "reopened": self.reopened,
        }


@dataclass(frozen=True, slots=True)
class WindowDocument:
    """Announced maintenance. `domain` is None where it is for the whole account."""

    id: int
    domain: str | None
    starts_at: float
    ends_at: float
    note: str

    def as_json(self) -> Json:
        """As `mail-preflight maintenance list --json` has it too."""
        return {
            "id": self.id,
            "domain": self.domain,
            "from": iso(self.starts_at),
            "until": iso(self.ends_at),
            "note": self.note,
        }


@dataclass(frozen=True, slots=True)
class DomainDocument:
    """One domain as of `at`. `paused`, `maintenance` and `trouble` are sentences, '' where there is nothing to say.

    `incidents` are the first of `incident_count`: open ones, then those of the last week. `channels` are the names of
    the alert channels that hear of the domain, `told` says so.
    """

    language: Language
    domain: str
    at: float
    state: str
    headline: str
    paused_at: float | None
    paused: str
    window: WindowDocument | None
    maintenance: str
    in_trouble: bool
    trouble: str
    endpoints: tuple[EndpointHealthDocument, ...]
    mailboxes: MailboxesDocument
    incidents: tuple[IncidentDocument, ...]
    incident_count: int
    channels: tuple[str, ...]
    told: str

    def as_json(self) -> Json:
        """The `health` document."""
        return {
            "domain": self.domain,
            "at": iso(self.at),
            "state": self.state,
            "headline": self.headline,
            "remarks": [remark for remark in (self.paused, self.maintenance, self.trouble) if remark],
            "service_in_trouble": self.in_trouble,
            "paused_since": iso(self.paused_at),
            "maintenance": self.window.as_json() if self.window else None,
            "endpoints": [item.as_json() for item in self.endpoints],
            "mailboxes": self.mailboxes.as_json(),
            "incidents": [item.as_json() for item in self.incidents],
            "incident_count": self.incident_count,
            "alert_channels": list(self.channels),
            "alerts": self.told,
        }


@dataclass(frozen=True, slots=True)
class LineDocument:
    """One domain of all, in words. `incidents` are open ones, notices aside."""

    domain: str
    state: str
    words: str
    incidents: int
    notices: int
    mailboxes: Mapping[MailboxState, int]
    checked_at: float | None

    def as_json(self) -> Json:
        """One item of the list."""
        return {
            "domain": self.domain,
            "state": self.state,
            "headline": f"{self.domain}: {self.words}",
            "incidents": self.incidents,
            "notices": self.notices,
            "mailboxes": {state.value: count for state, count in self.mailboxes.items()},
            "checked_at": iso(self.checked_at),
        }


@dataclass(frozen=True, slots=True)
class ListDocument:
    """All domains, the worst first; `total` says how many are in which state."""

    language: Language
    lines: tuple[LineDocument, ...]
    total: str

    def as_json(self) -> list[Json]:
        """The list alone."""
        return [line.as_json() for line in self.lines]
