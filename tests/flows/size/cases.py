"""What the use cases take in a store, and how the database finds what they ask for."""

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from statistics import median

import sqlalchemy as sa

from checks.codes import Code, Verdict
from settings_store.changes import changes, watches
from settings_store.changes.changes import Saved
from settings_store.changes.watches import Watch
from settings_store.db import Database
from settings_store.runs import endpoints, outcomes, pages, planning, runs
from tests.flows.harness import account_of
from tests.flows.size.store import name_of, settings_number
from worker.changes.watch import begin_watches
from worker.service.preflight import Preflight

_asked = count()
HISTORY = ("changes", "runs", "events", "endpoint_results", "pages", "run_mailboxes")
"""The tables that grow with each verification, for ever or for long."""


@dataclass(frozen=True, slots=True)
class Taken:
    """Milliseconds by use case, the median of some rounds; and the statements whose plan reads a table of history."""

    times: dict[str, float]
    scans: dict[str, str]


def take(preflight: Preflight, rounds: int) -> Taken:
    """Does each use case `rounds` times, each time with another of the first domains."""
    seen: list[tuple[str, object]] = []
    record = _recorder(seen)
    engine = preflight.database._engine  # noqa: SLF001 - the plans of the very statements are what is asked for
    sa.event.listen(engine, "before_cursor_execute", record)
    times: dict[str, list[float]] = {}
    try:
        for number in range(1, rounds + 1):
            for name, step in _steps(preflight, number):
                begun = time.perf_counter()
                step()
                times.setdefault(name, []).append((time.perf_counter() - begun) * 1000)
    finally:
        sa.event.remove(engine, "before_cursor_execute", record)
    return Taken({name: median(found) for name, found in times.items()}, _scans(preflight.database, seen))


def _recorder(seen: list[tuple[str, object]]) -> Callable[..., None]:
    def record(
        _conn: object, _cursor: object, statement: str, parameters: object, _context: object, many: bool
    ) -> None:
        if not many and statement.lstrip().split(None, 1)[0] in {"SELECT", "UPDATE", "DELETE", "INSERT"}:
            seen.append((statement, parameters))

    return record


def _steps(preflight: Preflight, number: int) -> Sequence[tuple[str, Callable[[], object]]]:
    """One round, in order: from the save to the rollback, and what goes on beside it."""
    flow, resources, database = preflight.flow, preflight.flow.resources, preflight.database
    saved: list[Saved] = []

    def verified() -> None:
        """What workers do, without the servers."""
        with database.begin() as conn:
            run = runs.load(conn, saved[-1].run_id)
            assert run
            assert runs.claim(conn, run.id, "me", resources.now(), resources.now() + 30)
            runs.move(conn, run.id, ("queued",), "endpoints", resources.now())
            planning.plan(conn, run, 5, 25)
            outcomes.settle(conn, run.id, Verdict.OK, Code.OK, None, "")
            pages.close(conn, run.id, runs.CANDIDATE)
            runs.release(conn, run.id, "me")
        with database.begin() as conn:
            assert runs.finish(conn, saved[-1].run_id, {"will_disconnect": 0}, "c", resources.now())
            changes.mark_verified(conn, saved[-1].change_id, resources.now())

    def due() -> None:
        with database.begin() as conn:
            assert len(watches.due(conn, resources.now(), 20)) >= 1

    def pins() -> None:
        with database.read() as conn:
            settings_id = runs.load(conn, saved[-1].run_id)
            assert settings_id
            endpoints.verified(conn, settings_id.settings_id)

    return (
        ("list", lambda: account_of(preflight).domains.page("", 100)),
        (
            "save",
            lambda: saved.append(account_of(preflight).changes.save(name_of(number), settings_number(number + 1))),
        ),
        ("verify", verified),
        ("apply", lambda: account_of(preflight).changes.apply(saved[-1].change_id, 0, watch=Watch(3600))),
        ("keys let in", pins),
        ("watches due", due),
        ("watch", lambda: begin_watches(resources)),
        ("sweep", flow.sweep),
        ("history", lambda: account_of(preflight).changes.history(saved[-1].change_id)),
        ("rollback", lambda: account_of(preflight).changes.roll_back(saved[-1].change_id)),
    )


# -- plans


def _scans(database: Database, seen: Sequence[tuple[str, object]]) -> dict[str, str]:
    """Statement -> the line of its plan that reads a whole table of history."""
    distinct = dict(seen)
    found = {}
    with database.begin() as conn:
        for statement, parameters in distinct.items():
            line = next(filter(_is_scan, _plan(conn, statement, parameters)), None)
            if line is not None:
                found[" ".join(statement.split())] = line
        conn.rollback()
    return found


def _plan(conn: sa.Connection, statement: str, parameters: object) -> list[str]:
    explain = "EXPLAIN" if conn.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
    # SQLite's driver keeps statements, and a kept one tells of the indices of then: each has a text of its own.
    asked = f"{explain} /* {next(_asked)} */ {statement}"
    return [str(row[-1]) for row in conn.exec_driver_sql(asked, parameters)]  # type: ignore[arg-type] # as the driver had them


def _is_scan(line: str) -> bool:
    """SQLite says SCAN of a table or of a whole index; PostgreSQL Seq Scan."""
    tables = "|".join(HISTORY)
    return re.search(rf"(\bSCAN|Seq Scan on) ({tables})\b", line) is not None
