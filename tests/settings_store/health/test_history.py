"""The history of an endpoint: a fixed number of buckets, summed up by the database."""

from typing import Any

import pytest

from checks.codes import Verdict
from checks.model import Protocol
from settings_store import schema
from settings_store.db import Database
from settings_store.domains import ensure_account, ensure_domain
from settings_store.health import endpoints, history
from settings_store.health.history import Bucket
from tests.settings_store.in_force import put_in_force, row_of

HOUR = 472_222
"""The hour of NOW, since 1970."""
NOW = HOUR * 3600.0 + 800.0


def plant(database: Database, domain_id: int, *hours: int, protocol: str = "imap", **values: Any) -> None:
    """Rows of these hours, counted back from now."""
    row = {"ok": 12, "fail": 0, "inconclusive": 0, "ms_sum": 240.0, "ms_max": 30.0} | values
    with database.begin() as conn:
        for ago in hours:
            conn.execute(
                schema.health_hours.insert().values(domain_id=domain_id, protocol=protocol, hour=HOUR - ago, **row)
            )


def read(database: Database, domain_id: int, now: float = NOW, days: int = 30) -> dict[Protocol, history.History]:
    with database.read() as conn:
        return history.of_domain(conn, domain_id, now, days)


def test_the_last_day_hour_by_hour(database: Database, domain_id: int) -> None:
    plant(database, domain_id, 0)
    plant(database, domain_id, 23, ok=9, fail=3, ms_sum=90.0, ms_max=70.0)
    plant(database, domain_id, 24)  # is of yesterday

    hours = read(database, domain_id)[Protocol.IMAP].hours

    assert len(hours) == 24
    assert hours[0] == Bucket(HOUR * 3600.0 - 23 * 3600, 9, 3, 0, 90.0, 70.0)
    assert hours[-1] == Bucket(HOUR * 3600.0, 12, 0, 0, 240.0, 30.0)
    assert {bucket.availability for bucket in hours[1:-1]} == {None}
    assert (hours[0].availability, hours[0].ms) == (0.75, 10.0)


def test_days_are_the_24_hours_up_to_now(database: Database, domain_id: int) -> None:
    """Given every hour of 40 days, each bucket has 24 of them, whatever time of the day it is."""
    plant(database, domain_id, *range(40 * 24), fail=1)

    for now in (NOW, NOW + 7 * 3600):
        days = read(database, domain_id, now)[Protocol.IMAP].days
        assert [bucket.ok for bucket in days[:-1]] == [288] * 29
        assert days[-1].ok == 288 - (0 if now == NOW else 7 * 12)
        assert days[-1].start + 24 * 3600 > now
        assert days[1].start - days[0].start == 86400.0


def test_other_numbers_of_days(database: Database, domain_id: int) -> None:
    plant(database, domain_id, *range(10 * 24))

    assert [bucket.ok for bucket in read(database, domain_id, days=3)[Protocol.IMAP].days] == [288] * 3
    assert len(read(database, domain_id, days=90)[Protocol.IMAP].days) == 90


def test_protocols_and_domains_are_apart(database: Database, domain_id: int) -> None:
    with database.begin() as conn:
        other = ensure_domain(conn, ensure_account(conn), "other.example")
    plant(database, domain_id, 1, protocol="imap")
    plant(database, domain_id, 1, protocol="smtp", ok=1)
    plant(database, other, 1, protocol="imap", ok=5)

    found = read(database, domain_id)

    assert {protocol: item.hours[-2].ok for protocol, item in found.items()} == {Protocol.IMAP: 12, Protocol.SMTP: 1}


def test_what_was_never_checked_has_empty_buckets(database: Database, domain_id: int) -> None:
    assert read(database, domain_id) == {}

    nothing = history.empty(NOW, 7)

    assert (len(nothing.hours), len(nothing.days)) == (24, 7)
    assert history.total(nothing.days) == Bucket(nothing.days[0].start)
    assert history.total(nothing.days).ms is None


def test_what_is_inconclusive_says_nothing_of_availability(database: Database, domain_id: int) -> None:
    plant(database, domain_id, 0, ok=0, inconclusive=12)
    plant(database, domain_id, 1, ok=3, fail=1, inconclusive=8, ms_sum=3.0)

    hours = read(database, domain_id)[Protocol.IMAP].hours

    assert [bucket.availability for bucket in hours[-2:]] == [0.75, None]
    assert history.total(hours).availability == 0.75
    assert history.total(hours).inconclusive == 20


def test_a_clock_that_was_put_back_leaves_hours_ahead_out(database: Database, domain_id: int) -> None:
    plant(database, domain_id, -5, 0)

    assert history.total(read(database, domain_id)[Protocol.IMAP].hours).ok == 12


def test_no_more_rows_are_read_than_there_are_buckets(database: Database, domain_id: int) -> None:
    """Given a long history, the database sums it up: what comes back does not grow with it."""
    plant(database, domain_id, *range(60 * 24))
    with database.read() as conn:
        for count, width in ((24, 1), (30, 24)):
            query = history._query(domain_id, HOUR + 1 - count * width, count * width, width)  # noqa: SLF001 -- its size
            assert len(conn.execute(query).all()) == count


@pytest.mark.parametrize("now", [NOW, NOW + 2799.9])
def test_the_hour_under_way_is_the_last(database: Database, domain_id: int, now: float) -> None:
    plant(database, domain_id, 0)

    assert read(database, domain_id, now)[Protocol.IMAP].hours[-1].ok == 12


def test_what_is_recorded_of_checks_is_its_history(database: Database) -> None:
    with database.begin() as conn:
        domain = put_in_force(conn, "a.example")
        endpoints.record(conn, [row_of(conn, domain, at=NOW - 60, ms=10.0)])
        endpoints.record(conn, [row_of(conn, domain, at=NOW, ms=30.0)])
        endpoints.record(conn, [row_of(conn, domain, at=NOW - 3600, verdict=Verdict.FAIL)])

    hours = read(database, domain)[Protocol.IMAP].hours

    assert hours[-1] == Bucket(HOUR * 3600.0, 2, 0, 0, 40.0, 30.0)
    assert (hours[-2].fail, hours[-2].availability) == (1, 0.0)
