"""Who checks a domain, and when: claims that end, an order that keeps servers together, and domains left alone."""

import threading
from collections.abc import Sequence
from dataclasses import replace

import pytest
import sqlalchemy as sa

from settings_store import schema
from settings_store.db import Database
from settings_store.health import endpoints as health
from settings_store.health import schedule
from settings_store.health.schedule import Due, Next, Share
from tests.settings_store.in_force import NOW, both_ok, column, exchange_settings, mail_settings, put_in_force

INTERVAL = 300.0
LEASE = 120.0
SLICE = 900.0


def enrol(database: Database, now: float = NOW) -> int:
    with database.begin() as conn:
        return schedule.enrol(conn, now, INTERVAL, SLICE)


def make_due(database: Database, *names: str, at: float = NOW) -> None:
    """Makes these domains due, or all."""
    table = schema.health_schedule
    ids = sa.select(schema.domains.c.id).where(schema.domains.c.name.in_(names))
    with database.begin() as conn:
        which = table.c.domain_id.in_(ids) if names else sa.true()
        conn.execute(table.update().where(which).values(endpoints_due=at))


def claim(database: Database, now: float = NOW, limit: int = 100) -> list[Due]:
    with database.begin() as conn:
        return schedule.claim_due(conn, now, until=now + LEASE, horizon=now + 2 * INTERVAL + LEASE, limit=limit)


def names(due: Sequence[Due]) -> list[str]:
    return [item.domain for item in due]


@pytest.fixture
def five(database: Database) -> Database:
    """Five domains on two servers and one Exchange, none of them due."""
    with database.begin() as conn:
        for name, host in (("a", "two"), ("b", "one"), ("c", "two"), ("d", "one")):
            put_in_force(conn, f"{name}.example", mail_settings(f"{host}.example.com"))
        put_in_force(conn, "e.example", exchange_settings())
    enrol(database)
    make_due(database, at=NOW + 50)
    return database


def test_each_kind_of_worker_has_its_share(database: Database) -> None:
    """Of two egresses, one has no name: ordinary workers have its addresses."""
    static = replace(mail_settings(), static_addresses=True)
    with database.begin() as conn:
        ids = {put_in_force(conn, f"s{number}.example", static): f"s{number}.example" for number in range(4)}
        put_in_force(conn, "plain.example")
    enrol(database)
    make_due(database)
    shares = {
        "named": Share(others=False, of=2, place=1),
        "ordinary": Share(others=True, of=2, place=0),
        "without": Share(others=True, of=2, place=None),
    }
    found = {}
    for kind, share in shares.items():
        with database.begin() as conn:
            due = schedule.claim_due(conn, NOW, until=NOW, horizon=NOW + LEASE, limit=100, share=share)
        found[kind] = set(names(due))
    halves = [{name for domain_id, name in ids.items() if domain_id % 2 == place} for place in (0, 1)]
    assert found == {"named": halves[1], "ordinary": halves[0] | {"plain.example"}, "without": {"plain.example"}}
    assert all(halves)


class TestEnrol:
    def test_domains_are_spread_over_the_intervals(self, database: Database) -> None:
        with database.begin() as conn:
            for number in range(40):
                put_in_force(conn, f"d{number}.example")

        assert enrol(database) == 40

        with database.read() as conn:
            endpoints = [float(str(due)) - NOW for due in column(conn, schema.health_schedule, "endpoints_due")]
            mailboxes = [float(str(due)) - NOW for due in column(conn, schema.health_schedule, "mailboxes_due")]
        assert 0 <= min(endpoints) < INTERVAL / 4 < INTERVAL * 3 / 4 < max(endpoints) <= INTERVAL
        assert 0 <= min(mailboxes) < SLICE / 4 < SLICE * 3 / 4 < max(mailboxes) <= SLICE

    def test_the_server_is_the_host_of_mail_or_of_exchange(self, five: Database) -> None:
        with five.read() as conn:
            servers = set(column(conn, schema.health_schedule, "server"))

        assert servers == {"one.example.com", "two.example.com", "exchange.example.com"}

    def test_twice_adds_nobody_twice(self, five: Database) -> None:
        assert enrol(five) == 0

    def test_a_domain_without_settings_is_dropped(self, five: Database) -> None:
        with five.begin() as conn:
            first = claim_ids(conn)["a.example"]
            health.record(conn, both_ok(conn, first))
            conn.execute(schema.domains.update().where(schema.domains.c.id == first).values(settings_id=None))

        enrol(five)

        with five.read() as conn:
            assert first not in column(conn, schema.health_schedule, "domain_id")
            assert column(conn, schema.health_endpoints, "domain_id") == []


def claim_ids(conn: sa.Connection) -> dict[str, int]:
    return {row.name: row.id for row in conn.execute(sa.select(schema.domains))}


class TestClaim:
    def test_nobody_is_due_early(self, five: Database) -> None:
        assert claim(five) == []
        assert claim(five, NOW + 49) == []

    def test_those_of_one_server_come_together_those_longest_due_first(self, five: Database) -> None:
        make_due(five, "c.example", at=NOW - 20)
        make_due(five, "b.example", at=NOW - 10)

        assert names(claim(five, NOW + 60)) == ["a.example", "c.example", "b.example", "d.example", "e.example"]

    def test_no_more_than_the_limit(self, five: Database) -> None:
        make_due(five)

        assert len(claim(five, limit=2)) == 2
        assert len(claim(five, limit=2)) == 2
        assert len(claim(five, limit=2)) == 1

    def test_a_claim_that_ends_leaves_the_domain_due_again(self, five: Database) -> None:
        make_due(five)
        assert len(claim(five)) == 5

        assert claim(five, NOW + LEASE - 1) == []
        assert len(claim(five, NOW + LEASE)) == 5

    def test_what_is_due_in_a_far_future_was_put_off_before_the_clock_went_back(self, five: Database) -> None:
        make_due(five, at=NOW + 86_400)

        assert len(claim(five)) == 5

    def test_paused_domains_are_left_alone(self, five: Database) -> None:
        make_due(five)
        with five.begin() as conn:
            table = schema.domains
            conn.execute(table.update().where(table.c.name == "a.example").values(paused_at=NOW))

        assert "a.example" not in names(claim(five))

    @pytest.mark.parametrize(
        ("begin", "end", "left_alone"), [(-10.0, 10.0, True), (-10.0, 0.0, False), (1.0, 10.0, False)]
    )
    def test_so_are_those_in_maintenance(self, five: Database, begin: float, end: float, left_alone: bool) -> None:
        make_due(five)
        with five.begin() as conn:
            window = {"account_id": 1, "domain_id": claim_ids(conn)["a.example"], "note": ""}
            conn.execute(schema.maintenance.insert().values(**window, starts_at=NOW + begin, ends_at=NOW + end))

        found = names(claim(five))

        assert ("a.example" in found) is not left_alone
        assert "b.example" in found

    def test_maintenance_of_an_account_is_that_of_all_its_domains(self, five: Database) -> None:
        make_due(five)
        with five.begin() as conn:
            values = {"account_id": 1, "domain_id": None, "note": "", "starts_at": NOW - 1, "ends_at": NOW + 1}
            conn.execute(schema.maintenance.insert().values(values))

        assert claim(five) == []
        assert len(claim(five, NOW + 1)) == 5

    def test_two_at_once_never_have_the_same_domain(self, database: Database) -> None:
        with database.begin() as conn:
            for number in range(60):
                put_in_force(conn, f"d{number}.example", mail_settings(f"host{number % 7}.example.com"))
        enrol(database)
        make_due(database)
        found: list[str] = []

        def work() -> None:
            while due := claim(database, limit=5):
                found.extend(names(due))

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)

        assert len(found) == len(set(found)) == 60


def test_what_is_due_is_counted_up_to_a_limit(five: Database) -> None:
    make_due(five)
    with five.read() as conn:
        counts = [schedule.due_count(conn, NOW, NOW + INTERVAL, limit) for limit in (3, 100)]

    assert counts == [3, 5]


def test_the_next_time_and_the_server_are_written(five: Database) -> None:
    make_due(five)
    claimed = claim(five)

    with five.begin() as conn:
        schedule.schedule_next(conn, [Next(item.domain_id, "new.example.com", NOW + 7) for item in claimed[:2]])

    assert len(claim(five, NOW + 6)) == 0
    assert [item.server for item in claim(five, NOW + 7)] == ["new.example.com"] * 2


class TestHurry:
    def hurry(self, database: Database, *servers: str, siblings: int = 200, others: int = 0) -> int:
        with database.begin() as conn:
            return schedule.hurry(conn, servers, NOW, not_since=NOW - 60, siblings=siblings, others=others)

    def test_those_on_the_server_are_due_now(self, five: Database) -> None:
        assert self.hurry(five, "one.example.com") == 2

        assert names(claim(five)) == ["b.example", "d.example"]

    def test_and_some_on_other_servers(self, five: Database) -> None:
        assert self.hurry(five, "one.example.com", others=2) == 4

        found = names(claim(five))
        assert len(found) == 4
        assert {"b.example", "d.example"} < set(found)

    def test_no_more_than_the_limit(self, five: Database) -> None:
        assert self.hurry(five, "one.example.com", "two.example.com", siblings=3) == 3

    @pytest.mark.parametrize(("checked", "hurried"), [(-61.0, True), (-59.0, False), (500.0, True)])
    def test_one_that_was_just_checked_waits_for_its_time(self, five: Database, checked: float, hurried: bool) -> None:
        with five.begin() as conn:
            domain_id = claim_ids(conn)["b.example"]
            health.record(conn, both_ok(conn, domain_id, at=NOW + checked))

        self.hurry(five, "one.example.com")

        assert ("b.example" in names(claim(five))) is hurried

    def test_one_that_is_overdue_keeps_its_place(self, five: Database) -> None:
        make_due(five, at=NOW - 100)

        assert self.hurry(five, "one.example.com", others=5) == 0
