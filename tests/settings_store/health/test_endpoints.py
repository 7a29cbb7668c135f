"""What is kept of health checks: how each endpoint is, the checks, the sums of hours, and for how long."""

from dataclasses import replace

import pytest
import sqlalchemy as sa

from checks.codes import Code, Verdict
from checks.model import Protocol
from settings_store import domains, schema
from settings_store.db import Database
from settings_store.health import endpoints
from tests.settings_store.in_force import (
    NOW,
    add_mailboxes,
    both_ok,
    column,
    exchange_settings,
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


class TestRecord:
    def test_what_is_recorded_is_read_again(self, database: Database, domain: int) -> None:
        with database.begin() as conn:
            rows = both_ok(conn, domain)
            rows[1] = replace(rows[1], key_changed_at=NOW, key_change={"before": {}, "after": {}}, first_bad_at=NOW)
            endpoints.record(conn, rows)

        with database.read() as conn:
            assert endpoints.watched(conn, domain) == rows

    def test_a_second_check_takes_the_place_of_the_first(self, database: Database, domain: int) -> None:
        with database.begin() as conn:
            endpoints.record(conn, both_ok(conn, domain))
            later = row_of(conn, domain, state="fail", verdict=Verdict.FAIL, code=Code.TLS_EXPIRED, at=NOW + 60)
            endpoints.record(conn, [replace(later, moved=False)])

            known = {row.protocol: row for row in endpoints.watched(conn, domain)}

        assert known[Protocol.IMAP] == replace(later, moved=False)
        assert known[Protocol.SMTP].state == "ok"

    def test_every_check_is_kept_and_its_hour_summed(self, database: Database, domain: int) -> None:
        start = NOW // HOUR * HOUR
        checks = [
            (start + 1, Verdict.OK, Code.OK, 10.0),
            (start + 2, Verdict.OK, Code.OK, 30.0),
            (start + 3, Verdict.OK, Code.OK, 20.0),
            (start + 4, Verdict.FAIL, Code.TLS_EXPIRED, 500.0),
            (start + 5, Verdict.INCONCLUSIVE, Code.CONNECT_TIMEOUT, 900.0),
            (start + HOUR, Verdict.OK, Code.OK, 5.0),
        ]
        with database.begin() as conn:
            for at, verdict, code, ms in checks:
                endpoints.record(conn, [row_of(conn, domain, verdict=verdict, code=code, at=at, ms=ms)])
            results = [tuple(row)[2:6] for row in conn.execute(sa.select(schema.health_results))]
            hours = [tuple(row)[2:] for row in conn.execute(sa.select(schema.health_hours))]

        assert sorted(results) == [(at, verdict.value, code.value, ms) for at, verdict, code, ms in checks]
        first = int(start // HOUR)
        assert sorted(hours) == [(first, 3, 1, 1, 60.0, 30.0), (first + 1, 1, 0, 0, 5.0, 5.0)]

    def test_nothing_is_known_of_settings_that_nobody_checked(self, database: Database, domain: int) -> None:
        with database.begin() as conn:
            endpoints.record(conn, both_ok(conn, domain))
            put_in_force(conn, "a.example", mail_settings("other.example.com"))

            assert endpoints.watched(conn, domain) == []

    def test_endpoints_of_other_settings_are_forgotten(self, database: Database, domain: int) -> None:
        with database.begin() as conn:
            endpoints.record(conn, both_ok(conn, domain))
            put_in_force(conn, "a.example", exchange_settings())
            endpoints.record(conn, [row_of(conn, domain, Protocol.HTTPS, at=NOW + 60)])

            assert column(conn, schema.health_endpoints, "protocol") == ["https"]


def test_the_settings_in_force_of_several_domains(database: Database, domain: int) -> None:
    with database.begin() as conn:
        none = domains.ensure_domain(conn, domains.ensure_account(conn), "none.example")

        assert endpoints.in_force(conn, [domain, none]) == {domain: settings_id_of(conn, domain)}


def test_mailboxes_with_a_password_are_counted(database: Database, domain: int) -> None:
    with database.begin() as conn:
        other = put_in_force(conn, "b.example")
        add_mailboxes(conn, domain, 3)
        add_mailboxes(conn, domain, 2, credential_kind="oauth2_token")
        add_mailboxes(conn, domain, 1, credential=None)

        assert endpoints.password_mailboxes(conn, [domain, other]) == {domain: 3}
