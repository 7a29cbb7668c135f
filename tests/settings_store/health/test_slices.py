"""A domain's mailboxes come up in turn, a few at a time, and their states follow what was found."""

from collections.abc import Iterable
from dataclasses import replace

import pytest
import sqlalchemy as sa

from checks.codes import Code, Verdict
from checks.model import LoginResult, MailboxState, Protocol
from settings_store import schema
from settings_store.db import Database
from settings_store.health import endpoints as health
from settings_store.health import schedule, slices
from settings_store.health.slices import Pace
from settings_store.mailboxes.mailboxes import import_mailboxes
from settings_store.mailboxes.rows import MailboxRow
from settings_store.runs import endpoints, outcomes, planning, runs
from settings_store.runs.outcomes import Done
from settings_store.runs.runs import CANDIDATE, Run
from settings_store.secrets import Vault, new_key
from tests.settings_store.in_force import (
    NOW,
    add_mailboxes,
    both_ok,
    mail_settings,
    put_in_force,
    row_of,
    settings_id_of,
)

HOUR = 3600.0
PACE = Pace(round_seconds=6 * HOUR, slice_seconds=HOUR / 4, at_once=4, fails=3)


@pytest.fixture
def domain(database: Database) -> int:
    """A domain with twenty mailboxes whose endpoints work."""
    with database.begin() as conn:
        domain_id = put_in_force(conn, "a.example")
        add_mailboxes(conn, domain_id, 20)
        health.record(conn, both_ok(conn, domain_id))
        schedule.enrol(conn, NOW, 300, 900)
        make_due(conn, domain_id)
    return domain_id


def make_due(conn: sa.Connection, domain_id: int, at: float = NOW) -> None:
    table = schema.health_schedule
    conn.execute(table.update().where(table.c.domain_id == domain_id).values(mailboxes_due=at))


def begin(database: Database, now: float = NOW, pace: Pace = PACE) -> list[Run]:
    with database.begin() as conn:
        return slices.begin_slices(conn, now, pace)


def subject(database: Database, run: Run) -> set[int]:
    """The mailboxes that the run is planned over."""
    with database.begin() as conn:
        planning.plan(conn, run, 5, 25)
        row = schema.run_mailboxes
        return set(conn.execute(sa.select(row.c.mailbox_id).where(row.c.run_id == run.id)).scalars())


def finish(database: Database, run: Run, now: float, results: Iterable[Done] = (), pace: Pace = PACE) -> None:
    """Ends a planned run with these results."""
    with database.begin() as conn:
        outcomes.save(conn, run.id, CANDIDATE, list(results))
        runs.finish(conn, run.id, {}, "", now)
        slices.take_over_states(conn, run, now, pace)


def found(mailbox_ids: Iterable[int], code: Code) -> list[Done]:
    """All these mailboxes came to the same."""
    verdict = Verdict.OK if code is Code.OK else Verdict.FAIL
    if code in (Code.CONNECT_TIMEOUT, *outcomes.ALL_REJECTED):
        verdict = Verdict.INCONCLUSIVE
    return [Done(mailbox_id, LoginResult(verdict, code, Protocol.IMAP)) for mailbox_id in mailbox_ids]


def state_of(database: Database, mailbox_id: int) -> tuple[str, str | None, float | None, int]:
    box = schema.mailboxes
    query = sa.select(box.c.state, box.c.state_code, box.c.state_since, box.c.health_fails)
    with database.read() as conn:
        row = conn.execute(query.where(box.c.id == mailbox_id)).one()
    return row.state, row.state_code, row.state_since, row.health_fails


def due_of(database: Database, domain_id: int) -> float:
    table = schema.health_schedule
    with database.read() as conn:
        query = sa.select(table.c.mailboxes_due).where(table.c.domain_id == domain_id)
        return float(conn.execute(query).scalar_one())


@pytest.mark.parametrize(
    ("mailboxes", "size", "apart_hours"),
    [(1, 1, 6), (2, 1, 3), (4, 1, 1.5), (5, 2, 2), (20, 5, 1.5), (100, 5, 0.3), (1000, 42, 0.25), (0, 0, 6)],
)
def test_a_round_is_used_evenly_and_never_for_a_whole_domain(mailboxes: int, size: int, apart_hours: float) -> None:
    assert PACE.size(mailboxes) == size
    assert PACE.apart(mailboxes) == pytest.approx(apart_hours * HOUR)


@pytest.mark.usefixtures("domain")
class TestBegin:
    def test_a_run_of_the_settings_in_force_takes_up_a_slice(self, database: Database, domain: int) -> None:
        (run,) = begin(database)

        with database.read() as conn:
            assert run.settings_id == settings_id_of(conn, domain)
        assert (run.kind, run.change_id, run.baseline_settings_id, run.stage) == ("health", None, None, "queued")
        assert len(subject(database, run)) == 5

    def test_the_next_slice_is_due_in_time(self, database: Database, domain: int) -> None:
        begin(database)

        assert 0.9 * 1.5 * HOUR <= due_of(database, domain) - NOW <= 1.1 * 1.5 * HOUR
        assert begin(database) == []

    def test_all_mailboxes_come_up_once_a_round(self, database: Database, domain: int) -> None:
        taken: list[set[int]] = []
        for number in range(8):
            now = NOW + number * 1.5 * HOUR
            with database.begin() as conn:
                make_due(conn, domain, now)
            (run,) = begin(database, now)
            taken.append(subject(database, run))
            finish(database, run, now + 5)

        assert [len(ids) for ids in taken] == [5] * 8
        assert len(set.union(*taken[:4])) == 20
        assert taken[4:] == taken[:4]

    def test_none_comes_up_early(self, database: Database, domain: int) -> None:
        for number in range(5):
            with database.begin() as conn:
                make_due(conn, domain, NOW + number)
            for run in begin(database, NOW + number):
                subject(database, run)
                finish(database, run, NOW + number, found(range(1, 21), Code.OK))

        with database.read() as conn:
            assert conn.execute(sa.select(sa.func.count()).select_from(schema.runs)).scalar_one() == 4

    def test_one_of_which_nothing_is_known_comes_up_again_sooner(self, database: Database) -> None:
        with database.begin() as conn:
            box = schema.mailboxes
            conn.execute(box.update().values(health_at=NOW - 2 * HOUR, state="connected", state_since=NOW))
            one = conn.execute(sa.select(sa.func.min(box.c.id))).scalar_one()
            conn.execute(box.update().where(box.c.id == one).values(state="unknown"))

        (run,) = begin(database)

        assert subject(database, run) == {one}

    def test_those_that_began_to_fail_come_first(self, database: Database) -> None:
        with database.begin() as conn:
            box = schema.mailboxes
            last = conn.execute(sa.select(sa.func.max(box.c.id))).scalar_one()
            conn.execute(box.update().where(box.c.id == last).values(health_fails=2, health_at=NOW - 60))
            conn.execute(box.update().where(box.c.id == last - 1).values(health_fails=3, health_at=NOW - 60))

        (run,) = begin(database)

        chosen = subject(database, run)
        assert last in chosen
        assert last - 1 not in chosen

    def test_mailboxes_without_a_credential_never_come_up(self, database: Database, domain: int) -> None:
        with database.begin() as conn:
            conn.execute(schema.mailboxes.update().values(credential=None))

        assert begin(database) == []
        assert due_of(database, domain) > NOW

    def test_no_more_slices_at_a_time_than_allowed(self, database: Database) -> None:
        with database.begin() as conn:
            for number in range(6):
                another = put_in_force(conn, f"b{number}.example")
                add_mailboxes(conn, another, 1)
                health.record(conn, both_ok(conn, another))
            schedule.enrol(conn, NOW - 900, 300, 900)

        begun = begin(database)
        assert len(begun) == 4
        assert begin(database) == []
        finish(database, begun[0], NOW)
        assert len(begin(database)) == 1

    def test_a_run_that_hangs_does_not_keep_the_others_waiting(self, database: Database) -> None:
        (run,) = begin(database, pace=replace(PACE, at_once=1))
        with database.begin() as conn:
            another = put_in_force(conn, "b.example")
            add_mailboxes(conn, another, 1)
            health.record(conn, both_ok(conn, another))
            schedule.enrol(conn, NOW - 900, 300, 900)

        assert begin(database, pace=replace(PACE, at_once=1)) == []
        (later,) = begin(database, NOW + 3600, replace(PACE, at_once=1))
        assert later.domain_id != run.domain_id


class TestNotNow:
    def assert_waits(self, database: Database, domain: int) -> None:
        assert begin(database) == []
        assert due_of(database, domain) == NOW, "it stays due"

    @pytest.mark.parametrize("state", ["fail", "silent", "unknown"])
    def test_while_an_endpoint_does_not_work(self, database: Database, domain: int, state: health.State) -> None:
        with database.begin() as conn:
            health.record(conn, [row_of(conn, domain, Protocol.SMTP, state=state)])

        self.assert_waits(database, domain)

    def test_nor_where_one_has_just_failed(self, database: Database, domain: int) -> None:
        with database.begin() as conn:
            health.record(conn, [row_of(conn, domain, verdict=Verdict.INCONCLUSIVE, code=Code.CONNECT_TIMEOUT)])

        self.assert_waits(database, domain)

    def test_nor_before_endpoints_were_checked_under_these_settings(self, database: Database, domain: int) -> None:
        with database.begin() as conn:
            put_in_force(conn, "a.example", mail_settings("other.example.com"))

        self.assert_waits(database, domain)

    def test_nor_in_a_paused_domain(self, database: Database, domain: int) -> None:
        with database.begin() as conn:
            conn.execute(schema.domains.update().values(paused_at=NOW))

        self.assert_waits(database, domain)

    def test_nor_during_maintenance(self, database: Database, domain: int) -> None:
        with database.begin() as conn:
            window = {"account_id": 1, "domain_id": domain, "note": "", "starts_at": NOW - 1, "ends_at": NOW + 1}
            conn.execute(schema.maintenance.insert().values(window))

        self.assert_waits(database, domain)

    def test_nor_while_a_change_of_the_domain_is_verified(self, database: Database, domain: int) -> None:
        with database.begin() as conn:
            run_id = runs.create(conn, "preflight", runs.Subject(domain, settings_id_of(conn, domain)), NOW)
        self.assert_waits(database, domain)

        with database.begin() as conn:
            runs.finish(conn, run_id, {}, "", NOW)
        assert len(begin(database)) == 1


class TestStates:
    @pytest.fixture
    def run(self, database: Database, domain: int) -> Run:
        return next(run for run in begin(database) if run.domain_id == domain)

    def test_a_success_connects(self, database: Database, run: Run) -> None:
        ids = subject(database, run)

        finish(database, run, NOW + 9, found(ids, Code.OK))

        assert {state_of(database, one) for one in ids} == {("connected", None, NOW + 9, 0)}

    def test_it_is_connected_since_it_was(self, database: Database, run: Run) -> None:
        ids = subject(database, run)
        with database.begin() as conn:
            values = {"state": MailboxState.CONNECTED.value, "state_since": NOW - 500, "health_fails": 2}
            conn.execute(schema.mailboxes.update().values(values))

        finish(database, run, NOW + 9, found(ids, Code.OK))

        assert {state_of(database, one) for one in ids} == {("connected", None, NOW - 500, 0)}

    def test_failures_count_until_they_are_certain(self, database: Database, domain: int, run: Run) -> None:
        ids = subject(database, run)
        finish(database, run, NOW, found(ids, Code.AUTH_LOCKED))
        assert {state_of(database, one) for one in ids} == {("unknown", None, None, 1)}

        for number, expected in ((1, ("unknown", None, None, 2)), (2, ("disconnected", "auth.locked", NOW + 2, 3))):
            with database.begin() as conn:
                make_due(conn, domain, NOW + number)
            (again,) = begin(database, NOW + number)
            assert subject(database, again) == ids
            finish(database, again, NOW + number, found(ids, Code.AUTH_LOCKED))
            assert {state_of(database, one) for one in ids} == {expected}

    def test_one_that_was_rejected_waits_its_turn(self, database: Database, domain: int, run: Run) -> None:
        ids = subject(database, run)
        finish(database, run, NOW, found(ids, Code.AUTH_REJECTED))
        with database.begin() as conn:
            make_due(conn, domain, NOW + 1)

        (following,) = begin(database, NOW + 1)

        assert not ids & subject(database, following)

    def test_what_began_to_fail_comes_up_with_the_next_slice(self, database: Database, domain: int, run: Run) -> None:
        finish(database, run, NOW, found(subject(database, run), Code.AUTH_LOCKED))

        assert 0.9 * HOUR / 4 <= due_of(database, domain) - NOW <= 1.1 * HOUR / 4

    def test_one_rejection_is_enough(self, database: Database, run: Run) -> None:
        ids = subject(database, run)

        finish(database, run, NOW + 9, found(ids, Code.AUTH_REJECTED))

        assert {state_of(database, one) for one in ids} == {("disconnected", "auth.rejected", NOW + 9, 1)}

    @pytest.mark.parametrize("code", [Code.EXCHANGE_ALL_REJECTED, Code.AUTH_ALL_REJECTED])
    def test_but_not_where_a_server_rejects_everybody(self, code: Code, database: Database, run: Run) -> None:
        ids = subject(database, run)

        finish(database, run, NOW + 9, found(ids, code))

        assert {state_of(database, one) for one in ids} == {("unknown", None, None, 1)}

    def test_it_is_disconnected_since_it_was_and_the_code_is_the_newest(self, database: Database, run: Run) -> None:
        ids = subject(database, run)
        with database.begin() as conn:
            values = {"state": "disconnected", "state_code": "auth.locked", "state_since": NOW - 500}
            conn.execute(schema.mailboxes.update().values(values))

        finish(database, run, NOW + 9, found(ids, Code.AUTH_REJECTED))

        assert {state_of(database, one) for one in ids} == {("disconnected", "auth.rejected", NOW - 500, 1)}

    def test_what_cannot_be_told_changes_nothing(self, database: Database, run: Run) -> None:
        ids = subject(database, run)
        with database.begin() as conn:
            values = {"state": "connected", "state_since": NOW - 500, "health_fails": 1}
            conn.execute(schema.mailboxes.update().values(values))

        finish(database, run, NOW + 9, found(ids, Code.CONNECT_TIMEOUT))

        assert {state_of(database, one) for one in ids} == {("connected", None, NOW - 500, 1)}

    def test_others_of_the_domain_are_left_alone(self, database: Database, run: Run) -> None:
        ids = subject(database, run)
        finish(database, run, NOW + 9, found(ids, Code.AUTH_REJECTED))

        assert {state_of(database, one) for one in set(range(min(ids), min(ids) + 20)) - ids} == {
            ("unknown", None, None, 0)
        }

    def test_one_whose_credential_changed_meanwhile_is_left_alone(self, database: Database, run: Run) -> None:
        ids = sorted(subject(database, run))
        with database.begin() as conn:
            box = schema.mailboxes
            conn.execute(box.update().where(box.c.id == ids[0]).values(revision=1))
            conn.execute(box.update().where(box.c.id == ids[1]).values(changed_at=NOW + 1))  # by a wrong clock

        finish(database, run, NOW + 9, found(ids, Code.AUTH_REJECTED))

        assert [state_of(database, one)[0] for one in ids[:2]] == ["unknown", "disconnected"]

    def test_nothing_follows_once_other_settings_are_in_force(self, database: Database, run: Run) -> None:
        ids = subject(database, run)
        with database.begin() as conn:
            put_in_force(conn, "a.example", mail_settings("other.example.com"))

        finish(database, run, NOW + 9, found(ids, Code.AUTH_REJECTED))

        assert {state_of(database, one) for one in ids} == {("unknown", None, None, 0)}

    def test_nothing_follows_where_an_endpoint_of_the_run_failed(self, database: Database, run: Run) -> None:
        ids = subject(database, run)
        with database.begin() as conn:
            endpoints.save(conn, run.id, CANDIDATE, "imap", {"verdict": "fail"})

        finish(database, run, NOW + 9, found(ids, Code.CONNECT_REFUSED))

        assert {state_of(database, one) for one in ids} == {("unknown", None, None, 0)}

    @pytest.mark.parametrize(("closed", "follows"), [(None, False), (NOW, True)])
    def test_nothing_follows_while_the_service_is_in_trouble(
        self, database: Database, run: Run, closed: float | None, follows: bool
    ) -> None:
        ids = subject(database, run)
        with database.begin() as conn:
            incident = {"id": "one", "scope": "service", "subject": "service", "severity": "critical", "code": "ok"}
            times = {"since": NOW, "opened_at": NOW, "closed_at": closed}
            conn.execute(schema.incidents.insert().values(**incident, **times, facts={}, seen=""))

        finish(database, run, NOW + 9, found(ids, Code.AUTH_REJECTED))

        assert {state_of(database, one)[0] for one in ids} == {"disconnected" if follows else "unknown"}


class TestWhatOthersMakeOfIt:
    @pytest.mark.parametrize(
        ("health_at", "known"), [(NOW - 60, "connected"), (NOW - 9 * HOUR, "unknown"), (None, "unknown")]
    )
    def test_a_state_that_was_looked_at_lately_is_known(
        self, database: Database, domain: int, health_at: float | None, known: str
    ) -> None:
        with database.begin() as conn:
            values = {"state": "connected", "state_since": NOW - 100 * HOUR, "health_at": health_at}
            conn.execute(schema.mailboxes.update().values(values))
            settings_id = settings_id_of(conn, domain)
            subject = runs.Subject(domain, settings_id, baseline_settings_id=settings_id)
            run_id = runs.create(conn, "preflight", subject, NOW)
            run = runs.load(conn, run_id)
            assert run is not None
            planning.plan(conn, run, 5, 25, None, NOW - 8 * HOUR)
            row = schema.run_mailboxes
            assert set(conn.execute(sa.select(row.c.before)).scalars()) == {known}

    def test_a_mailbox_with_another_password_comes_up_soon(self, database: Database, domain: int) -> None:
        vault, address = Vault([new_key()]), "new@a.example"
        with database.begin() as conn:
            import_mailboxes(conn, domain, [MailboxRow(address, address, "first", 2)], vault, NOW)
            box = schema.mailboxes
            mine = box.c.address == address
            conn.execute(box.update().where(mine).values(health_at=NOW, health_fails=2))
            make_due(conn, domain, NOW + 5 * HOUR)

            import_mailboxes(conn, domain, [MailboxRow(address, address, "second", 2)], vault, NOW + 1)

            row = conn.execute(sa.select(box).where(mine)).one()
        assert (row.health_at, row.health_fails) == (None, 0)
        assert due_of(database, domain) == NOW + 1
