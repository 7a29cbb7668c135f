"""What has moved since a report was made, so that it may not say what is true any more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from checks.settings import Settings
from settings_store import domains
from settings_store.actors import Actor
from settings_store.changes import changes, staleness
from settings_store.changes.changes import Change
from settings_store.changes.lifecycle import Reason
from settings_store.events import events
from settings_store.events.kinds import ChangeApplied, ChangeRolledBack
from settings_store.runs.runs import Run

_NAMED = 20
_MOVES = (ChangeApplied.KIND, ChangeRolledBack.KIND)


@dataclass(frozen=True, slots=True)
class Move:
    """How the settings in force came to be those. `kind` is that of the event; `at` is UTC seconds since 1970."""

    kind: str
    change_id: str
    at: float
    actor: Actor


@dataclass(frozen=True, slots=True)
class Stale:
    """`reasons` with their facts, none where the report may be acted upon.

    `base` are the settings that were in force then, `in_force` those that are now, `move` is how it came to those.
    `mailboxes` are the first that were added or changed since.
    """

    reasons: Mapping[Reason, Mapping[str, int | str]]
    base: Settings | None
    in_force: Settings | None
    move: Move | None
    mailboxes: Sequence[str]


def stale_of(conn: Connection, change: Change, run: Run, now: float, max_age: float) -> Stale:
    """What has moved since the change's `run`. A report may be acted upon for `max_age` seconds."""
    in_force = domains.in_force(conn, change.domain_id)
    age = now - (run.finished_at or now)
    found = {each.reason: each.facts for each in staleness.reasons(conn, change, run, in_force, age, max_age)}
    moved = Reason.SETTINGS_CHANGED in found
    return Stale(
        found,
        _settings(conn, change.base_settings_id),
        _settings(conn, in_force),
        _move(conn, change) if moved else None,
        staleness.untested(conn, change, run, _NAMED) if Reason.MAILBOXES_CHANGED in found else (),
    )


def _settings(conn: Connection, settings_id: int | None) -> Settings | None:
    return None if settings_id is None else domains.load_settings(conn, settings_id)


def _move(conn: Connection, change: Change) -> Move | None:
    account_id = domains.account_of(conn, change.domain_id)
    for event in events.newest_of_domain(conn, account_id, change.domain_id, _MOVES, None, 1):
        return Move(event.kind, changes.load(conn, event.subject).id, event.at, event.actor)
    return None
