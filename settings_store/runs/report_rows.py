"""The mailboxes of a run by address, a page at a time: each page is found where the one before it ended.

The addresses of a domain stand in an index in their order, and so do those that are no domain's: that come with a
change or went with one. A page is read from both, so that it takes the same time wherever it begins.
"""

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa
from sqlalchemy import Connection

from checks.codes import Verdict
from checks.model import MailboxState
from settings_store import schema
from settings_store.runs.outcomes import Row, row_of
from settings_store.runs.runs import Run

Met = tuple[MailboxState, Verdict | None, Verdict | None]
"""What a mailbox was, what it came to, and what the settings in force said of it."""

_rows, _boxes = schema.run_mailboxes, schema.mailboxes


@dataclass(frozen=True, slots=True)
class Which:
    """Which mailboxes are wanted: of those that met one of `met`, with this code, whose address holds `text`.

    None: all of them. `code` is that of the row, where "" stands for mailboxes without one.
    """

    met: Collection[Met] | None = None
    codes: Collection[str] | None = None
    text: str = ""


ALL = Which()


def page(conn: Connection, run: Run, limit: int, after: str = "", which: Which = ALL) -> list[Row]:
    """At most `limit` of the run's mailboxes, of those whose address comes after that one."""
    parts = [
        _part(run, owner, after, which).limit(limit).subquery()
        for owner in (_boxes.c.domain_id == run.domain_id, _boxes.c.domain_id.is_(None))
    ]
    both = sa.union_all(*(sa.select(part) for part in parts)).subquery()
    query = sa.select(both).order_by(both.c.address, both.c.mailbox_id).limit(limit)
    return [row_of(row) for row in conn.execute(query)]


def sums(conn: Connection, run_id: str) -> Iterator[tuple[Row, int]]:
    """The run's mailboxes summed up by the database: what so many of them met alike, with the words of one of them.

    However many there are, there are few of these. They have no address.
    """
    services = sa.cast(_rows.c.services, sa.Text)
    alike = [*(_rows.c[name] for name in ("before", "verdict", "code", "protocol", "baseline_verdict")), services]
    shown = [
        sa.literal("").label("address"),
        sa.func.max(_rows.c.seen).label("seen"),
        sa.func.count().label("mailboxes"),
    ]
    query = sa.select(*alike[:-1], services.label("services"), *shown).where(_rows.c.run_id == run_id)
    for row in conn.execute(query.group_by(*alike)):
        summed = row_of(row)
        yield replace(summed, services=json.loads(row.services) if row.services else None), row.mailboxes


def _part(run: Run, owner: sa.ColumnElement[bool], after: str, which: Which) -> sa.Select[tuple[object, ...]]:
    columns = [_rows.c[name] for name in ("mailbox_id", "before", "verdict", "code", "protocol", "seen", "services")]
    query = sa.select(_boxes.c.address, *columns, _rows.c.baseline_verdict).join(
        _rows, sa.and_(_rows.c.mailbox_id == _boxes.c.id, _rows.c.run_id == run.id)
    )
    return query.where(owner, _boxes.c.address > after, *_wanted(which)).order_by(_boxes.c.address)


def _wanted(which: Which) -> Sequence[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if which.met is not None:
        found.append(sa.or_(sa.false(), *map(_met, which.met)))
    if which.codes is not None:
        found.append(sa.func.coalesce(_rows.c.code, "").in_(which.codes))
    if which.text:
        found.append(_boxes.c.address.contains(which.text, autoescape=True))
    return found


def _met(met: Met) -> sa.ColumnElement[bool]:
    before, verdict, baseline = met
    return sa.and_(
        _rows.c.before == before.value, _is(_rows.c.verdict, verdict), _is(_rows.c.baseline_verdict, baseline)
    )


def _is(column: sa.Column[str], verdict: Verdict | None) -> sa.ColumnElement[bool]:
    return column.is_(None) if verdict is None else column == verdict.value
