"""What is forgotten of health checks after a while, a little at a time: whoever writes meanwhile hardly waits.

Each function forgets at most about so many rows, in the caller's transaction, and returns how many: none where nothing
is old enough, or another transaction is at it.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy import Connection

from settings_store import schema
from settings_store.forgetting import forget
from settings_store.runs import outcomes

_RUNS_AT_ONCE = 50

_results, _hours = schema.health_results, schema.health_hours
_runs, _rows, _pages, _documents = schema.runs, schema.run_mailboxes, schema.pages, schema.endpoint_results


def forget_checks(conn: Connection, before: float, most: int) -> int:
    """Single checks of endpoints from before a time (UTC seconds since 1970)."""
    return forget(conn, _results, _results.c.at < before, _results.c.at, most)


def forget_hours(conn: Connection, before: float, most: int) -> int:
    """The sums of hours that were over before a time."""
    return forget(conn, _hours, _hours.c.hour < int(before // 3600), _hours.c.hour, most)


def forget_runs(conn: Connection, before: float, most: int) -> int:
    """What health checks of mailboxes found before a time; counted are mailboxes and runs.

    A slice goes altogether: what it found out has long been taken over. The rounds of a watch belong to their change,
    and are kept as they are told: without what each mailbox met.
    """
    old = conn.execute(_OLD_RUNS, {"before": before, "most": _RUNS_AT_ONCE}).all()
    gone = _forget_slices(conn, [run.id for run in old if run.change_id is None], most)
    for run_id in (run.id for run in old if run.change_id is not None):
        if gone >= most:
            break
        gone += _forget_round(conn, run_id, most - gone)
    return gone


def _forget_slices(conn: Connection, run_ids: Sequence[str], most: int) -> int:
    gone = forget(conn, _rows, _rows.c.run_id.in_(run_ids), _rows.c.run_id, most) if run_ids else 0
    if run_ids and gone < most:
        gone += conn.execute(_runs.delete().where(_runs.c.id.in_(run_ids))).rowcount
    return gone


def _forget_round(conn: Connection, run_id: str, most: int) -> int:
    """Of one round of a watch. Its sum is noted before the first of its mailboxes goes."""
    tally = outcomes.tally(conn, run_id)
    known = {"ok": tally.ok, "fail": tally.fail, "inconclusive": tally.inconclusive}
    conn.execute(_runs.update().where(_runs.c.id == run_id, _runs.c.tally.is_(None)).values(tally=known))
    gone = forget(conn, _rows, _rows.c.run_id == run_id, _rows.c.mailbox_id, most)
    if gone < most:
        for table in (_pages, _documents):
            conn.execute(table.delete().where(table.c.run_id == run_id))
        gone += conn.execute(_runs.update().where(_runs.c.id == run_id).values(kept=False)).rowcount
    return gone


def _old_runs() -> sa.Select[tuple[str, str | None]]:
    before = sa.bindparam("before", type_=sa.Float)
    ended = _runs.c.touched_at < before, _runs.c.finished_at < before
    query = sa.select(_runs.c.id, _runs.c.change_id).where(schema.FORGETTABLE, *ended).order_by(_runs.c.touched_at)
    return query.limit(sa.bindparam("most", type_=sa.Integer)).with_for_update(skip_locked=True)


# Made once: to make a statement takes longer than to execute it.
_OLD_RUNS = _old_runs()
