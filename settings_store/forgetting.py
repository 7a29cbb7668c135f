"""Rows that are old are deleted a few at a time: to delete a million at once keeps others waiting for minutes."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection


def forget(
    conn: Connection, table: sa.Table, old: sa.ColumnElement[bool], order: sa.ColumnElement[Any], most: int
) -> int:
    """Deletes at most so many of the rows that are old, in an order that an index has. Returns how many.

    What another transaction holds is passed over, so that nobody waits for it.
    """
    key = list(table.primary_key.columns)
    some = sa.select(*key).where(old).order_by(order).limit(most).with_for_update(skip_locked=True)
    return int(conn.execute(table.delete().where(sa.tuple_(*key).in_(some))).rowcount)
