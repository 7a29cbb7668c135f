"""Which mailboxes a run tries: they are laid out in pages when it begins, and when it goes on with what it left."""

from collections.abc import Callable

import sqlalchemy as sa
from sqlalchemy import Connection

from checks.codes import Verdict
from checks.model import MailboxState
from settings_store import schema
from settings_store.runs import candidates, pages, runs
from settings_store.runs.outcomes import ALL_REJECTED, LEFT, REJECTED
from settings_store.runs.pages import CANARY_PAGE
from settings_store.runs.runs import CANDIDATE, Run

_runs, _pages, _rows = schema.runs, schema.pages, schema.run_mailboxes


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
            ["run_id", "mailbox_id", "page", "before"], source.where(_of_domain(run), _subject(run)).order_by(box.c.id)
        )
    )
    if settle_first is not None:
        settle_first()
    _draw_canaries(conn, run.id, canaries)
    pages.add(conn, run.id, CANDIDATE, _rows.c.page)


def _of_domain(run: Run) -> sa.ColumnElement[bool]:
    """The domain's mailboxes, and those that come with the change that is verified."""
    box = schema.mailboxes
    own = box.c.domain_id == run.domain_id
    if run.kind != "preflight":
        return own
    return sa.or_(own, sa.and_(box.c.domain_id.is_(None), box.c.change_id == run.change_id))


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
        .where(_rows.c.run_id == run_id, candidates.has_credential(run_id), _rows.c.verdict.is_(None))
        .order_by(sa.case((box.c.state == MailboxState.CONNECTED.value, 0), else_=1), sa.func.random())
        .limit(count)
    )
    ids = [row.mailbox_id for row in conn.execute(drawn)]
    conn.execute(_rows.update().where(_rows.c.run_id == run_id, _rows.c.mailbox_id.in_(ids)).values(page=CANARY_PAGE))


def resume(conn: Connection, run_id: str, canaries: int, now: float) -> int:
    """Opens a finished run again for the mailboxes that it left untried, with canaries of their own.

    So it does for those that were rejected by a server at fault, or have another credential since.

    Returns how many there are; 0 leaves the run as it is.
    """
    runs.lock(conn, run_id)
    untried = _untried(run_id)
    run = runs.load(conn, run_id)
    if run is None or run.stage != "finished":
        return 0
    nothing = {"verdict": None, "code": None, "protocol": None, "seen": None, "services": None, "ms": None}
    nothing |= {"evidence": None}
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


def anything_left(conn: Connection, run: Run) -> bool:
    """Whether `resume` would find a mailbox to go on with."""
    if run.stage != "finished":
        return False
    return conn.execute(sa.select(_rows.c.mailbox_id).where(*_untried(run.id)).limit(1)).first() is not None


def _untried(run_id: str) -> tuple[sa.ColumnElement[bool], ...]:
    box = schema.mailboxes
    another = sa.select(box.c.id).where(box.c.id == _rows.c.mailbox_id, runs.changed_since(run_id, box)).exists()
    rejected = sa.and_(_rows.c.code.in_([code.value for code in REJECTED]), another, ~candidates.is_proposed(run_id))
    left = _rows.c.code.in_([code.value for code in (*LEFT, *ALL_REJECTED)])
    return _rows.c.run_id == run_id, sa.or_(left, rejected)
