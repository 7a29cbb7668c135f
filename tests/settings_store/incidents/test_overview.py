"""How domains fare, for people: what is open and what is disconnected, and nothing of other accounts."""

from typing import Any

import pytest
import sqlalchemy as sa

from checks.codes import Code, Verdict
from checks.model import MailboxState, Protocol
from settings_store import domains, maintenance, schema
from settings_store.db import Database
from settings_store.health import endpoints
from settings_store.incidents import overview
from settings_store.incidents.overview import Disconnected
from tests.settings_store.in_force import (
    NOW,
    add_mailboxes,
    both_ok,
    exchange_settings,
    mail_settings,
    put_in_force,
    row_of,
)

DAY = 86400.0


@pytest.fixture
def two(database: Database) -> tuple[int, int]:
    """a.example, which works, and b.example, whose IMAP fails."""
    with database.begin() as conn:
        first, second = put_in_force(conn, "a.example"), put_in_force(conn, "b.example")
        endpoints.record(conn, both_ok(conn, first))
        bad = row_of(conn, second, state="fail", verdict=Verdict.FAIL, code=Code.TLS_EXPIRED, at=NOW - 9)
        endpoints.record(conn, [bad, row_of(conn, second, Protocol.SMTP, at=NOW)])
    return first, second


def incident(database: Database, *domain_ids: int, **values: Any) -> str:
    """An open incident of these domains."""
    with database.begin() as conn:
        count = conn.execute(sa.select(sa.func.count()).select_from(schema.incidents)).scalar_one()
        row = {
            "id": f"i{count}",
            "account_id": 1,
            "scope": "endpoint",
            "subject": "s",
            "domain_id": domain_ids[0] if len(domain_ids) == 1 else None,
            "severity": "critical",
            "code": "tls.expired",
            "facts": {"host": "h"},
            "seen": "said",
            "since": NOW,
            "opened_at": NOW + count,
        }
        conn.execute(schema.incidents.insert().values(**row | values))
        for domain_id in domain_ids:
            conn.execute(schema.incident_domains.insert().values(incident_id=f"i{count}", domain_id=domain_id))
    return f"i{count}"


class TestStandings:
    def test_each_domain_with_what_is_known(self, database: Database, two: tuple[int, int]) -> None:
        first, second = two
        with database.begin() as conn:
            add_mailboxes(conn, first, 2, state="connected")
            add_mailboxes(conn, first, 1, state="disconnected")
            put_in_force(conn, "c.example", exchange_settings())
            domains.ensure_domain(conn, 1, "d.example")
            maintenance.pause(conn, 1, "a.example", NOW)
            maintenance.add(conn, 1, "c.example", NOW, NOW + 5, "", NOW)
        incident(database, first)
        incident(database, first, second, scope="server")
        incident(database, first, scope="notice")
        incident(database, first, closed_at=NOW)

        with database.read() as conn:
            a, b, c, d = overview.standings(conn, 1, NOW)

        assert (a.domain, a.expected, a.states, a.checked_at) == ("a.example", 2, {"ok": 2}, NOW)
        assert a.mailboxes == {MailboxState.CONNECTED: 2, MailboxState.DISCONNECTED: 1, MailboxState.UNKNOWN: 0}
        assert (a.incidents, a.notices, a.paused, a.at_rest) == (2, 1, True, True)
        assert (b.states, b.checked_at, b.incidents) == ({"fail": 1, "ok": 1}, NOW - 9, 1)
        assert (b.paused, b.at_rest) == (False, False)
        assert (c.expected, c.states, c.checked_at, c.paused, c.at_rest) == (1, {}, None, False, True)
        assert d.expected == 0

    @pytest.mark.usefixtures("two")
    def test_what_was_known_under_other_settings_is_left_out(self, database: Database) -> None:
        with database.begin() as conn:
            put_in_force(conn, "b.example", mail_settings("new.example.com"))

        with database.read() as conn:
            assert overview.standings(conn, 1, NOW)[1].states == {}

    @pytest.mark.usefixtures("two")
    def test_another_account_sees_nothing(self, database: Database) -> None:
        with database.begin() as conn:
            stranger = domains.ensure_account(conn, "stranger")
            assert overview.standings(conn, stranger, NOW) == []


class TestIncidents:
    def test_open_ones_first_then_the_gravest_then_notices(self, database: Database, two: tuple[int, int]) -> None:
        first, second = two
        mild = incident(database, first, severity="warning")
        ahead = incident(database, first, scope="notice", severity="critical")
        ended = incident(database, first, closed_at=NOW - DAY)
        incident(database, first, closed_at=NOW - 9 * DAY)
        grave = incident(database, first, second, scope="server")
        incident(database, second)

        with database.read() as conn:
            found, count = overview.incidents_of(conn, first, NOW - 7 * DAY, 10)
            some, all_the_same = overview.incidents_of(conn, first, NOW - 7 * DAY, 2)

        assert [item.id for item in found] == [grave, mild, ahead, ended]
        assert found[0].domains == ("a.example", "b.example")
        assert found[0].facts == {"host": "h"}
        assert ([item.id for item in some], count, all_the_same) == ([grave, mild], 4, 4)

    def test_each_domain_counts_its_own_and_those_that_it_shares(
        self, database: Database, two: tuple[int, int]
    ) -> None:
        first, second = two
        incident(database, first)
        incident(database, first, second, scope="server")
        incident(database, second, scope="notice")
        incident(database, second, closed_at=NOW)

        with database.read() as conn:
            assert overview.failing(conn, 1) == {first: ("a.example", 2), second: ("b.example", 1)}
            assert overview.count_with_incident(conn, 1) == 2

    def test_one_of_a_mailbox_has_its_address(self, database: Database, two: tuple[int, int]) -> None:
        with database.begin() as conn:
            (mailbox_id,) = add_mailboxes(conn, two[0], 1)
        incident(database, two[0], scope="mailbox", mailbox_id=mailbox_id)

        with database.read() as conn:
            assert overview.incidents_of(conn, two[0], NOW, 10)[0][0].address == "box0@x"

    def test_the_operators_are_told_to_the_operator_only(self, database: Database, two: tuple[int, int]) -> None:
        with database.read() as conn:
            assert not overview.service_in_trouble(conn)
        incident(database, *two, scope="service", account_id=None)

        with database.read() as conn:
            assert overview.incidents_of(conn, two[0], NOW, 10) == ([], 0)
            assert overview.standings(conn, 1, NOW)[0].incidents == 0
            assert overview.service_in_trouble(conn)


def test_the_newest_disconnected_come_first(database: Database, two: tuple[int, int]) -> None:
    with database.begin() as conn:
        add_mailboxes(conn, two[0], 3, state="disconnected", state_code="auth.rejected", state_since=NOW)
        add_mailboxes(conn, two[0], 1, state="disconnected", state_since=NOW + 1)
        add_mailboxes(conn, two[0], 1, state="connected", state_since=NOW + 2)

    with database.read() as conn:
        found = overview.disconnected(conn, two[0], 2)
        counts = overview.mailbox_counts(conn, two[0])

    assert found == [Disconnected("box3@x", None, NOW + 1), Disconnected("box0@x", Code.AUTH_REJECTED, NOW)]
    assert counts == {MailboxState.CONNECTED: 1, MailboxState.DISCONNECTED: 4, MailboxState.UNKNOWN: 0}


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("mail.example.com", ["a.example", "b.example"]),
        ("smtp.example.com", ["c.example"]),
        ("exchange.example.com", ["d.example"]),
        ("exchange.example", []),
        ("exchange_example.com", []),
        ("old.example.com", []),
    ],
)
@pytest.mark.usefixtures("two")
def test_which_domains_are_on_a_host(database: Database, host: str, expected: list[str]) -> None:
    with database.begin() as conn:
        put_in_force(conn, "c.example", mail_settings("old.example.com"))
        put_in_force(conn, "c.example", mail_settings("imap.example.com", smtp="smtp.example.com"))
        put_in_force(conn, "d.example", exchange_settings())

    with database.read() as conn:
        assert overview.domains_on(conn, 1, host) == expected
