"""How much of everything there is over all accounts: for the operator's metrics. Nothing here names anybody."""

from typing import get_args

import sqlalchemy as sa
from sqlalchemy import Connection

from settings_store import schema
from settings_store.maintenance import at_rest
from settings_store.runs.runs import ENDED, Stage

UNFINISHED = tuple(stage for stage in get_args(Stage) if stage not in ENDED)


def open_incidents(conn: Connection) -> dict[tuple[str, str], int]:
    """(scope, severity) -> how many incidents are open. Where there are none there is no entry."""
    columns = schema.incidents.c.scope, schema.incidents.c.severity
    return _counts(conn, columns, schema.incidents.c.closed_at.is_(None))


def unfinished_runs(conn: Connection) -> dict[tuple[str, str], int]:
    """(kind, stage) -> how many runs are under way."""
    return _counts(conn, (schema.runs.c.kind, schema.runs.c.stage), schema.runs.c.stage.in_(UNFINISHED))


def _counts(
    conn: Connection, columns: tuple[sa.Column[str], sa.Column[str]], condition: sa.ColumnElement[bool]
) -> dict[tuple[str, str], int]:
    query = sa.select(*columns, sa.func.count()).where(condition).group_by(*columns)
    return {(first, second): count for first, second, count in conn.execute(query)}


def overdue_checks(conn: Connection, now: float) -> tuple[int, float]:
    """How many domains' endpoints are due, and for how many seconds the longest. Those that nobody watches are not."""
    due, domain_id = schema.health_schedule.c.endpoints_due, schema.health_schedule.c.domain_id
    query = sa.select(sa.func.count(), sa.func.min(due)).where(due < now, ~at_rest(domain_id, now))
    count, oldest = conn.execute(query).one()
    return count, now - oldest if count else 0.0


def pending_deliveries(conn: Connection, now: float) -> tuple[int, float]:
    """How many messages are still to be sent, and for how many seconds the oldest has waited."""
    table = schema.deliveries
    query = sa.select(sa.func.count(), sa.func.min(table.c.created_at)).where(table.c.state == "pending")
    count, oldest = conn.execute(query).one()
    return count, max(0.0, now - oldest) if count else 0.0
