"""What can be done with a change now, as programs call it: an action is here if, and only if, it would be accepted."""

from collections.abc import Mapping
from enum import StrEnum

from sqlalchemy import Connection

from settings_store.actors import Actor
from settings_store.changes import applying, approval, changes
from settings_store.changes.applying import Step
from settings_store.changes.changes import Change
from settings_store.changes.lifecycle import Event, events_of
from settings_store.runs import runs


class Action(StrEnum):
    """In the order in which they lead on."""

    APPLY = "apply"
    APPROVE = "approve"
    ROLL_BACK = "roll_back"
    RESUME = "resume"
    VERIFY = "verify"
    REOPEN = "reopen"
    CANCEL = "cancel"
    DISCARD = "discard"


_ALWAYS: Mapping[Event, Action] = {
    Event.VERIFY: Action.VERIFY,
    Event.REOPEN: Action.REOPEN,
    Event.CANCEL: Action.CANCEL,
    Event.DISCARD: Action.DISCARD,
}
"""What is accepted wherever the table has it."""
STEPS: Mapping[Step, Action | None] = {
    "apply": Action.APPLY,
    "approve": Action.APPROVE,
    "rollback": Action.ROLL_BACK,
    "resume": Action.RESUME,
    "again": Action.VERIFY,
    "reopen": Action.REOPEN,
    "none": None,
}
"""The commands that lead on from a report, as actions."""


def allowed(
    conn: Connection, change: Change, now: float, max_age: float, actor: Actor, step: Step | None = None
) -> list[Action]:
    """The actions that would be accepted of somebody at `now`. To apply may take the number of disconnects besides.

    `step` is `applying.next_step`, where that is known already: it looks at all mailboxes.
    """
    found = {_ALWAYS[event] for event in events_of(change.state) if event in _ALWAYS}
    step = step or applying.next_step(conn, change, now, max_age)
    if step in ("apply", "rollback"):
        found |= {action for action in (STEPS[step],) if action}
    if step == "apply" and not approval.may_apply(conn, change, actor):
        found.discard(Action.APPLY)
    if step == "approve" and approval.may_approve(change, actor):
        found.add(Action.APPROVE)
    if changes.can_resume(conn, change, runs.of_change(conn, change.id), now, max_age):
        found.add(Action.RESUME)
    return [action for action in Action if action in found]
