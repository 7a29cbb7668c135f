"""Health checks with everything real: Dovecot, Postfix, and both modes with their workers and their beat."""

import contextlib
import socket
from collections import Counter
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

import worker.health.endpoint_lane
from checks.codes import Verdict
from checks.settings import Settings
from settings_store import domains, schema
from settings_store.health import endpoints
from settings_store.health.endpoints import Watched
from tests.flows.harness import (
    Program,
    System,
    account_of,
    boxes_of,
    is_ready,
    outcome,
    seen,
    settings_of,
    user_of,
    wait_for,
)
from tests.servers.lab import MailLab
from tests.settings_store.in_force import put_in_force
from worker import process
from worker.app import HEALTH, QUEUES
from worker.health.endpoint_lane import tick
from worker.health_tasks import publish_lanes
from worker.service.preflight import Preflight

DOMAIN = "health.example"
OFTEN = {"HEALTH_ENDPOINT_MINUTES": "0.05", "HEALTH_SLICE_MINUTES": "0.05"}
COUNT, SLICE = 8, 2


@contextlib.contextmanager
def working(system: System, **variables: str) -> Iterator[Preflight]:
    """Both queues have their worker: in this process when embedded, two others when distributed. There is no beat."""
    with contextlib.ExitStack() as stack:
        if system.mode == "distributed":
            programs = [stack.enter_context(system.start("worker", "--queue", name, **variables)) for name in QUEUES]
            for program in programs:
                wait_until_ready(program)
        changes = {name.lower(): value for name, value in variables.items()}
        preflight = stack.enter_context(system.open(**changes))
        if system.mode == "embedded":
            stack.enter_context(process.embedded_workers(preflight.processes.app, QUEUES, preflight.processes.stopping))
        yield preflight


def wait_until_ready(program: Program) -> None:
    wait_for(lambda: is_ready(program), f"the worker starts: {program.words}")


@contextlib.contextmanager
def alone(system: System, **variables: str) -> Iterator[list[Program]]:
    """The programs of an installation: one that does all, or workers and beat."""
    commands = [["serve"]] if system.mode == "embedded" else [["worker", "--queue", HEALTH], ["beat"]]
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(system.start(*command, **variables)) for command in commands]


@pytest.fixture
def empty_system(request: pytest.FixtureRequest) -> System:
    """A system that nobody works on yet, in each mode."""
    found: System = request.getfixturevalue("embedded_system" if request.param == "embedded" else "own_system")
    return found


def put(preflight: Preflight, name: str, settings: Settings) -> int:
    """A domain with these settings in force, which is in the schedule."""
    with preflight.database.begin() as conn:
        domain_id = put_in_force(conn, name, settings)
    tick(preflight.flow.resources)
    return domain_id


def make_due(preflight: Preflight, what: str, *domain_ids: int) -> None:
    """Makes domains' endpoints or mailboxes due now."""
    table = schema.health_schedule
    with preflight.database.begin() as conn:
        conn.execute(table.update().where(table.c.domain_id.in_(domain_ids)).values({what: preflight.database.now()}))


def check(preflight: Preflight, *domain_ids: int) -> None:
    """Asks for a check of these domains' endpoints now."""
    make_due(preflight, "endpoints_due", *domain_ids)
    publish_lanes(preflight.processes.app, tick(preflight.flow.resources))


def rows(preflight: Preflight, domain_id: int) -> list[Watched]:
    with preflight.database.read() as conn:
        return endpoints.watched(conn, domain_id)


def results(preflight: Preflight, domain_id: int) -> Counter[str]:
    """How many checks are kept, by protocol."""
    table = schema.health_results
    with preflight.database.read() as conn:
        query = sa.select(table.c.protocol).where(table.c.domain_id == domain_id)
        return Counter(conn.execute(query).scalars())


def slices(preflight: Preflight, stage: str = "finished") -> list[sa.Row[tuple[str, object]]]:
    table = schema.runs
    with preflight.database.read() as conn:
        query = sa.select(table.c.id, table.c.counts).where(table.c.change_id.is_(None), table.c.stage == stage)
        return list(conn.execute(query))


def states(preflight: Preflight) -> dict[str, tuple[str, str | None]]:
    """User name -> state and code of a mailbox."""
    box = schema.mailboxes
    with preflight.database.read() as conn:
        query = sa.select(box.c.username, box.c.state, box.c.state_code)
        return {row.username: (row.state, row.state_code) for row in conn.execute(query)}


@pytest.fixture
def hanging_port() -> Iterator[int]:
    """A server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=200) as listener:
        yield listener.getsockname()[1]


class TestEndpoints:
    @pytest.mark.both_modes
    def test_all_by_itself(self, empty_system: System, lab: MailLab) -> None:
        with empty_system.open() as preflight, alone(empty_system, **OFTEN):
            domain_id = put(preflight, DOMAIN, settings_of(lab))
            broken = put(preflight, "broken.example", settings_of(lab, ca=False))
            wait_for(lambda: min(results(preflight, domain_id).values(), default=0) >= 3, "three checks are made")

            assert {(row.state, row.code) for row in rows(preflight, domain_id)} == {("ok", "ok")}
            wait_for(lambda: {row.state for row in rows(preflight, broken)} == {"fail"}, "the failure is certain")
            assert {row.code for row in rows(preflight, broken)} == {"tls.untrusted_root"}

    def test_what_is_paused_or_in_maintenance_is_left_alone(self, empty_system: System, lab: MailLab) -> None:
        with working(empty_system) as preflight:
            ids = {name: put(preflight, f"{name}.example", settings_of(lab)) for name in ("fine", "paused", "mended")}
            now = preflight.database.now()
            with preflight.database.begin() as conn:
                table = schema.domains
                conn.execute(table.update().where(table.c.id == ids["paused"]).values(paused_at=now))
                window = {"account_id": domains.ensure_account(conn), "domain_id": ids["mended"], "note": ""}
                conn.execute(schema.maintenance.insert().values(**window, starts_at=now - 60, ends_at=now + 600))

            check(preflight, *ids.values())
            wait_for(lambda: rows(preflight, ids["fine"]), "the one that is watched is checked")
            check(preflight, *ids.values())
            wait_for(lambda: results(preflight, ids["fine"])["imap"] == 2, "and once more")

            assert rows(preflight, ids["paused"]) == rows(preflight, ids["mended"]) == []

    def test_a_message_that_comes_twice_does_no_harm(self, empty_system: System, lab: MailLab) -> None:
        with working(empty_system) as preflight:
            ids = [put(preflight, f"d{number}.example", settings_of(lab)) for number in range(5)]
            make_due(preflight, "endpoints_due", *ids)
            publish_lanes(preflight.processes.app, 12)
            wait_for(lambda: all(rows(preflight, domain_id) for domain_id in ids), "all are checked")
            publish_lanes(preflight.processes.app, 5)
            preflight.processes.app.send_task("mail_preflight.health", queue=HEALTH)
            late = put(preflight, "late.example", settings_of(lab))
            check(preflight, late)
            wait_for(lambda: rows(preflight, late), "messages after those were worked off")

            assert {tuple(results(preflight, domain_id).values()) for domain_id in ids} == {(1, 1)}

    @pytest.mark.both_modes
    def test_a_worker_is_killed_in_the_middle(self, empty_system: System, lab: MailLab, hanging_port: int) -> None:
        hanging = settings_of(lab, imap=hanging_port)
        with empty_system.open() as preflight:
            domain_id = put(preflight, DOMAIN, hanging)
            with alone(empty_system, **OFTEN) as programs:
                make_due(preflight, "endpoints_due", domain_id)
                wait_for(lambda: claimed(preflight, domain_id), "a lane has claimed the domain")
                programs[0].kill()
            assert rows(preflight, domain_id) == []
            put(preflight, DOMAIN, settings_of(lab))

            with alone(empty_system, **OFTEN):
                wait_for(lambda: rows(preflight, domain_id), "it is due again when the claim ends")

            assert {row.verdict for row in rows(preflight, domain_id)} == {Verdict.OK}


def claimed(preflight: Preflight, domain_id: int) -> bool:
    """Whether the domain is put off by a lease, which is longer than any interval of these tests."""
    table = schema.health_schedule
    with preflight.database.read() as conn:
        query = sa.select(table.c.endpoints_due).where(table.c.domain_id == domain_id)
        return (
            float(conn.execute(query).scalar_one())
            > preflight.database.now() + worker.health.endpoint_lane.LEASE_SECONDS - 2
        )


class TestSlices:
    @contextlib.contextmanager
    def domain(self, system: System, lab: MailLab, *, ca: bool = True) -> Iterator[tuple[Preflight, int]]:
        """A domain of eight mailboxes, two of them with a wrong password, whose endpoints were checked."""
        system.load(DOMAIN, boxes_of(lab, DOMAIN, COUNT, wrong={3, 4}))
        with working(system) as preflight:
            domain_id = put(preflight, DOMAIN, settings_of(lab, ca=ca))
            check(preflight, domain_id)
            wait_for(lambda: rows(preflight, domain_id), "its endpoints are checked")
            yield preflight, domain_id

    def begin(self, preflight: Preflight, domain_id: int) -> None:
        """Has the next slice taken up, and waits for its end."""
        before = len(slices(preflight))
        make_due(preflight, "mailboxes_due", domain_id)
        preflight.processes.app.send_task("mail_preflight.health", queue=HEALTH)
        wait_for(lambda: len(slices(preflight)) == before + 1, "the slice's run is finished")

    @pytest.mark.both_modes
    def test_exactly_the_slice_logs_in_once_and_states_follow(self, empty_system: System, lab: MailLab) -> None:
        with self.domain(empty_system, lab) as (preflight, domain_id):
            for number in range(COUNT // SLICE):
                self.begin(preflight, domain_id)
                users = {user_of(box) for box in range((number + 1) * SLICE)}
                known = {user for user, (state, _) in states(preflight).items() if state != "unknown"}
                assert known == users

            found = states(preflight)
        log = seen(lab)
        wrong = {user_of(3), user_of(4)}
        good = {user_of(number) for number in range(COUNT)} - wrong
        assert log.imap == log.smtp == Counter(good)
        assert log.imap_rejected == Counter(wrong)
        assert {found[user] for user in good} == {("connected", None)}
        assert {found[user] for user in wrong} == {("disconnected", "auth.rejected")}

    def test_nobody_logs_in_while_an_endpoint_fails(self, empty_system: System, lab: MailLab) -> None:
        with self.domain(empty_system, lab, ca=False) as (preflight, domain_id):
            make_due(preflight, "mailboxes_due", domain_id)
            preflight.processes.app.send_task("mail_preflight.health", queue=HEALTH)
            late = put(preflight, "late.example", settings_of(lab))
            check(preflight, late)
            wait_for(lambda: rows(preflight, late), "messages after that were worked off")

            assert slices(preflight) == slices(preflight, "queued") == []
        assert not seen(lab).attempts

    def test_a_message_that_comes_twice_logs_in_nobody_twice(self, empty_system: System, lab: MailLab) -> None:
        with self.domain(empty_system, lab) as (preflight, domain_id):
            make_due(preflight, "mailboxes_due", domain_id)
            tick(preflight.flow.resources)
            with preflight.database.read() as conn:
                run_id = conn.execute(sa.select(schema.runs.c.id)).scalar_one()
            for name in ("start_run", "start_run", "run_page", "finish_run", "finish_run"):
                preflight.processes.app.send_task(f"mail_preflight.{name}", args=[run_id], queue=HEALTH)
            wait_for(lambda: slices(preflight), "the run is finished")
            for name in ("start_run", "run_page", "finish_run"):
                preflight.processes.app.send_task(f"mail_preflight.{name}", args=[run_id], queue=HEALTH)
            self.begin(preflight, domain_id)

        assert seen(lab).imap == {user_of(number): 1 for number in range(2 * SLICE - 1)}

    def test_a_preflight_does_not_wait_for_health(self, empty_system: System, lab: MailLab, hanging_port: int) -> None:
        empty_system.load("urgent.example", boxes_of(lab, "urgent.example", 10))
        with working(empty_system, ENDPOINT_SECONDS="8", HEALTH_THREADS="4") as preflight:
            ids = [
                put(
                    preflight,
                    f"d{number}.example",
                    settings_of(lab, imap=hanging_port, allow_insecure=bool(number % 2)),
                )
                for number in range(12)
            ]
            check(preflight, *ids)
            wait_for(lambda: all(claimed(preflight, domain_id) for domain_id in ids), "all are claimed")

            found = outcome(preflight, account_of(preflight).changes.save("urgent.example", settings_of(lab)))

            assert found.counts == {"keeps_working": 10}
            assert not any(rows(preflight, domain_id) for domain_id in ids), "health was still at it"
