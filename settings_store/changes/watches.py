"""The watch after applying: for some time the mailboxes that were to work are checked again."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from settings_store import audit, schema
from settings_store.changes import changes
from settings_store.changes.changes import Change
from settings_store.changes.lifecycle import ChangeState
from settings_store.events.kinds import ChangeRolledBack, ChangeWatchFailed
from settings_store.runs import endpoints, runs

_changes = schema.changes


@dataclass(frozen=True, slots=True)
class Watch:
    """What is to happen after applying: how long the mailboxes are watched (seconds; 0: not at all)."""

    seconds: float = 0.0
    roll_back_by_itself: bool = False


UNWATCHED = Watch()


def due(conn: Connection, now: float, limit: int) -> list[Change]:
    """Applied changes whose mailboxes are to be checked again now."""
    ready = sa.select(_changes.c.id).where(_changes.c.state == ChangeState.APPLIED.value, _changes.c.watch_next <= now)
    return [changes.load(conn, change_id) for change_id in conn.execute(ready.limit(limit)).scalars().all()]


def begin_run(conn: Connection, change: Change, now: float, next_at: float | None) -> str | None:
    """A queued run over the mailboxes that were to work, and when the next one is due (None: this was the last).

    Returns None, and nothing is done, where the last such run goes on still.
    """
    table = schema.runs
    going = table.c.change_id == change.id, table.c.kind == "health", table.c.stage.not_in(runs.ENDED)
    if conn.execute(sa.select(table.c.id).where(*going)).first():
        return None
    conn.execute(_changes.update().where(_changes.c.id == change.id).values(watch_next=next_at))
    return runs.create(conn, "health", runs.Subject(change.domain_id, change.settings_id, change.id), now)


def look_again(conn: Connection, change_id: str, run_id: str, at: float) -> bool:
    """Puts the next watch run forward, unless the one before `run_id` had a failing endpoint too. Whether it did so."""
    table = schema.runs
    mine = table.c.change_id == change_id, table.c.kind == "health", table.c.stage == "finished", table.c.id != run_id
    before = conn.execute(sa.select(table.c.id).where(*mine).order_by(table.c.created_at.desc()).limit(1)).scalar()
    if before is not None and endpoints.any_failed(conn, before):
        return False
    conn.execute(_changes.update().where(_changes.c.id == change_id).values(watch_next=at))
    return True


def ended_rounds(conn: Connection, change_id: str) -> list[tuple[str, float]]:
    """The ids of the change's watch runs that have ended, with when, in order."""
    table = schema.runs
    mine = table.c.change_id == change_id, table.c.kind == "health", table.c.stage == "finished"
    query = sa.select(table.c.id, table.c.finished_at).where(*mine).order_by(table.c.created_at)
    return [(row.id, row.finished_at) for row in conn.execute(query)]


def goes_on(conn: Connection, change_id: str) -> bool:
    """Whether another round is to come, or one is under way."""
    table = schema.runs
    going = table.c.change_id == change_id, table.c.kind == "health", table.c.stage.not_in(runs.ENDED)
    due = sa.select(_changes.c.id).where(_changes.c.id == change_id, _changes.c.watch_next.is_not(None))
    return conn.execute(due.union_all(sa.select(table.c.id).where(*going)).limit(1)).first() is not None


def trouble(conn: Connection, change_id: str) -> str:
    """What the watch has found to be too bad, '' where nothing was."""
    told = [event for event in audit.of_change(conn, change_id) if event.event == ChangeWatchFailed.STEP]
    undone = [event for event in audit.of_change(conn, change_id) if event.event == ChangeRolledBack.STEP]
    return next((event.detail for event in (*told, *undone) if event.detail), "")


def end(conn: Connection, domain_id: int) -> None:
    """What was applied before is not in force any more, so there is nothing to watch and nothing to roll back."""
    ended = {"watch_until": None, "watch_next": None}
    watched = _changes.c.domain_id == domain_id, _changes.c.watch_until.is_not(None)
    conn.execute(_changes.update().where(*watched).values(ended))
