"""All domains, the worst first, a page at a time: the same as if each had been looked at."""

import pytest
import sqlalchemy as sa

from checks.codes import Code
from settings_store import domains, maintenance, schema
from settings_store.db import Database
from settings_store.health import endpoints
from settings_store.incidents import incidents, overview
from settings_store.incidents.incidents import Opening, Scope, Severity
from tests.settings_store.in_force import NOW, both_ok, mail_settings, put_in_force, row_of
from worker.health import listing
from worker.health.listing import Place
from worker.health.view import STATES, line_of

STALE = 600.0


@pytest.fixture
def account(database: Database) -> int:
    """Domains in each state, and some that are well."""
    with database.begin() as conn:
        account_id = domains.ensure_account(conn)
        every = {name: put_in_force(conn, f"{name}.example", mail_settings()) for name in _NAMES}
        for name, domain_id in every.items():
            if name != "unchecked":
                endpoints.record(conn, both_ok(conn, domain_id, NOW - (3600 if name == "stale" else 10)))
        endpoints.record(conn, [row_of(conn, every["silent"], state="silent", at=NOW)])
        endpoints.record(conn, [row_of(conn, every["fails"], state="fail", at=NOW)])
        conn.execute(schema.health_endpoints.update().values(moved=False))
        _schedule(conn)
        for name in ("one", "two", "two"):
            _open(conn, account_id, every[name])
        maintenance.pause(conn, account_id, "paused.example", NOW)
        maintenance.add(conn, account_id, "resting.example", NOW - 1, NOW + 60, "", NOW - 2)
        domains.ensure_domain(conn, account_id, "unset.example")
        put_in_force_elsewhere(conn)
    return account_id


_NAMES = ("a", "one", "two", "fails", "silent", "stale", "unchecked", "paused", "resting", "m", "z")


def _schedule(conn: sa.Connection) -> None:
    rows = conn.execute(
        sa.select(schema.health_endpoints.c.domain_id, sa.func.min(schema.health_endpoints.c.checked_at)).group_by(
            schema.health_endpoints.c.domain_id
        )
    )
    conn.execute(
        schema.health_schedule.insert(),
        [{"domain_id": row[0], "server": "s", "endpoints_due": row[1] + 300, "mailboxes_due": NOW} for row in rows],
    )


def _open(conn: sa.Connection, account_id: int, domain_id: int) -> None:
    count = conn.execute(sa.select(sa.func.count()).select_from(schema.incidents)).scalar_one()
    new = Opening(
        Scope.ENDPOINT,
        f"s{count}",
        account_id,
        Severity.CRITICAL,
        Code.TLS_EXPIRED,
        NOW,
        domain_ids=frozenset({domain_id}),
    )
    incidents.open_one(conn, new, NOW, None)


def put_in_force_elsewhere(conn: sa.Connection) -> None:
    """Another account's are none of ours."""
    other = domains.ensure_domain(conn, domains.ensure_account(conn, "other"), "other.example")
    assert other


def _pages(database: Database, account_id: int, limit: int) -> list[list[tuple[str, str]]]:
    found: list[list[tuple[str, str]]] = []
    after: Place | None = None
    while True:
        with database.read() as conn:
            page = listing.worst_first(conn, account_id, NOW, STALE, after, limit)
        found.append([(line.standing.domain.removesuffix(".example"), line.state) for line in page.lines])
        if not page.more:
            return found
        after = page.places[-1]


ORDERED = [
    ("two", "failing"),
    ("one", "failing"),
    ("fails", "failing"),
    ("silent", "unknown"),
    ("stale", "unknown"),
    ("unchecked", "unknown"),
    ("resting", "maintenance"),
    ("paused", "paused"),
    ("unset", "not_configured"),
    ("a", "healthy"),
    ("m", "healthy"),
    ("z", "healthy"),
]


def test_the_worst_come_first_whatever_the_size_of_a_page(database: Database, account: int) -> None:
    for limit in (1, 2, 5, 12, 100):
        pages = _pages(database, account, limit)
        assert [line for page in pages for line in page] == ORDERED
        assert {len(page) for page in pages[:-1]} <= {limit}


def test_it_is_what_each_domain_by_itself_comes_to(database: Database, account: int) -> None:
    with database.read() as conn:
        each = [line_of(item, NOW - STALE, trouble=False) for item in overview.standings(conn, account, NOW)]
        page = listing.worst_first(conn, account, NOW, STALE, None, 100)
    assert sorted(each, key=listing.place_of) == list(page.lines)
    assert page.states == {"failing": 3, "unknown": 3, "maintenance": 1, "paused": 1, "not_configured": 1, "healthy": 3}
    assert list(page.states) == [state for state in STATES if state in page.states]


def test_in_maintenance_of_all_the_usual_is_that(database: Database, account: int) -> None:
    with database.begin() as conn:
        maintenance.add(conn, account, None, NOW - 1, NOW + 60, "", NOW - 2)
    with database.read() as conn:
        page = listing.worst_first(conn, account, NOW, STALE, None, 100)
        each = [line_of(item, NOW - STALE, trouble=False) for item in overview.standings(conn, account, NOW)]
    assert sorted(each, key=listing.place_of) == list(page.lines)
    assert page.states["maintenance"] == 8
