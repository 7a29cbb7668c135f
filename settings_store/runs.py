"""Runs: what was tested for which settings, page by page. Every write is idempotent, for a message may come twice.

A run moves through its stages by compare-and-swap. Its tasks and pages are leased: a lease that is not renewed
expires, and whoever comes next goes on where the results end.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy import Connection

from checks.model import Code, CredentialKind, LoginResult, MailboxState, Verdict
from settings_store import schema

Phase = Literal["candidate", "baseline"]
Stage = Literal["queued", "endpoints", "canaries", "mailboxes", "baseline", "finished", "cancelled"]
CANDIDATE: Phase = "candidate"
BASELINE: Phase = "baseline"
ENDED: tuple[Stage, ...] = ("finished", "cancelled")
GOING: tuple[Stage, ...] = ("queued", "endpoints", "canaries", "mailboxes", "baseline")
CANARY_PAGE = 0
LONGEST_LEASE_SECONDS = 120.0
"""No lease is given for longer: one that ends later was given before the clock was put back."""
LEFT = (Code.RUN_NOT_TRIED, Code.RUN_BUDGET, Code.RUN_CANCELLED)
"""The codes of mailboxes that a run has left untried."""

_runs, _pages, _rows = schema.runs, schema.pages, schema.run_mailboxes


@dataclass(frozen=True, slots=True)
class Run:
    """One verification. `baseline_settings_id` is None in a domain that has no settings in force."""

    id: str
    domain_id: int
    change_id: str | None
    settings_id: int
    baseline_settings_id: int | None
    kind: str
    stage: Stage
    stop_code: Code | None
    stop_detail: str
    counts: Mapping[str, int] | None
    checksum: str | None
    finished_at: float | None


@dataclass(frozen=True, slots=True)
class Work:
    """A mailbox still to be tried. `credential` is sealed."""

    mailbox_id: int
    address: str
    username: str
    kind: CredentialKind
    credential: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Done:
    """A mailbox tried."""

    mailbox_id: int
    result: LoginResult


@dataclass(frozen=True, slots=True)
class Row:
    """A mailbox of a run with all that is known, for the report. Verdicts are None where nothing was tried.

    `services` has the codes of mail and calendar, None where there was no Exchange to ask.
    """

    address: str
    before: MailboxState
    verdict: Verdict | None
    code: str | None
    protocol: str | None
    seen: str
    baseline_verdict: Verdict | None
    services: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """How far a run is. `total` is 0 until it is planned."""

    stage: Stage
    total: int
    ok: int
    fail: int
    inconclusive: int


def create(
    conn: Connection,
    run_id: str,
    *,
    domain_id: int,
    change_id: str | None,
    settings_id: int,
    baseline_settings_id: int | None,
    kind: Literal["preflight", "health"],
    now: float,
) -> None:
    """A queued run. It is later than the others of its change, even where the clock was put back."""
    created = now
    if change_id is not None:
        latest = sa.select(sa.func.max(_runs.c.created_at)).where(_runs.c.change_id == change_id)
        created = max(now, (conn.execute(latest).scalar() or 0.0) + 0.001)
    conn.execute(
        _runs.insert().values(
            id=run_id,
            domain_id=domain_id,
            change_id=change_id,
            settings_id=settings_id,
            baseline_settings_id=baseline_settings_id,
            kind=kind,
            stage="queued",
            created_at=created,
            touched_at=now,
        )
    )


def get(conn: Connection, run_id: str) -> Run | None:
    """The run, or None."""
    row = conn.execute(sa.select(_runs).where(_runs.c.id == run_id)).one_or_none()
    return _run(row) if row else None


def of_change(conn: Connection, change_id: str) -> Run | None:
    """The newest preflight run of a change, or None."""
    mine = sa.select(_runs).where(_runs.c.change_id == change_id, _runs.c.kind == "preflight")
    row = conn.execute(mine.order_by(_runs.c.created_at.desc()).limit(1)).one_or_none()
    return _run(row) if row else None


def _run(row: Any) -> Run:
    return Run(
        id=row.id,
        domain_id=row.domain_id,
        change_id=row.change_id,
        settings_id=row.settings_id,
        baseline_settings_id=row.baseline_settings_id,
        kind=row.kind,
        stage=row.stage,
        stop_code=Code(row.stop_code) if row.stop_code else None,
        stop_detail=row.stop_detail or "",
        counts=row.counts,
        checksum=row.checksum,
        finished_at=row.finished_at,
    )


def claim(conn: Connection, run_id: str, owner: str, now: float, until: float) -> bool:
    """Takes the run's own lease, for the work that only one may do. False where somebody has it or the run ended."""
    taken = conn.execute(
        _runs.update()
        .where(_runs.c.id == run_id, _lapsed(_runs.c.lease_until, now), _runs.c.stage.not_in(ENDED))
        .values(lease_owner=owner, lease_until=until, touched_at=now)
    )
    return taken.rowcount == 1


def _lapsed(until: sa.ColumnElement[float], now: float) -> sa.ColumnElement[bool]:
    return sa.or_(until < now, until > now + LONGEST_LEASE_SECONDS)


def lock(conn: Connection, run_id: str) -> None:
    """Whoever writes pages or mailboxes of a run holds its row first: so no two wait for each other.

    PostgreSQL locks rows in the order in which they are met, and each way to write them meets them in another. SQLite
    has one writer.
    """
    # Not FOR UPDATE: rows that refer to the run may be added meanwhile.
    conn.execute(sa.select(_runs.c.id).where(_runs.c.id == run_id).with_for_update(key_share=True))


def release(conn: Connection, run_id: str, owner: str) -> None:
    """Gives the run's own lease back."""
    conn.execute(_runs.update().where(_runs.c.id == run_id, _runs.c.lease_owner == owner).values(lease_until=0))


def move(conn: Connection, run_id: str, source: Sequence[Stage], target: Stage, now: float) -> bool:
    """Compare-and-swap of the stage."""
    moved = conn.execute(
        _runs.update().where(_runs.c.id == run_id, _runs.c.stage.in_(source)).values(stage=target, touched_at=now)
    )
    return moved.rowcount == 1


def stop(conn: Connection, run_id: str, code: Code, detail: str) -> None:
    """Notes why mailboxes were left untried."""
    conn.execute(_runs.update().where(_runs.c.id == run_id).values(stop_code=code.value, stop_detail=detail))


def finish(conn: Connection, run_id: str, counts: Mapping[str, int], checksum: str, now: float) -> bool:
    """Closes a run with its counts and checksum. False where it had ended already."""
    ended = conn.execute(
        _runs.update()
        .where(_runs.c.id == run_id, _runs.c.stage.not_in(ENDED))
        .values(stage="finished", counts=dict(counts), checksum=checksum, finished_at=now, touched_at=now)
    )
    return ended.rowcount == 1


# -- endpoints


def save_endpoint(conn: Connection, run_id: str, phase: Phase, protocol: str, document: Mapping[str, Any]) -> None:
    """Keeps an endpoint's result; a second one is dropped."""
    table = schema.endpoint_results
    known = sa.select(table.c.run_id).where(
        table.c.run_id == run_id, table.c.phase == phase, table.c.protocol == protocol
    )
    if conn.execute(known).first() is None:
        conn.execute(table.insert().values(run_id=run_id, phase=phase, protocol=protocol, document=dict(document)))


def endpoint_documents(conn: Connection, run_id: str, phase: Phase) -> dict[str, dict[str, Any]]:
    """Protocol -> the endpoint's result, as it was saved."""
    table = schema.endpoint_results
    query = sa.select(table.c.protocol, table.c.document).where(table.c.run_id == run_id, table.c.phase == phase)
    return {row.protocol: row.document for row in conn.execute(query.order_by(table.c.protocol))}


def endpoints_verified(conn: Connection, settings_id: int) -> dict[str, dict[str, Any]]:
    """Protocol -> the endpoint's result in the newest finished preflight run of a version of the settings."""
    finished = _runs.c.settings_id == settings_id, _runs.c.kind == "preflight", _runs.c.stage == "finished"
    newest = conn.execute(sa.select(_runs.c.id).where(*finished).order_by(_runs.c.created_at.desc()).limit(1)).scalar()
    return endpoint_documents(conn, newest, CANDIDATE) if newest else {}


def endpoint_failed(conn: Connection, run_id: str) -> bool:
    """Whether an endpoint of the run's settings fails for good."""
    documents = endpoint_documents(conn, run_id, CANDIDATE)
    return any(document["verdict"] == Verdict.FAIL.value for document in documents.values())


def left_untried(conn: Connection, run_id: str) -> int:
    """How many mailboxes the run has left untried and may still be tried."""
    left = _rows.c.run_id == run_id, _rows.c.code.in_([code.value for code in LEFT])
    return int(conn.execute(sa.select(sa.func.count()).select_from(_rows).where(*left)).scalar_one())


# -- planning


def plan(
    conn: Connection,
    run: Run,
    canaries: int,
    page_size: int,
    settle_first: Callable[[], object] | None = None,
    known_since: float = 0.0,
) -> None:
    """Lays out the run's mailboxes in pages of `page_size`, canaries first. A second call changes nothing.

    `settle_first` is called before the canaries are drawn, to settle what needs no login. A state from before
    `known_since` (UTC seconds since 1970) that no health check has looked at since is not known any more.

    Pages are drawn at random, so that like failures in a row mean something. So are the canaries, among mailboxes with
    a credential, those known to work first: a regular pattern could fall in with a regular fault.
    """
    if conn.execute(sa.select(_rows.c.run_id).where(_rows.c.run_id == run.id).limit(1)).first():
        return
    box = schema.mailboxes
    looked_at = sa.func.coalesce(box.c.health_at, box.c.state_since)
    stale = sa.and_(box.c.state_since < known_since, looked_at < known_since)
    state = sa.case((stale, MailboxState.UNKNOWN.value), else_=box.c.state)
    before = state if run.baseline_settings_id else _unknown_counts_as_connected(box.c.state)
    number = 1 + (sa.func.row_number().over(order_by=sa.func.random()) - 1) // sa.literal_column(
        str(int(page_size)), sa.Integer
    )
    source = sa.select(sa.literal(run.id), box.c.id, sa.cast(number, sa.Integer), before)
    conn.execute(
        _rows.insert().from_select(
            ["run_id", "mailbox_id", "page", "before"], source.where(box.c.domain_id == run.domain_id, _subject(run))
        )
    )
    if settle_first is not None:
        settle_first()
    _draw_canaries(conn, run.id, canaries)
    _add_pages(conn, run.id, CANDIDATE, _rows.c.page)


def _subject(run: Run) -> sa.ColumnElement[bool]:
    """Which mailboxes of its domain a run is about: all; to watch a change, those that were to work; else a slice."""
    if run.kind == "preflight":
        return sa.true()
    if run.change_id is None:
        taken_up = sa.select(_runs.c.created_at).where(_runs.c.id == run.id).scalar_subquery()
        return schema.mailboxes.c.health_at == taken_up
    report, rows_of_report = _runs.alias(), _rows.alias()
    finished = report.c.change_id == run.change_id, report.c.kind == "preflight", report.c.stage == "finished"
    newest = sa.select(report.c.id).where(*finished).order_by(report.c.created_at.desc()).limit(1).scalar_subquery()
    return schema.mailboxes.c.id.in_(
        sa.select(rows_of_report.c.mailbox_id).where(
            rows_of_report.c.run_id == newest, rows_of_report.c.verdict == Verdict.OK.value
        )
    )


def _unknown_counts_as_connected(state: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """The cautious reading where there are no settings in force that could be tested."""
    return sa.case((state == MailboxState.UNKNOWN.value, MailboxState.CONNECTED.value), else_=state)


def _draw_canaries(conn: Connection, run_id: str, count: int) -> None:
    box = schema.mailboxes
    drawn = (
        sa.select(_rows.c.mailbox_id)
        .join(box, box.c.id == _rows.c.mailbox_id)
        .where(_rows.c.run_id == run_id, box.c.credential.is_not(None), _rows.c.verdict.is_(None))
        .order_by(sa.case((box.c.state == MailboxState.CONNECTED.value, 0), else_=1), sa.func.random())
        .limit(count)
    )
    ids = [row.mailbox_id for row in conn.execute(drawn)]
    conn.execute(_rows.update().where(_rows.c.run_id == run_id, _rows.c.mailbox_id.in_(ids)).values(page=CANARY_PAGE))


def _add_pages(conn: Connection, run_id: str, phase: Phase, column: sa.ColumnElement[int]) -> None:
    numbers = sa.select(sa.literal(run_id), sa.literal(phase), column).where(_rows.c.run_id == run_id)
    source = numbers.where(column.is_not(None)).distinct()
    conn.execute(_pages.insert().from_select(["run_id", "phase", "number"], source))


def plan_baseline(conn: Connection, run_id: str, page_size: int) -> int:
    """Lays out the mailboxes whose state under the settings in force must be tested. Returns how many.

    There are no canaries: those are mailboxes that failed one by one, after the canaries of the proposed settings.
    """
    box = schema.mailboxes
    bare = sa.select(box.c.id).where(box.c.id == _rows.c.mailbox_id, box.c.credential.is_(None)).exists()
    nothing_known = {"baseline_verdict": Verdict.INCONCLUSIVE.value, "baseline_code": Code.CREDENTIAL_MISSING.value}
    conn.execute(_rows.update().where(*_unsettled_baseline(run_id), bare).values(nothing_known))
    open_ones = sa.select(_rows.c.mailbox_id).where(*_unsettled_baseline(run_id), _rows.c.baseline_page.is_(None))
    ids = conn.execute(open_ones.order_by(_rows.c.mailbox_id)).scalars().all()
    if not ids:
        return 0
    conn.execute(
        _rows.update()
        .where(_rows.c.run_id == run_id, _rows.c.mailbox_id == sa.bindparam("key"))
        .values(baseline_page=sa.bindparam("number")),
        [{"key": mailbox_id, "number": 1 + place // page_size} for place, mailbox_id in enumerate(ids)],
    )
    _add_pages(conn, run_id, BASELINE, _rows.c.baseline_page)
    return len(ids)


def _failures(run_id: str) -> tuple[sa.ColumnElement[bool], ...]:
    return _rows.c.run_id == run_id, _rows.c.verdict == Verdict.FAIL.value, _rows.c.baseline_verdict.is_(None)


def _unsettled_baseline(run_id: str) -> tuple[sa.ColumnElement[bool], ...]:
    return *_failures(run_id), _rows.c.before == MailboxState.UNKNOWN.value


def baseline_needed(conn: Connection, run_id: str) -> bool:
    """Whether there are failures whose state under the settings in force is not known."""
    return conn.execute(sa.select(_rows.c.run_id).where(*_unsettled_baseline(run_id)).limit(1)).first() is not None


def baseline_protocols(conn: Connection, run_id: str) -> list[tuple[str, Code, int]]:
    """(protocol, code, count) of all failures; where nothing changed, they overrule what was last known."""
    query = sa.select(_rows.c.protocol, _rows.c.code, sa.func.count()).where(*_failures(run_id))
    return [(row[0], Code(row[1]), row[2]) for row in conn.execute(query.group_by(_rows.c.protocol, _rows.c.code))]


def settle_baseline(
    conn: Connection, run_id: str, verdict: Verdict, code: Code, *, failed: tuple[str, Code] | None = None
) -> None:
    """One fact for every mailbox whose baseline is open, or only those that failed with (protocol, code)."""
    which = _unsettled_baseline(run_id)
    if failed:
        which = (*_failures(run_id), _rows.c.protocol == failed[0], _rows.c.code == failed[1].value)
    conn.execute(_rows.update().where(*which).values(baseline_verdict=verdict.value, baseline_code=code.value))


def settle_kind(conn: Connection, run_id: str, kind: CredentialKind, code: Code, protocol: str, seen: str) -> int:
    """One lasting cause for every mailbox with a credential of that kind and without a verdict. Returns how many."""
    box = schema.mailboxes
    of_kind = (box.c.id == _rows.c.mailbox_id, box.c.credential_kind == kind.value, box.c.credential.is_not(None))
    settled = conn.execute(
        _rows.update()
        .where(_rows.c.run_id == run_id, _rows.c.verdict.is_(None), sa.select(box.c.id).where(*of_kind).exists())
        .values(verdict=Verdict.FAIL.value, code=code.value, protocol=protocol, seen=seen)
    )
    return int(settled.rowcount)


def settle_without_credential(conn: Connection, run_id: str) -> None:
    """Nothing can be told of a mailbox whose credential we do not have."""
    box = schema.mailboxes
    bare = sa.select(box.c.id).where(box.c.id == _rows.c.mailbox_id, box.c.credential.is_(None)).exists()
    conn.execute(
        _rows.update()
        .where(_rows.c.run_id == run_id, _rows.c.verdict.is_(None), bare)
        .values(verdict=Verdict.INCONCLUSIVE.value, code=Code.CREDENTIAL_MISSING.value)
    )


def settle(conn: Connection, run_id: str, verdict: Verdict, code: Code, protocol: str | None, seen: str) -> int:
    """One fact for every mailbox that has no verdict yet. Returns how many."""
    settled = conn.execute(
        _rows.update()
        .where(_rows.c.run_id == run_id, _rows.c.verdict.is_(None))
        .values(verdict=verdict.value, code=code.value, protocol=protocol, seen=seen)
    )
    return int(settled.rowcount)


def leave_untried(conn: Connection, run_id: str, code: Code) -> None:
    """Ends the logins of a run because of `code`: the mailboxes without a verdict are left, and counted."""
    lock(conn, run_id)
    count = settle(conn, run_id, Verdict.INCONCLUSIVE, Code.RUN_NOT_TRIED, None, "")
    close_pages(conn, run_id, CANDIDATE)
    if count:
        stop(conn, run_id, code, str(count))


def close_pages(conn: Connection, run_id: str, phase: Phase) -> None:
    """No page of the phase is to be tried any more."""
    conn.execute(_pages.update().where(_pages.c.run_id == run_id, _pages.c.phase == phase).values(done=True))


# -- pages


def claim_page(
    conn: Connection,
    run_id: str,
    phase: Phase,
    owner: str,
    now: float,
    until: float,
    *,
    canaries: bool,
    abandoned: Mapping[int, float] | None = None,
) -> int | None:
    """Leases the next page that nobody works on; None where there is none. Those that nobody ever had come first.

    `abandoned` has the pages, with the end of their lease, that may be taken from another; None means all that lapsed.
    """
    lock(conn, run_id)
    free: sa.ColumnElement[bool] = _lapsed(_pages.c.lease_until, now)
    if abandoned is not None:
        same = [sa.and_(_pages.c.number == key, _pages.c.lease_until == end) for key, end in abandoned.items()]
        free = sa.or_(_pages.c.lease_owner.is_(None), *same)
    query = sa.select(_pages.c.number).where(_of(run_id, phase), _pages.c.done.is_(sa.false()), free)
    if canaries:
        query = query.where(_pages.c.number == CANARY_PAGE)
    query = query.order_by(_pages.c.lease_owner.is_not(None), _pages.c.number).limit(1)
    number = conn.execute(query.with_for_update(skip_locked=True)).scalar()
    if number is None:
        return None
    conn.execute(
        _pages.update()
        .where(_of(run_id, phase), _pages.c.number == number)
        .values(lease_owner=owner, lease_until=until)
    )
    _touch(conn, run_id, now)
    return int(number)


def lapsed_pages(conn: Connection, run_id: str, phase: Phase, now: float, *, canaries: bool) -> dict[int, float]:
    """The open pages with a lease that is over, and when it ended."""
    lapsed = _lapsed(_pages.c.lease_until, now), _pages.c.lease_owner.is_not(None), _pages.c.done.is_(sa.false())
    query = sa.select(_pages.c.number, _pages.c.lease_until).where(_of(run_id, phase), *lapsed)
    if canaries:
        query = query.where(_pages.c.number == CANARY_PAGE)
    return {row.number: row.lease_until for row in conn.execute(query)}


def pages_held(conn: Connection, run_id: str, phase: Phase, owner: str) -> int:
    """How many open pages are leased to an owner."""
    held = _pages.c.lease_owner == owner, _pages.c.done.is_(sa.false())
    query = sa.select(sa.func.count()).select_from(_pages).where(_of(run_id, phase), *held)
    return int(conn.execute(query).scalar_one())


def _of(run_id: str, phase: Phase) -> sa.ColumnElement[bool]:
    return sa.and_(_pages.c.run_id == run_id, _pages.c.phase == phase)


def _touch(conn: Connection, run_id: str, now: float) -> None:
    conn.execute(_runs.update().where(_runs.c.id == run_id).values(touched_at=now))


def page_work(conn: Connection, run_id: str, phase: Phase, number: int) -> list[Work]:
    """The mailboxes of a page that have no result yet."""
    box = schema.mailboxes
    page, verdict = (
        (_rows.c.page, _rows.c.verdict) if phase == CANDIDATE else (_rows.c.baseline_page, _rows.c.baseline_verdict)
    )
    query = (
        sa.select(box.c.id, box.c.address, box.c.username, box.c.credential_kind, box.c.credential)
        .join(_rows, _rows.c.mailbox_id == box.c.id)
        .where(_rows.c.run_id == run_id, page == number, verdict.is_(None), box.c.credential.is_not(None))
        .order_by(box.c.id)
    )
    return [
        Work(row.id, row.address, row.username, CredentialKind(row.credential_kind), row.credential)
        for row in conn.execute(query)
    ]


def save_results(conn: Connection, run_id: str, phase: Phase, results: Sequence[Done]) -> None:
    """Keeps results in bulk; a mailbox that has one already keeps it."""
    if not results:
        return
    if phase == CANDIDATE:
        statement = _rows.update().values(
            verdict=sa.bindparam("v"),
            code=sa.bindparam("c"),
            protocol=sa.bindparam("p"),
            seen=sa.bindparam("s"),
            ms=sa.bindparam("m"),
            services=sa.bindparam("services"),
        )
        known = _rows.c.verdict
    else:
        statement = _rows.update().values(baseline_verdict=sa.bindparam("v"), baseline_code=sa.bindparam("c"))
        known = _rows.c.baseline_verdict
    # A login that was under way when the run was broken off has come to something after all.
    still_open = (
        sa.or_(known.is_(None), _rows.c.code == Code.RUN_NOT_TRIED.value) if phase == CANDIDATE else known.is_(None)
    )
    statement = statement.where(_rows.c.run_id == run_id, _rows.c.mailbox_id == sa.bindparam("key"), still_open)
    conn.execute(statement, [_parameters(done, phase) for done in results])


def _parameters(done: Done, phase: Phase) -> dict[str, object]:
    result = done.result
    values: dict[str, object] = {"key": done.mailbox_id, "v": result.verdict.value, "c": result.code.value}
    if phase == CANDIDATE:
        services = dict(result.services) if result.services is not None else None
        values |= {"p": result.protocol.value, "s": result.seen, "m": result.ms, "services": services}
    return values


def renew(conn: Connection, run_id: str, phase: Phase, owner: str, now: float, until: float) -> Stage:
    """Keeps an owner's leases alive; the run's stage, which tells whether to go on."""
    _touch(conn, run_id, now)
    conn.execute(
        _pages.update()
        .where(_of(run_id, phase), _pages.c.lease_owner == owner, _pages.c.done.is_(sa.false()))
        .values(lease_until=until)
    )
    stage: Stage = conn.execute(sa.select(_runs.c.stage).where(_runs.c.id == run_id)).scalar_one()
    return stage


def close_own_pages(conn: Connection, run_id: str, phase: Phase, owner: str) -> None:
    """Ends an owner's leases; pages without open work are done."""
    lock(conn, run_id)
    own = (_of(run_id, phase), _pages.c.lease_owner == owner)
    conn.execute(_pages.update().where(*own, ~_open_work(run_id, phase)).values(done=True))
    conn.execute(_pages.update().where(*own).values(lease_owner=None, lease_until=0))


def close_idle_pages(conn: Connection, run_id: str, phase: Phase) -> None:
    """Pages that were settled before anybody came to them are done."""
    conn.execute(_pages.update().where(_of(run_id, phase), ~_open_work(run_id, phase)).values(done=True))


def _open_work(run_id: str, phase: Phase) -> sa.ColumnElement[bool]:
    """Whether a mailbox of the page can be tried and has no result."""
    box = schema.mailboxes
    page, verdict = (
        (_rows.c.page, _rows.c.verdict) if phase == CANDIDATE else (_rows.c.baseline_page, _rows.c.baseline_verdict)
    )
    return (
        sa.select(_rows.c.mailbox_id)
        .join(box, box.c.id == _rows.c.mailbox_id)
        .where(_rows.c.run_id == run_id, page == _pages.c.number, verdict.is_(None), box.c.credential.is_not(None))
        .correlate(_pages)
        .exists()
    )


def page_is_open(conn: Connection, run_id: str, phase: Phase, number: int) -> bool:
    """Whether a page is planned and not done."""
    query = sa.select(_pages.c.number).where(
        _of(run_id, phase), _pages.c.number == number, _pages.c.done.is_(sa.false())
    )
    return conn.execute(query).first() is not None


def pages_free(conn: Connection, run_id: str, phase: Phase, now: float) -> int:
    """How many open pages nobody has."""
    query = sa.select(sa.func.count()).select_from(_pages)
    free = query.where(_of(run_id, phase), _pages.c.done.is_(sa.false()), _lapsed(_pages.c.lease_until, now))
    return int(conn.execute(free).scalar_one())


def pages_open(conn: Connection, run_id: str, phase: Phase) -> int:
    """How many pages are not done."""
    query = sa.select(sa.func.count()).select_from(_pages).where(_of(run_id, phase), _pages.c.done.is_(sa.false()))
    return int(conn.execute(query).scalar_one())


def pages_planned(conn: Connection, run_id: str, phase: Phase) -> bool:
    """Whether the phase was laid out."""
    return conn.execute(sa.select(_pages.c.number).where(_of(run_id, phase)).limit(1)).first() is not None


def page_outcomes(conn: Connection, run_id: str, phase: Phase, number: int) -> list[tuple[Verdict, Code]]:
    """The distinct results of a page, those never tried left out."""
    page, verdict, code = (
        (_rows.c.page, _rows.c.verdict, _rows.c.code)
        if phase == CANDIDATE
        else (_rows.c.baseline_page, _rows.c.baseline_verdict, _rows.c.baseline_code)
    )
    tried = verdict.is_not(None), code.not_in([item.value for item in LEFT])
    query = sa.select(verdict, code).distinct().where(_rows.c.run_id == run_id, page == number, *tried)
    return [(Verdict(row[0]), Code(row[1])) for row in conn.execute(query)]


def page_tried(conn: Connection, run_id: str, number: int) -> list[int]:
    """The mailboxes of a page that have a verdict with the proposed settings."""
    query = sa.select(_rows.c.mailbox_id).where(_rows.c.run_id == run_id, _rows.c.page == number)
    return list(conn.execute(query.where(_rows.c.verdict.is_not(None))).scalars())


# -- reading


def resume(conn: Connection, run_id: str, canaries: int, now: float) -> int:
    """Opens a finished run again for the mailboxes that it left untried, with canaries of their own.

    Returns how many there are; 0 leaves the run as it is.
    """
    lock(conn, run_id)
    untried = (_rows.c.run_id == run_id, _rows.c.code.in_([code.value for code in LEFT]))
    run = get(conn, run_id)
    if run is None or run.stage != "finished":
        return 0
    nothing = {"verdict": None, "code": None, "protocol": None, "seen": None, "services": None}
    page = sa.case((_rows.c.page == CANARY_PAGE, 1), else_=_rows.c.page)
    count = int(conn.execute(_rows.update().where(*untried).values(**nothing, page=page)).rowcount)
    if not count:
        return 0
    # The earlier canaries have their results: only those drawn now are to say how it goes on.
    conn.execute(_rows.update().where(_rows.c.run_id == run_id, _rows.c.page == CANARY_PAGE).values(page=1))
    conn.execute(_pages.delete().where(_pages.c.run_id == run_id))
    _draw_canaries(conn, run_id, canaries)
    open_pages = sa.select(sa.literal(run_id), sa.literal(CANDIDATE), _rows.c.page).distinct()
    source = open_pages.where(_rows.c.run_id == run_id, _rows.c.verdict.is_(None))
    conn.execute(_pages.insert().from_select(["run_id", "phase", "number"], source))
    opened = {"stage": "canaries", "stop_code": None, "stop_detail": None, "counts": None, "checksum": None}
    conn.execute(_runs.update().where(_runs.c.id == run_id).values(**opened, finished_at=None, touched_at=now))
    return count


def tally(conn: Connection, run_id: str) -> Tally:
    """How far a run is."""
    stage = conn.execute(sa.select(_runs.c.stage).where(_runs.c.id == run_id)).scalar_one()
    query = sa.select(_rows.c.verdict, sa.func.count()).where(_rows.c.run_id == run_id).group_by(_rows.c.verdict)
    counts = {row[0]: row[1] for row in conn.execute(query)}
    return Tally(
        stage=stage,
        total=sum(counts.values()),
        ok=counts.get("ok", 0),
        fail=counts.get("fail", 0),
        inconclusive=counts.get("inconclusive", 0),
    )


def rows(conn: Connection, run_id: str) -> Iterator[Row]:
    """The run's mailboxes by address, read in portions."""
    box = schema.mailboxes
    query = (
        sa.select(
            box.c.address,
            _rows.c.before,
            _rows.c.verdict,
            _rows.c.code,
            _rows.c.protocol,
            _rows.c.seen,
            _rows.c.baseline_verdict,
            _rows.c.services,
        )
        .join(_rows, _rows.c.mailbox_id == box.c.id)
        .where(_rows.c.run_id == run_id)
        .order_by(box.c.address)
        .execution_options(yield_per=500)
    )
    for row in conn.execute(query):
        yield Row(
            address=row.address,
            before=MailboxState(row.before),
            verdict=Verdict(row.verdict) if row.verdict else None,
            code=row.code,
            protocol=row.protocol,
            seen=row.seen or "",
            baseline_verdict=Verdict(row.baseline_verdict) if row.baseline_verdict else None,
            services=row.services,
        )


def stalled(conn: Connection, now: float, idle_seconds: float, limit: int) -> list[Run]:
    """Runs with work left that nobody has touched for a while and nobody holds a lease on.

    Preflights come before what nobody waits for, then the oldest first.
    """
    # Counted for each run by itself: EXISTS becomes a join that PostgreSQL likes to begin by reading every page.
    leased = sa.select(sa.func.count()).where(_pages.c.run_id == _runs.c.id, ~_lapsed(_pages.c.lease_until, now))
    quiet = sa.or_(_runs.c.touched_at < now - idle_seconds, _runs.c.touched_at > now + LONGEST_LEASE_SECONDS)
    query = (
        sa.select(_runs)
        # Those that go on, named one by one: an index finds them, however many have ended.
        .where(_runs.c.stage.in_(GOING), quiet, _lapsed(_runs.c.lease_until, now), leased.scalar_subquery() == 0)
        .order_by(_runs.c.kind.desc(), _runs.c.touched_at)
        .limit(limit)
    )
    return [_run(row) for row in conn.execute(query)]


def touch(conn: Connection, run_id: str, now: float) -> None:
    """Notes that somebody has taken care of a run."""
    _touch(conn, run_id, now)
