"""For how long what health checks found is kept, and that little of it goes at a time."""

import pytest
import sqlalchemy as sa

from settings_store import schema
from settings_store.changes import changes
from settings_store.db import Database
from settings_store.health import endpoints, retention
from settings_store.runs import outcomes, runs
from tests.settings_store.in_force import (
    NOW,
    add_mailboxes,
    both_ok,
    column,
    mail_settings,
    put_in_force,
    row_of,
    settings_id_of,
)

HOUR = 3600.0


@pytest.fixture
def domain(database: Database) -> int:
    with database.begin() as conn:
        return put_in_force(conn, "a.example")


def test_old_checks_and_hours_go_and_newer_ones_stay(database: Database, domain: int) -> None:
    with database.begin() as conn:
        for hours in range(6):
            endpoints.record(conn, both_ok(conn, domain, NOW + hours * HOUR))

        assert retention.forget_checks(conn, NOW + 3 * HOUR, 100) == 3 * 2
        assert retention.forget_hours(conn, NOW + 2 * HOUR, 100) == 2 * 2

        assert set(column(conn, schema.health_results, "at")) == {NOW + hours * HOUR for hours in (3, 4, 5)}
        kept = {int((NOW + hours * HOUR) // HOUR) for hours in (2, 3, 4, 5)}
        assert set(column(conn, schema.health_hours, "hour")) == kept


def test_a_great_many_go_bit_by_bit(database: Database, domain: int) -> None:
    with database.begin() as conn:
        for minutes in range(25):
            endpoints.record(conn, [row_of(conn, domain, at=NOW + minutes * 60)])

        counts = [retention.forget_checks(conn, NOW + HOUR, 10) for _ in range(4)]

    assert counts == [10, 10, 5, 0]


def test_runs_of_slices_go_and_those_of_changes_stay(database: Database, domain: int) -> None:
    with database.begin() as conn:
        old, going_on, new = (_create(conn, "health", domain, at) for at in (NOW, NOW, NOW + HOUR))
        preflight = _create(conn, "preflight", domain, NOW)
        for run_id, at in ((old, NOW), (new, NOW + HOUR), (preflight, NOW)):
            runs.finish(conn, run_id, {}, "", at)

        retention.forget_runs(conn, NOW + 1, 100)

        assert set(column(conn, schema.runs, "id")) == {going_on, new, preflight}


def test_of_the_watch_of_a_change_its_sums_are_kept(database: Database, domain: int) -> None:
    """Given a round over four mailboxes, when two go at a time, then it is told as before all the while."""
    with database.begin() as conn:
        boxes = add_mailboxes(conn, domain, 4)
        saved = changes.save(conn, domain, mail_settings(), NOW)
        watched = runs.create(conn, "health", runs.Subject(domain, settings_id_of(conn, domain), saved.change_id), NOW)
        _found(conn, watched, dict(zip(boxes, ("ok", "ok", "fail", "inconclusive"), strict=True)))
        _found(conn, saved.run_id, dict.fromkeys(boxes, "ok"))
        for run_id in (watched, saved.run_id):
            runs.finish(conn, run_id, {}, "", NOW)
        before = outcomes.tally(conn, watched)

        for left in (2, 0, 0):
            retention.forget_runs(conn, NOW + 1, 2)
            assert column(conn, schema.run_mailboxes, "run_id").count(watched) == left
            assert outcomes.tally(conn, watched) == before

        assert (before.ok, before.fail, before.inconclusive, before.total) == (2, 1, 1, 4)
        assert column(conn, schema.run_mailboxes, "run_id") == [saved.run_id] * 4
        assert retention.forget_runs(conn, NOW + 1, 2) == 0


def _create(conn: sa.Connection, kind: runs.Kind, domain: int, at: float) -> str:
    return runs.create(conn, kind, runs.Subject(domain, settings_id_of(conn, domain)), at)


def _found(conn: sa.Connection, run_id: str, verdicts: dict[int, str]) -> None:
    rows = ({"run_id": run_id, "mailbox_id": box, "verdict": verdict} for box, verdict in verdicts.items())
    conn.execute(schema.run_mailboxes.insert(), [{**row, "page": 1, "before": "connected"} for row in rows])
