"""The kinds of events, a class each. What a class has beyond `Event` is kept as JSON, and never holds a secret.

A kind is never renamed: what was stored under it is read with it. Fields may be added, with a default.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from settings_store.events import administration
from settings_store.events.event import Event

# -- changes: `before` is None for a new one


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeEvent(Event):
    """A step of a change. `STEP` is what the change's history calls it."""

    STEP: ClassVar[str] = ""

    before: str | None = None
    after: str | None = None
    detail: str = ""


class ChangeSaved(ChangeEvent):
    KIND, STEP = "change.saved", "save"


class ChangeVerificationStarted(ChangeEvent):
    KIND, STEP = "change.verification_started", "verify"


class ChangeResumed(ChangeEvent):
    """The verification goes on with the mailboxes that were left untried."""

    KIND, STEP = "change.resumed", "verify"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeVerified(ChangeEvent):
    """The run that verified it has its report: what that says, '' and {} where it was written down by the run only.

    `awaits_approval`: it cannot be applied before a second person has approved it.
    """

    KIND, STEP = "change.verified", "finish"

    verdict: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    checksum: str = ""
    awaits_approval: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeApproved(ChangeEvent):
    """A second person approved the report with that checksum."""

    KIND, STEP = "change.approved", "approve"

    checksum: str = ""


class ChangeCancelled(ChangeEvent):
    KIND, STEP = "change.cancelled", "cancel"


class ChangeApplied(ChangeEvent):
    KIND, STEP = "change.applied", "apply"


class ChangeWatchFailed(ChangeEvent):
    """More mailboxes fail after the change than its report said, and it stays in force."""

    KIND, STEP = "change.watch_failed", "watch_failed"


class ChangeRolledBack(ChangeEvent):
    KIND, STEP = "change.rolled_back", "roll_back"


class ChangeDiscarded(ChangeEvent):
    KIND, STEP = "change.discarded", "discard"


class ChangeSuperseded(ChangeEvent):
    KIND, STEP = "change.superseded", "supersede"


class ChangeReopened(ChangeEvent):
    KIND, STEP = "change.reopened", "reopen"


STEPS: Mapping[str, type[ChangeEvent]] = {
    kind.STEP: kind
    for kind in (
        ChangeSaved,
        ChangeVerificationStarted,
        ChangeVerified,
        ChangeCancelled,
        ChangeApproved,
        ChangeApplied,
        ChangeRolledBack,
        ChangeDiscarded,
        ChangeSuperseded,
        ChangeReopened,
    )
}
"""The event that each transition of a change writes, by the transition's name."""


# -- runs of a change; the endless slices of health checks tell by what they do to mailboxes


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEvent(Event):
    """Something about a run of a change."""

    change_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished(RunEvent):
    """`counts` are mailboxes by impact, `code` is why some were left untried ('' where none were)."""

    KIND = "run.finished"

    counts: Mapping[str, int] = field(default_factory=dict)
    checksum: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunBrokenOff(RunEvent):
    """No further mailbox is tried, because of `code`; `left` have not been."""

    KIND = "run.broken_off"

    code: str = ""
    left: int = 0


class RunCancelled(RunEvent):
    """It ended without a report, for the change is not verified any more."""

    KIND = "run.cancelled"


# -- mailboxes: one event for all of a domain that change in one transaction, however many

Cause = Literal["applied", "rolled_back", "checked", "server", "imported"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxesEvent(Event):
    """`count` mailboxes of the domain have another state than before, because of `cause`.

    That is a change applied or rolled back, a run, or an incident of the server, with the id in `cause_id`; or new
    credentials.
    """

    count: int = 0
    cause: Cause = "checked"
    cause_id: str = ""


class MailboxesConnected(MailboxesEvent):
    KIND = "mailboxes.connected"


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxesDisconnected(MailboxesEvent):
    """`codes` are how many were for which cause."""

    KIND = "mailboxes.disconnected"

    codes: Mapping[str, int] = field(default_factory=dict)


class MailboxesUnknown(MailboxesEvent):
    """Nobody knows how they are, until they are tried."""

    KIND = "mailboxes.unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxesRemoved(Event):
    """`count` mailboxes were taken out of the domain, with their credentials. `named` are the first of them."""

    KIND = "mailboxes.removed"

    count: int = 0
    named: Sequence[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxesImported(Event):
    """Mailboxes were added to the domain, or given other credentials, at once."""

    KIND = "mailboxes.imported"

    added: int = 0
    updated: int = 0


# -- connecting: an attempt of somebody to connect a mailbox is the subject


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptEvent(Event):
    """`verdict` and `code` are what came of the login, '' where nothing was tried."""

    verdict: str = ""
    code: str = ""


class MailboxConnected(AttemptEvent):
    """Its login works, and it has its domain's settings from now on."""

    KIND = "mailbox.connected"


class MailboxStored(AttemptEvent):
    """It has its domain's settings from now on, and whether its login works could not be told."""

    KIND = "mailbox.stored"


class ConnectionFailed(AttemptEvent):
    """Nothing was stored."""

    KIND = "connection.failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionPending(AttemptEvent):
    """Its domain has no settings: it waits for an admin. `kept`: its login works, and goes on with it."""

    KIND = "connection.pending"

    kept: bool = False


class ConnectionLoginNeeded(AttemptEvent):
    """Its domain's settings have changed, and no login of it is kept: it has to be connected once more."""

    KIND = "connection.login_needed"


class ConnectionDismissed(AttemptEvent):
    """An admin does not want it; what was kept of it is gone."""

    KIND = "connection.dismissed"


# -- domains


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainApprovalSet(Event):
    """From now on changes of the domain need a second person's approval, or need none."""

    KIND = "domain.approval_set"

    needed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainRemoved(Event):
    """The domain called `name` was given up, with so many mailboxes and changes."""

    KIND = "domain.removed"

    name: str = ""
    mailboxes: int = 0
    changes: int = 0


# -- incidents


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentEvent(Event):
    """How the incident was when it happened."""

    scope: str = ""
    severity: str = ""
    code: str = ""
    mailboxes: int = 0


class IncidentOpened(IncidentEvent):
    KIND = "incident.opened"


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentReminder(IncidentEvent):
    """It is still open. The first reminder has number 1."""

    KIND = "incident.reminder"

    number: int = 0


class IncidentRecovered(IncidentEvent):
    """It works again; the incident is over once that has lasted."""

    KIND = "incident.recovered"


class IncidentReopened(IncidentEvent):
    """It failed again before it was over."""

    KIND = "incident.reopened"


class IncidentResolved(IncidentEvent):
    KIND = "incident.resolved"


class IncidentDropped(IncidentEvent):
    """It ended without having been resolved: part of a greater one, or nobody watches it any more."""

    KIND = "incident.dropped"


_ALL: tuple[type[Event], ...] = (
    *administration.ALL,
    *STEPS.values(),
    ChangeResumed,
    ChangeWatchFailed,
    RunFinished,
    RunBrokenOff,
    RunCancelled,
    MailboxesConnected,
    MailboxesDisconnected,
    MailboxesUnknown,
    MailboxesImported,
    MailboxesRemoved,
    MailboxConnected,
    MailboxStored,
    ConnectionFailed,
    ConnectionPending,
    ConnectionLoginNeeded,
    ConnectionDismissed,
    DomainApprovalSet,
    DomainRemoved,
    IncidentOpened,
    IncidentReminder,
    IncidentRecovered,
    IncidentReopened,
    IncidentResolved,
    IncidentDropped,
)

KINDS: Mapping[str, type[Event]] = {kind.KIND: kind for kind in _ALL}
"""Every kind by its name."""
