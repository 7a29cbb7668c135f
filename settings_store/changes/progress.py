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


def standings(conn: Connection, change_ids: Collection[str]) -> dict[str, Standing]:
    """The changes with these ids, of those that there still are."""
    other = _runs.alias()
    newest = sa.select(sa.func.max(other.c.created_at)).where(
        other.c.change_id == _changes.c.id, other.c.kind == "preflight"
    )
    its_run = sa.and_(
        _runs.c.change_id == _changes.c.id,
        _runs.c.kind == "preflight",
        _runs.c.created_at == newest.scalar_subquery(),
    )
    columns = _runs.c.stage, _runs.c.counts, _runs.c.checksum, _runs.c.stop_code
    query = sa.select(_changes.c.id, _changes.c.state, _runs.c.id.label("run_id"), *columns)
    found = conn.execute(query.outerjoin_from(_changes, _runs, its_run).where(_changes.c.id.in_(change_ids)))
    return {
        row.id: Standing(row.id, ChangeState(row.state), row.run_id, row.stage, row.counts, row.checksum, row.stop_code)
        for row in found
    }


def groups(conn: Connection, run_ids: Collection[str]) -> Iterator[Group]:
    """The mailboxes of runs, counted by what is known of them."""
    judged = sa.or_(_rows.c.baseline_page.is_(None), _rows.c.baseline_verdict.is_not(None)).label("judged")
    what = _rows.c.run_id, _rows.c.before, _rows.c.verdict, _rows.c.baseline_verdict, judged
    query = sa.select(*what, sa.func.count().label("number")).where(_rows.c.run_id.in_(run_ids)).group_by(*what)
    for row in conn.execute(query):
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
    mine = _results.c.run_id.in_(run_ids), _results.c.phase == CANDIDATE
    query = sa.select(_results.c.run_id, _results.c.document).where(*mine).order_by(_results.c.protocol)
    found: dict[str, list[dict[str, Any]]] = {}
    for row in conn.execute(query):
        found.setdefault(row.run_id, []).append(row.document)
    return found
