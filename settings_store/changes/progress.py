"""How far the verifications of changes are: of many changes at once, for whoever looks at them again and again."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from checks.codes import Verdict
from checks.model import MailboxState
from settings_store import schema
from settings_store.changes.lifecycle import ChangeState
from settings_store.runs.runs import CANDIDATE, Stage

_changes, _domains, _runs = schema.changes, schema.domains, schema.runs
_rows, _results = schema.run_mailboxes, schema.endpoint_results


@dataclass(frozen=True, slots=True)
class Standing:
    """A change as it stands, with its newest verification. `counts` is None until that has ended."""

    change_id: str
    state: ChangeState
    run_id: str | None
    stage: Stage | None
    counts: Mapping[str, int] | None
    checksum: str | None
    stop_code: str | None


@dataclass(frozen=True, slots=True)
class Group:
    """So many mailboxes of a run of which the same is known. `judged`: the baseline, where one is needed, is known."""

    run_id: str
    before: MailboxState
    verdict: Verdict | None
    baseline: Verdict | None
    judged: bool
    count: int


_other = _runs.alias()
_newest = sa.select(sa.func.max(_other.c.created_at)).where(
    _other.c.change_id == _changes.c.id, _other.c.kind == "preflight"
)
_its_run = sa.and_(
    _runs.c.change_id == _changes.c.id,
    _runs.c.kind == "preflight",
    _runs.c.created_at == _newest.scalar_subquery(),
)
_IDS: sa.BindParameter[Any] = sa.bindparam("ids", expanding=True)
# Made once: to make them takes longer than to have them answered.
_STANDINGS = (
    sa.select(
        _changes.c.id,
        _changes.c.state,
        _runs.c.id.label("run_id"),
        _runs.c.stage,
        _runs.c.counts,
        _runs.c.checksum,
        _runs.c.stop_code,
    )
    .outerjoin_from(_changes, _runs, _its_run)
    .where(_changes.c.id.in_(_IDS))
)
_judged = sa.or_(_rows.c.baseline_page.is_(None), _rows.c.baseline_verdict.is_not(None)).label("judged")
_WHAT = _rows.c.run_id, _rows.c.before, _rows.c.verdict, _rows.c.baseline_verdict, _judged
_GROUPS = sa.select(*_WHAT, sa.func.count().label("number")).where(_rows.c.run_id.in_(_IDS)).group_by(*_WHAT)
_ENDPOINTS = (
    sa.select(_results.c.run_id, _results.c.document)
    .where(_results.c.run_id.in_(_IDS), _results.c.phase == CANDIDATE)
    .order_by(_results.c.protocol)
)


def standings(conn: Connection, change_ids: Collection[str]) -> dict[str, Standing]:
    """The changes with these ids, of those that there still are."""
    return {
        row.id: Standing(row.id, ChangeState(row.state), row.run_id, row.stage, row.counts, row.checksum, row.stop_code)
        for row in conn.execute(_STANDINGS, {"ids": list(change_ids)})
    }


def groups(conn: Connection, run_ids: Collection[str]) -> Iterator[Group]:
    """The mailboxes of runs, counted by what is known of them."""
    for row in conn.execute(_GROUPS, {"ids": list(run_ids)}):
        yield Group(
            row.run_id,
            MailboxState(row.before),
            Verdict(row.verdict) if row.verdict else None,
            Verdict(row.baseline_verdict) if row.baseline_verdict else None,
            bool(row.judged),
            row.number,
        )


def endpoint_documents(conn: Connection, run_ids: Collection[str]) -> dict[str, list[dict[str, Any]]]:
    """The results of the endpoints of runs with the proposed settings, as they were saved."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in conn.execute(_ENDPOINTS, {"ids": list(run_ids)}):
        found.setdefault(row.run_id, []).append(row.document)
    return found
