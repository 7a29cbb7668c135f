"""Who did what to a change, when, and from where: the events of a change as its history shows them."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection

from settings_store.actors import SERVICE, Actor
from settings_store.events import events
from settings_store.events.kinds import ChangeEvent

__all__ = ["SERVICE", "Actor", "Entry", "of_change"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the history. `at` is UTC seconds since 1970; `before` is None for a new change.

    Entries of a higher `seq` came later.
    """

    at: float
    actor: Actor
    event: str
    before: str | None
    after: str | None
    detail: str
    seq: int = 0


def of_change(conn: Connection, change_id: str) -> Iterator[Entry]:
    """The lines of a change, oldest first."""
    for event in events.of_subject(conn, change_id):
        if isinstance(event, ChangeEvent):
            yield Entry(event.at, event.actor, event.STEP, event.before, event.after, event.detail, event.seq)
