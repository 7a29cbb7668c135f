"""The life of a change, as a table.

    draft -> verifying -> verified -> applied -> rolled back

A draft may be wrong. A change that is verified may be verified again, for its report ages. A newer change of the same
domain supersedes an older one that was not applied; what was superseded or discarded can be taken up again as a draft,
so nobody's work is lost. Nothing but `apply` and `roll_back` touches the settings in force.
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
    APPLY = "apply"
    ROLL_BACK = "roll_back"
    DISCARD = "discard"
    SUPERSEDE = "supersede"
    REOPEN = "reopen"


class Refused(Invalid):
    """Something that must not be done with a change, with the reason and what to do."""


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


def next_state(state: ChangeState | None, event: Event) -> ChangeState:
    """The state after an event. Raises `Refused` where the table has none."""
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        possible = ", ".join(events_of(state)) or "nothing any more"
        raise Refused(f"a change that is {state or 'new'} cannot {event}; possible: {possible}") from None
