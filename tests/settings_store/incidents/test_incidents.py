"""Incidents in the database, and the evidence that they are judged by, on SQLite and PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from checks.codes import Code, Verdict
from checks.model import MailboxState, Protocol
from settings_store import maintenance, schema
from settings_store.db import Database
from settings_store.health import endpoints
from settings_store.incidents import effects, evidence, incidents
from settings_store.incidents.incidents import Open, Opening, Scope, Severity
from settings_store.runs import runs
from tests.settings_store.in_force import NOW, add_mailboxes, both_ok, put_in_force, row_of

FAILS = 3


def opening(subject: str = "endpoint:1", **values: Any) -> Opening:
    made = Opening(Scope.ENDPOINT, subject, 1, Severity.CRITICAL, Code.CONNECT_REFUSED, NOW - 100, {"host": "a"})
    return replace(made, **values)


def open_it(conn: sa.Connection, **values: Any) -> Open:
    incident_id = incidents.open_one(conn, opening(**values), NOW, NOW + 50)
    return next(item for item in incidents.open_ones(conn) if item.id == incident_id)


@pytest.fixture
def two(database: Database) -> tuple[int, int]:
    """Two domains of an account."""
    with database.begin() as conn:
        return put_in_force(conn, "a.example"), put_in_force(conn, "b.example")


def test_an_incident_opens_once(database: Database, two: tuple[int, int]) -> None:
    with database.begin() as conn:
        made = open_it(conn, domain_ids=frozenset(two[:1]), seen="refused", mailboxes=4)
        assert incidents.open_one(conn, opening(), NOW + 1, None) is None
        assert incidents.open_ones(conn) == [made]
        assert (made.since, made.opened_at, made.remind_at, made.domain_ids) == (
            NOW - 100,
            NOW,
            NOW + 50,
            frozenset(two[:1]),
        )
        assert incidents.close(conn, made.id, NOW + 2)
        assert not incidents.close(conn, made.id, NOW + 3)
        assert incidents.open_ones(conn) == []
        assert incidents.open_one(conn, opening(), NOW + 4, None) is not None


def test_two_that_judge_at_once_open_one(database: Database, two: tuple[int, int]) -> None:
    def judge_once(_: int) -> str | None:
        with database.begin() as conn:
            return incidents.open_one(conn, opening(domain_ids=frozenset(two)), NOW, None)

    with ThreadPoolExecutor(6) as pool:
        opened = [item for item in pool.map(judge_once, range(12)) if item]
    assert len(opened) == 1


@pytest.mark.usefixtures("two")
def test_each_step_is_done_once(database: Database) -> None:
    with database.begin() as conn:
        made = open_it(conn)
        assert not incidents.reopen(conn, made.id, NOW + 1)
        assert [incidents.recover(conn, made.id, NOW + 1) for _ in range(2)] == [True, False]
        assert [incidents.reopen(conn, made.id, NOW + 1) for _ in range(2)] == [True, False]
        assert [incidents.remind(conn, made.id, 1, NOW + 9, NOW + 1) for _ in range(2)] == [True, False]
        (now,) = incidents.open_ones(conn)
        assert (now.recovered_at, now.reopened, now.reminders, now.remind_at) == (None, 1, 1, NOW + 9)


def test_an_incident_takes_in_domains(database: Database, two: tuple[int, int]) -> None:
    with database.begin() as conn:
        made = open_it(conn, domain_ids=frozenset(two[:1]))
        own = sa.select(schema.incidents.c.domain_id)
        assert conn.execute(own).scalar_one() == two[0]
        incidents.extend(conn, made.id, two[:1])
        assert conn.execute(own).scalar_one() == two[0]
        incidents.extend(conn, made.id, two, severity="warning", facts={"host": "b"})
        (now,) = incidents.open_ones(conn)
        assert (now.domain_ids, now.severity, now.facts) == (frozenset(two), Severity.WARNING, {"host": "b"})
        assert conn.execute(own).scalar_one() is None


@pytest.mark.usefixtures("two")
def test_what_flapped_lately_is_remembered(database: Database) -> None:
    with database.begin() as conn:
        made = open_it(conn)
        incidents.recover(conn, made.id, NOW)
        incidents.reopen(conn, made.id, NOW + 1)
        assert incidents.reopened_lately(conn, "endpoint:1", NOW) == 0
        incidents.close(conn, made.id, NOW + 10)
        assert incidents.reopened_lately(conn, "endpoint:1", NOW) == 2
        assert incidents.reopened_lately(conn, "endpoint:1", NOW + 11) == 0
        assert incidents.reopened_lately(conn, "endpoint:2", NOW) == 0
        assert incidents.told_already(conn, "endpoint:1")
        assert not incidents.told_already(conn, "endpoint:2")


def test_when_all_was_bad(database: Database) -> None:
    with database.begin() as conn:
        assert evidence.all_bad_until(conn, NOW) == 0
        made = open_it(conn, scope=Scope.SERVICE, subject="service", account_id=None)
        incidents.recover(conn, made.id, NOW + 5)
        assert evidence.all_bad_until(conn, NOW) == 0
        incidents.close(conn, made.id, NOW + 60)
        assert evidence.all_bad_until(conn, NOW) == NOW + 5
        assert evidence.all_bad_until(conn, NOW + 61) == 0


# -- evidence


def test_only_what_is_out_of_order_is_read(database: Database, two: tuple[int, int]) -> None:
    with database.begin() as conn:
        endpoints.record(conn, both_ok(conn, two[0]) + both_ok(conn, two[1]))
        found = evidence.known(conn, FAILS, NOW)
        assert [(item.domain_id, item.protocol.value) for item in found] == [
            (domain_id, protocol) for domain_id in two for protocol in ("imap", "smtp")
        ]
        evidence.settle_moved(conn, found)
        assert evidence.known(conn, FAILS, NOW) == []
        bad = row_of(conn, two[1], state="fail", verdict=Verdict.FAIL, code=Code.CONNECT_REFUSED, moved=False)
        quiet = replace(row_of(conn, two[0], Protocol.SMTP, moved=False), silent=FAILS)
        endpoints.record(conn, [bad, quiet])
        assert {item.domain_id for item in evidence.known(conn, FAILS, NOW)} == set(two)
        assert [item.bad for item in evidence.known(conn, FAILS, NOW)] == [False, True]


def test_what_was_recorded_while_judging_is_judged_again(database: Database, two: tuple[int, int]) -> None:
    with database.begin() as conn:
        endpoints.record(conn, both_ok(conn, two[0]))
        found = evidence.known(conn, FAILS, NOW)
        endpoints.record(conn, [row_of(conn, two[0], at=NOW + 1)])
        evidence.settle_moved(conn, found)
        assert [item.protocol for item in evidence.known(conn, FAILS, NOW)] == [Protocol.IMAP]


def test_domains_of_open_incidents_are_read_too(database: Database, two: tuple[int, int]) -> None:
    with database.begin() as conn:
        endpoints.record(conn, [replace(item, moved=False) for item in both_ok(conn, two[0])])
        assert evidence.known(conn, FAILS, NOW) == []
        made = open_it(conn, domain_ids=frozenset(two[:1]))
        assert len(evidence.known(conn, FAILS, NOW)) == 2
        incidents.close(conn, made.id, NOW)
        assert evidence.known(conn, FAILS, NOW) == []


def test_rest_and_older_settings_are_told(database: Database, two: tuple[int, int]) -> None:
    with database.begin() as conn:
        endpoints.record(conn, [row_of(conn, domain_id) for domain_id in two])
        maintenance.add(conn, 1, "a.example", NOW - 5, NOW + 5, "", NOW)
        put_in_force(conn, "b.example")
        found = {item.domain_id: item for item in evidence.known(conn, FAILS, NOW)}
        assert (found[two[0]].resting, found[two[0]].in_force) == (True, True)
        assert (found[two[1]].resting, found[two[1]].in_force) == (False, False)
        assert evidence.probes(conn, NOW - 900, NOW) == []
        assert evidence.unwatched(conn, two) == set()
        maintenance.pause(conn, 1, "b.example", NOW)
        assert evidence.unwatched(conn, two) == {two[1]}


def test_probes_tell_how_often_in_a_row(database: Database, two: tuple[int, int]) -> None:
    with database.begin() as conn:
        works = row_of(conn, two[0])
        fails = row_of(conn, two[1], state="fail", verdict=Verdict.FAIL, code=Code.CONNECT_REFUSED)
        endpoints.record(conn, [works, replace(fails, server="b.example:993", fails=4, first_bad_at=NOW - 9)])
        found = {item.host: item for item in evidence.probes(conn, NOW, NOW)}
        assert (found["mail.example.com"].bad, found["b.example"].bad) == (0, 4)
        assert (found["b.example"].judged_bad, found["b.example"].first_bad_at) == (True, NOW - 9)
        assert evidence.probes(conn, NOW + 1, NOW) == []


def test_each_connection_address_has_its_own_probes(database: Database, two: tuple[int, int]) -> None:
    def check(at: float, source: str, verdict: Verdict) -> None:
        code = Code.OK if verdict is Verdict.OK else Code.CONNECT_REFUSED
        row = row_of(conn, two[0], verdict=verdict, code=code, at=at)
        endpoints.record(conn, [replace(row, source=source)])

    with database.begin() as conn:
        check(NOW, "192.0.2.1", Verdict.OK)
        assert evidence.probes_by_source(conn, NOW) == []
        check(NOW + 1, "192.0.2.2", Verdict.FAIL)
        check(NOW + 2, "192.0.2.1", Verdict.OK)
        check(NOW + 3, "192.0.2.2", Verdict.FAIL)
        found = {item.source: item for item in evidence.probes_by_source(conn, NOW)}
        assert {source: item.bad for source, item in found.items()} == {"192.0.2.1": 0, "192.0.2.2": 2}
        assert (found["192.0.2.2"].first_bad_at, found["192.0.2.2"].checked_at) == (NOW + 1, NOW + 3)


# -- mailboxes


def sick_box(conn: sa.Connection, domain_id: int, count: int = 1, **values: object) -> list[int]:
    state = {"state": "disconnected", "state_code": "auth.rejected", "state_since": NOW, "health_fails": 1}
    return add_mailboxes(conn, domain_id, count, **{**state, **values})


def test_sick_mailboxes_are_those_that_health_found(database: Database, two: tuple[int, int]) -> None:
    with database.begin() as conn:
        (box,) = sick_box(conn, two[0])
        sick_box(conn, two[0], health_fails=0)
        sick_box(conn, two[0], state="connected")
        (found,) = evidence.sick_mailboxes(conn, NOW)
        assert (found.mailbox_id, found.domain_id, found.code, found.since) == (box, two[0], Code.AUTH_REJECTED, NOW)
        boxes = evidence.boxes_of(conn, {two[0]})[two[0]]
        assert (boxes.connected, boxes.disconnected, boxes.tried, boxes.broken_off) == (1, 2, 3, False)


def test_a_domain_whose_server_fails_has_no_sick_mailboxes(database: Database, two: tuple[int, int]) -> None:
    with database.begin() as conn:
        sick_box(conn, two[0])
        assert evidence.unclear_domains(conn, two, NOW) == set()
        endpoints.record(conn, [row_of(conn, two[0], state="fail", verdict=Verdict.FAIL, code=Code.CONNECT_REFUSED)])
        assert evidence.sick_mailboxes(conn, NOW) == []
        assert evidence.unclear_domains(conn, two, NOW) == {two[0]}


def test_a_run_that_was_broken_off_is_told(database: Database, two: tuple[int, int]) -> None:
    with database.begin() as conn:
        runs.create(conn, "health", runs.Subject(two[0], 1), NOW)
        stopped = {"stage": "finished", "stop_code": "run.not_tried"}
        conn.execute(schema.runs.update().values(**stopped))
        assert evidence.boxes_of(conn, {two[0]})[two[0]].broken_off


def test_those_with_another_credential_count_until_they_were_tried(database: Database, two: tuple[int, int]) -> None:
    with database.begin() as conn:
        sick_box(conn, two[0], 2)
        add_mailboxes(conn, two[0], 1, state="unknown", changed_at=NOW + 5)
        add_mailboxes(conn, two[0], 1, state="unknown", changed_at=NOW - 5)
        assert evidence.count_like(conn, two[0], Code.AUTH_REJECTED, NOW) == 3
        assert evidence.count_like(conn, two[0], Code.AUTH_LOCKED, NOW) == 1
        assert evidence.mailbox_counts(conn, set(two)) == 4


def test_mailboxes_follow_a_server_and_are_unknown_afterwards(database: Database, two: tuple[int, int]) -> None:
    with database.begin() as conn:
        ids = add_mailboxes(conn, two[0], 2, state="connected", health_fails=1)
        own = sick_box(conn, two[0])
        far = add_mailboxes(conn, two[1], 1, state="connected")
        assert effects.disconnect(conn, {two[0]}, Code.CONNECT_REFUSED, NOW + 0.123456789, "i", NOW) == 2
        down, up, unknown = MailboxState.DISCONNECTED, MailboxState.CONNECTED, MailboxState.UNKNOWN
        everybody = ids + own + far
        assert evidence.states_of(conn, everybody) == dict(zip(everybody, [down, down, down, up], strict=True))
        assert effects.release(conn, {two[0]}, NOW + 0.123456789, "i", NOW + 1) == 2
        assert evidence.states_of(conn, everybody) == dict(zip(everybody, [unknown, unknown, down, up], strict=True))
        assert effects.release(conn, {two[0]}, NOW + 0.123456789, "i", NOW + 1) == 0


def test_the_cause_is_that_of_the_failure_and_not_of_what_came_since(database: Database, two: tuple[int, int]) -> None:
    with database.begin() as conn:
        late = row_of(conn, two[0], state="fail", verdict=Verdict.INCONCLUSIVE, code=Code.SERVER_THROTTLED)
        endpoints.record(conn, [replace(late, fails=3, document={"code": "connect.refused"})])
        endpoints.record(conn, [replace(row_of(conn, two[1], state="fail", code=Code.DEADLINE), fails=3)])
        found = [item.code for item in evidence.known(conn, FAILS, NOW)]
        assert found == [Code.CONNECT_REFUSED, Code.DEADLINE]
