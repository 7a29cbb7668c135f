"""What the mailboxes of a run came to: by a login, by a fact that settles them without one, or left untried."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from checks.codes import Code, Verdict
from checks.model import CredentialKind, LoginResult, MailboxState
from settings_store import schema
from settings_store.events import events
from settings_store.events.kinds import RunBrokenOff
from settings_store.runs import candidates, pages, runs
from settings_store.runs.runs import CANDIDATE, Phase, Stage

LEFT = (Code.RUN_NOT_TRIED, Code.RUN_BUDGET, Code.RUN_CANCELLED)
"""The codes of mailboxes that a run has left untried."""

REJECTED = frozenset({Code.AUTH_REJECTED, Code.AUTH_APP_PASSWORD, Code.AUTH_TOKEN_REJECTED})
"""The codes that speak of the credential itself; the other lasting causes may be mended without a new one."""
ALL_REJECTED = frozenset({Code.AUTH_ALL_REJECTED, Code.EXCHANGE_ALL_REJECTED})
"""What becomes of them where they met all mailboxes alike, and something speaks for the credentials."""

_rows = schema.run_mailboxes
_STAGE = sa.select(schema.runs.c.stage, schema.runs.c.tally).where(schema.runs.c.id == runs.RUN)
_TALLY = sa.select(_rows.c.verdict, sa.func.count()).where(_rows.c.run_id == runs.RUN).group_by(_rows.c.verdict)


@dataclass(frozen=True, slots=True)
class Done:
    """A mailbox tried. `evidence` is what speaks for a credential that was rejected, '' where nothing does.

    `reached`: so many of its endpoints have let it in, where the next one wants to be left alone for a while.
    """

    mailbox_id: int
    result: LoginResult
    evidence: str = ""
    reached: int = 0


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


def save(conn: Connection, run_id: str, phase: Phase, results: Sequence[Done]) -> None:
    """Keeps results in bulk; a mailbox that has one already keeps it."""
    if results:
        conn.execute(_saving(phase), [{"run": run_id, **_parameters(done, phase)} for done in results])


@cache
def _saving(phase: Phase) -> sa.Update:
    if phase == CANDIDATE:
        statement = _rows.update().values(
            verdict=sa.bindparam("v"),
            code=sa.bindparam("c"),
            protocol=sa.bindparam("p"),
            seen=sa.bindparam("s"),
            ms=sa.bindparam("m"),
            services=sa.bindparam("services"),
            evidence=sa.bindparam("e"),
        )
        known = _rows.c.verdict
    else:
        statement = _rows.update().values(baseline_verdict=sa.bindparam("v"), baseline_code=sa.bindparam("c"))
        known = _rows.c.baseline_verdict
    # A login that was under way when the run was broken off has come to something after all.
    still_open = (
        sa.or_(known.is_(None), _rows.c.code == Code.RUN_NOT_TRIED.value) if phase == CANDIDATE else known.is_(None)
    )
    return statement.where(_rows.c.run_id == runs.RUN, _rows.c.mailbox_id == sa.bindparam("key"), still_open)


def _parameters(done: Done, phase: Phase) -> dict[str, object]:
    result = done.result
    values: dict[str, object] = {"key": done.mailbox_id, "v": result.verdict.value, "c": result.code.value}
    if phase == CANDIDATE:
        services = dict(result.services) if result.services is not None else None
        values |= {"p": result.protocol.value, "s": result.seen, "m": result.ms, "services": services}
        values |= {"e": done.evidence or None}
    return values


def settle_kind(conn: Connection, run_id: str, kind: CredentialKind, code: Code, protocol: str, seen: str) -> int:
    """One lasting cause for every mailbox to be tried with a credential of that kind and without a verdict.

    Returns how many.
    """
    box, held = schema.mailboxes, schema.change_credentials
    of_kind = (box.c.id == _rows.c.mailbox_id, box.c.credential_kind == kind.value, box.c.credential.is_not(None))
    stored = sa.and_(sa.select(box.c.id).where(*of_kind).exists(), ~candidates.is_proposed(run_id))
    tried = sa.or_(stored, candidates.is_proposed(run_id, held.c.credential_kind == kind.value))
    settled = conn.execute(
        _rows.update()
        .where(_rows.c.run_id == run_id, _rows.c.verdict.is_(None), tried)
        .values(verdict=Verdict.FAIL.value, code=code.value, protocol=protocol, seen=seen)
    )
    return int(settled.rowcount)


def settle_without_credential(conn: Connection, run_id: str) -> None:
    """Nothing can be told of a mailbox whose credential we do not have."""
    box = schema.mailboxes
    bare = sa.select(box.c.id).where(box.c.id == _rows.c.mailbox_id, box.c.credential.is_(None)).exists()
    conn.execute(
        _rows.update()
        .where(_rows.c.run_id == run_id, _rows.c.verdict.is_(None), bare, ~candidates.is_proposed(run_id))
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


def leave_untried(conn: Connection, run_id: str, code: Code, now: float) -> None:
    """Ends the logins of a run because of `code`: the mailboxes without a verdict are left, and counted."""
    runs.lock(conn, run_id)
    count = settle(conn, run_id, Verdict.INCONCLUSIVE, Code.RUN_NOT_TRIED, None, "")
    pages.close(conn, run_id, CANDIDATE)
    if count:
        runs.stop(conn, run_id, code, str(count))
        _tell_broken_off(conn, run_id, code, count, now)


def _tell_broken_off(conn: Connection, run_id: str, code: Code, left: int, now: float) -> None:
    run = runs.load(conn, run_id)
    if run is None or run.change_id is None:
        return
    told = RunBrokenOff(
        subject=run.id, at=now, domain_id=run.domain_id, change_id=run.change_id, code=code.value, left=left
    )
    events.record(conn, told)


def left_untried(conn: Connection, run_id: str) -> int:
    """How many mailboxes the run has left untried and may still be tried."""
    left = _rows.c.run_id == run_id, _rows.c.code.in_([code.value for code in LEFT])
    return int(conn.execute(sa.select(sa.func.count()).select_from(_rows).where(*left)).scalar_one())


def recount_untried(conn: Connection, run_id: str) -> None:
    """Counts anew how many mailboxes a run that was broken off has left: logins were under way when it was."""
    run = runs.load(conn, run_id)
    if run is not None and run.stop_code is not None and run.stop_detail:
        left = _rows.c.run_id == run_id, _rows.c.code == Code.RUN_NOT_TRIED.value
        count = conn.execute(sa.select(sa.func.count()).select_from(_rows).where(*left)).scalar_one()
        runs.stop(conn, run_id, run.stop_code, str(count))


def of_page(conn: Connection, run_id: str, phase: Phase, number: int) -> list[tuple[Verdict, Code, int]]:
    """The distinct results of a page with how many mailboxes came to each, those never tried left out."""
    page, verdict, code = (
        (_rows.c.page, _rows.c.verdict, _rows.c.code)
        if phase == CANDIDATE
        else (_rows.c.baseline_page, _rows.c.baseline_verdict, _rows.c.baseline_code)
    )
    decided = verdict.is_not(None), code.not_in([item.value for item in LEFT])
    query = sa.select(verdict, code, sa.func.count()).where(_rows.c.run_id == run_id, page == number, *decided)
    found = conn.execute(query.group_by(verdict, code).order_by(verdict, code))
    return [(Verdict(row[0]), Code(row[1]), row[2]) for row in found]


def tried(conn: Connection, run_id: str, number: int) -> list[int]:
    """The mailboxes of a page that have a verdict with the proposed settings."""
    query = sa.select(_rows.c.mailbox_id).where(_rows.c.run_id == run_id, _rows.c.page == number)
    return list(conn.execute(query.where(_rows.c.verdict.is_not(None))).scalars())


def tally(conn: Connection, run_id: str) -> Tally:
    """How far a run is, or was when its mailboxes were forgotten."""
    run = conn.execute(_STAGE, {"run": run_id}).one()
    counts = run.tally or {row[0]: row[1] for row in conn.execute(_TALLY, {"run": run_id})}
    return Tally(
        stage=run.stage,
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
    yield from map(row_of, conn.execute(query))


def row_of(row: Any) -> Row:
    """A mailbox of a run, as it was read with these columns."""
    return Row(
        address=row.address,
        before=MailboxState(row.before),
        verdict=Verdict(row.verdict) if row.verdict else None,
        code=row.code,
        protocol=row.protocol,
        seen=row.seen or "",
        baseline_verdict=Verdict(row.baseline_verdict) if row.baseline_verdict else None,
        services=row.services,
    )


def open_rows(phase: Phase) -> sa.ColumnElement[bool]:
    """The rows of a run's mailboxes that have no result in that phase yet."""
    if phase == CANDIDATE:
        return _rows.c.verdict.is_(None)
    return sa.and_(_rows.c.baseline_page.is_not(None), _rows.c.baseline_verdict.is_(None))
