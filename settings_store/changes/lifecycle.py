"""The life of a change, as a table.

    draft -> verifying -> verified -> applied -> rolled back

A draft may be wrong. A change that is verified may be verified again, for its report ages. A newer change of the same
domain supersedes an older one that was not applied; what was superseded or discarded can be taken up again as a draft,
so nobody's work is lost. Where its domain asks for it, a second person approves it before it can be applied. Nothing
but `apply` and `roll_back` touches the settings in force.
"""

from collections.abc import Mapping
from enum import StrEnum

from checks.model import Invalid


class ChangeState(StrEnum):
    DRAFT = "draft"
    VERIFYING = "verifying"
    VERIFIED = "verified"
    APPLIED = "applied"
    DISCARDED = "discarded"
    SUPERSEDED = "superseded"
    ROLLED_BACK = "rolled_back"


class Event(StrEnum):
    SAVE = "save"
    VERIFY = "verify"
    FINISH = "finish"
    CANCEL = "cancel"
    APPROVE = "approve"
    APPLY = "apply"
    ROLL_BACK = "roll_back"
    DISCARD = "discard"
    SUPERSEDE = "supersede"
    REOPEN = "reopen"


class Reason(StrEnum):
    """Why something is refused; stable, for programs."""

    WRONG_STATE = "wrong_state"
    NO_REPORT = "no_report"
    RACED = "raced"
    NOTHING_LEFT = "nothing_left"
    NOT_IN_FORCE = "not_in_force"
    SETTINGS_CHANGED = "settings_changed"
    MAILBOXES_CHANGED = "mailboxes_changed"
    REPORT_OLD = "report_old"
    REPORT_AHEAD = "report_ahead"
    OTHER_REPORT = "other_report"
    CHECKSUM_TOO_SHORT = "checksum_too_short"
    INCOMPLETE = "incomplete"
    SERVER_FAILS = "server_fails"
    WOULD_DISCONNECT = "would_disconnect"
    AWAITS_APPROVAL = "awaits_approval"
    NO_APPROVAL_NEEDED = "no_approval_needed"
    NOT_A_PERSON = "not_a_person"
    SAME_PERSON = "same_person"


class Refused(Invalid):
    """Something that must not be done with a change: in words with a command that leads on, and as a reason with facts.

    Whoever words it otherwise takes the reason and the facts; of the text they take nothing.
    """

    def __init__(self, message: str, reason: Reason = Reason.WRONG_STATE, **facts: int | str) -> None:
        super().__init__(message)
        self.reason = reason
        self.facts: Mapping[str, int | str] = facts


_S, _E = ChangeState, Event

TRANSITIONS: Mapping[tuple[ChangeState | None, Event], ChangeState] = {
    (None, _E.SAVE): _S.DRAFT,
    (_S.DRAFT, _E.VERIFY): _S.VERIFYING,
    (_S.DRAFT, _E.DISCARD): _S.DISCARDED,
    (_S.DRAFT, _E.SUPERSEDE): _S.SUPERSEDED,
    (_S.VERIFYING, _E.FINISH): _S.VERIFIED,
    (_S.VERIFYING, _E.CANCEL): _S.DRAFT,
    (_S.VERIFYING, _E.DISCARD): _S.DISCARDED,
    (_S.VERIFYING, _E.SUPERSEDE): _S.SUPERSEDED,
    (_S.VERIFIED, _E.VERIFY): _S.VERIFYING,
    (_S.VERIFIED, _E.APPROVE): _S.VERIFIED,
    (_S.VERIFIED, _E.APPLY): _S.APPLIED,
    (_S.VERIFIED, _E.DISCARD): _S.DISCARDED,
    (_S.VERIFIED, _E.SUPERSEDE): _S.SUPERSEDED,
    (_S.APPLIED, _E.ROLL_BACK): _S.ROLLED_BACK,
    (_S.DISCARDED, _E.REOPEN): _S.DRAFT,
    (_S.SUPERSEDED, _E.REOPEN): _S.DRAFT,
}

UNAPPLIED = (ChangeState.DRAFT, ChangeState.VERIFYING, ChangeState.VERIFIED)
"""The states in which a change still waits to take effect."""


def events_of(state: ChangeState | None) -> list[Event]:
    """What can happen to a change in this state."""
    return [event for known, event in TRANSITIONS if known == state]


_STATES: Mapping[ChangeState, str] = {
    _S.DRAFT: "not verified",
    _S.VERIFYING: "being verified",
    _S.VERIFIED: "verified",
    _S.APPLIED: "applied",
    _S.DISCARDED: "discarded",
    _S.SUPERSEDED: "replaced by a newer one",
    _S.ROLLED_BACK: "rolled back",
}
_EVENTS: Mapping[Event, str] = {
    _E.SAVE: "saved",
    _E.VERIFY: "verified",
    _E.FINISH: "reported",
    _E.CANCEL: "cancelled",
    _E.APPROVE: "approved",
    _E.APPLY: "applied",
    _E.ROLL_BACK: "rolled back",
    _E.DISCARD: "discarded",
    _E.SUPERSEDE: "replaced",
    _E.REOPEN: "reopened",
}
_WAYS: Mapping[ChangeState, str] = {
    _S.DRAFT: "`mail-preflight again {id}` verifies it",
    _S.VERIFYING: "`mail-preflight resume {id}` goes on with that, `mail-preflight cancel {id}` ends it",
    _S.VERIFIED: "`mail-preflight report {id}` says what can be done with it",
    _S.APPLIED: "`mail-preflight history {id}` says what became of it",
    _S.DISCARDED: "`mail-preflight reopen {id}` takes it up again",
    _S.SUPERSEDED: "`mail-preflight reopen {id}` takes it up again",
    _S.ROLLED_BACK: "`mail-preflight history {id}` says what became of it",
}
"""The command that leads on from each state; it is accepted there."""


def next_state(state: ChangeState | None, event: Event, change_id: str = "") -> ChangeState:
    """The state after an event. Raises `Refused`, with the command that leads on, where the table has none."""
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise refusal(state, _EVENTS[event], change_id) from None


def refusal(state: ChangeState | None, what: str, change_id: str) -> Refused:
    """Why a change in this state cannot be, say, "applied", and the command that leads on."""
    if state is None:
        return Refused(f"a change that is not saved cannot be {what}; `mail-preflight verify` saves one")
    return Refused(
        f"change {change_id} is {_STATES[state]} and cannot be {what}; {way_on(state, change_id)}",
        state=_STATES[state],
        what=what,
    )


def way_on(state: ChangeState, change_id: str) -> str:
    """The command that leads on from a state, and what it does."""
    return _WAYS[state].format(id=change_id)


def has_no_report(state: ChangeState, change_id: str) -> Refused:
    """Why nothing can be read of a change, and the command that leads on."""
    return Refused(
        f"change {change_id} has no report: it is {_STATES[state]}; {way_on(state, change_id)}",
        Reason.NO_REPORT,
        state=_STATES[state],
    )
