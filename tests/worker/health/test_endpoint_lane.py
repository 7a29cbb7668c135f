"""Lanes that check endpoints: what is due, once, side by side, and what is due after it."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

import worker.health.endpoint_lane
from checks.codes import Code, Verdict, verdict_of
from checks.context import CheckContext
from checks.model import Endpoint, EndpointResult, Protocol
from checks.settings import Settings
from settings_store import schema
from settings_store.db import Database
from settings_store.health import endpoints
from settings_store.health.endpoints import Watched
from settings_store.secrets import Vault, new_key
from tests.settings_store.in_force import (
    NOW,
    add_mailboxes,
    both_ok,
    column,
    exchange_settings,
    mail_settings,
    put_in_force,
)
from worker.config import Config
from worker.health.endpoint_lane import EndpointLane, tick
from worker.health.retention import forget_old
from worker.resources import Resources

pytestmark = pytest.mark.one_database
INTERVAL, RETRY = 300.0, 60.0


@dataclass
class Network:
    """A network whose servers do what is said here, host by host; all of them work at first."""

    codes: dict[str, Code] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    checked: list[tuple[Endpoint, CheckContext]] = field(default_factory=list)
    meanwhile: Callable[[Endpoint], object] | None = None

    def check(self, endpoint: Endpoint, context: CheckContext) -> EndpointResult:
        self.checked.append((endpoint, context))
        if self.meanwhile:
            self.meanwhile(endpoint)
        time.sleep(self.seconds.get(endpoint.host, 0))
        code = self.codes.get(endpoint.host, Code.OK)
        return EndpointResult(endpoint, verdict_of(code), code)

    @property
    def counts(self) -> Counter[str]:
        """How often each endpoint was checked."""
        return Counter(str(endpoint) for endpoint, _ in self.checked)


@dataclass
class World:
    """Resources with a clock of its own on domains that are in the schedule."""

    resources: Resources
    network: Network
    clock: list[float]
    sent: list[tuple[str, str]]

    @property
    def now(self) -> float:
        return self.clock[0]

    def pass_time(self, seconds: float) -> None:
        self.clock[0] += seconds

    def add(self, name: str, settings: Settings | None = None, mailboxes: int = 0) -> int:
        """A domain that is due now."""
        with self.resources.database.begin() as conn:
            domain_id = put_in_force(conn, name, settings)
            add_mailboxes(conn, domain_id, mailboxes)
        tick(self.resources)
        self.make_due(domain_id)
        return domain_id

    def make_due(self, *domain_ids: int) -> None:
        table = schema.health_schedule
        with self.resources.database.begin() as conn:
            which = table.c.domain_id.in_(domain_ids) if domain_ids else sa.true()
            conn.execute(table.update().where(which).values(endpoints_due=self.now))

    def lane(self) -> int:
        return EndpointLane(self.resources, self.network.check).run()

    def rows(self, domain_id: int) -> list[Watched]:
        with self.resources.database.read() as conn:
            return endpoints.watched(conn, domain_id)

    def wait_of(self, domain_id: int) -> float:
        """In how many seconds the domain is due again."""
        table = schema.health_schedule
        with self.resources.database.read() as conn:
            query = sa.select(table.c.endpoints_due).where(table.c.domain_id == domain_id)
            return float(conn.execute(query).scalar_one()) - self.now


@pytest.fixture
def world(database: Database) -> World:
    clock, sent, network = [NOW], list[tuple[str, str]](), Network()
    config = Config(health_threads=8, history_hours=1)
    resources = Resources(
        database, Vault([new_key()]), config, lambda name, run_id: sent.append((name, run_id)), lambda: clock[0]
    )
    return World(resources, network, clock, sent)


class TestLane:
    @pytest.mark.both_databases
    def test_what_is_due_is_checked_and_recorded(self, world: World) -> None:
        domain_id = world.add("a.example")

        assert world.lane() == 1

        imap, smtp = world.rows(domain_id)
        assert (imap.protocol, smtp.protocol) == (Protocol.IMAP, Protocol.SMTP)
        assert {(row.state, row.verdict, row.checked_at) for row in (imap, smtp)} == {("ok", Verdict.OK, NOW)}
        assert world.network.counts == {"imap://mail.example.com:993": 1, "smtp://mail.example.com:465": 1}

    def test_what_is_not_due_is_left_alone(self, world: World) -> None:
        world.add("a.example")
        world.lane()

        assert world.lane() == 0
        world.pass_time(0.9 * INTERVAL - 1)
        assert world.lane() == 0
        world.pass_time(0.2 * INTERVAL + 2)
        assert world.lane() == 1

    def test_the_context_is_that_of_the_settings(self, world: World) -> None:
        world.add("a.example", mail_settings(option=True))
        world.add("e.example", exchange_settings())

        world.lane()

        found = {endpoint.protocol: context for endpoint, context in world.network.checked}
        assert found[Protocol.IMAP].allow_insecure_certificate
        assert not found[Protocol.HTTPS].allow_insecure_certificate
        assert found[Protocol.HTTPS].domain == "e.example"

    def test_exchange_is_one_endpoint(self, world: World) -> None:
        domain_id = world.add("e.example", exchange_settings())

        world.lane()

        assert [row.protocol for row in world.rows(domain_id)] == [Protocol.HTTPS]

    def test_more_than_a_batch_is_checked_too(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(worker.health.endpoint_lane, "BATCH", 5)
        with world.resources.database.begin() as conn:
            for number in range(32):
                put_in_force(conn, f"d{number}.example", mail_settings(f"host{number}.example.com"))
        tick(world.resources)
        world.make_due()

        assert world.lane() == 32
        assert set(world.network.counts.values()) == {1}
        assert len(world.network.counts) == 64

    @pytest.mark.both_databases
    def test_checks_run_side_by_side(self, world: World) -> None:
        met = threading.Barrier(4)
        world.network.meanwhile = lambda _: met.wait(10)
        for number in range(2):
            world.add(f"d{number}.example", mail_settings(f"host{number}.example.com"))

        assert world.lane() == 2

    def test_a_slow_server_does_not_hold_the_others_up(self, world: World) -> None:
        world.network.seconds["slow.example.com"] = 1.5
        slow = world.add("slow.example", mail_settings("slow.example.com"))
        quick = world.add("quick.example")
        order: list[int] = []
        real = endpoints.record

        def record(conn: sa.Connection, rows: Sequence[Watched]) -> None:
            order.extend(dict.fromkeys(row.domain_id for row in rows))
            real(conn, rows)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(endpoints, "record", record)
            world.lane()

        assert order == [quick, slow]

    @pytest.mark.both_databases
    def test_domains_of_the_settings_that_are_not_in_force_any_more_are_due_again(self, world: World) -> None:
        domain_id = world.add("a.example")

        def change(_: Endpoint) -> None:
            with world.resources.database.begin() as conn:
                put_in_force(conn, "a.example", mail_settings("new.example.com"))
            world.network.meanwhile = None

        world.network.meanwhile = change
        world.lane()

        world.lane()
        assert {row.server for row in world.rows(domain_id)} == {"new.example.com:993", "new.example.com:465"}

    @pytest.mark.both_databases
    def test_what_another_lane_recorded_meanwhile_counts_once(self, world: World) -> None:
        domain_id = world.add("a.example")
        world.lane()
        world.make_due(domain_id)
        world.network.codes["mail.example.com"] = Code.TLS_EXPIRED

        def record(_: Endpoint) -> None:
            world.pass_time(5)
            with world.resources.database.begin() as conn:
                endpoints.record(conn, both_ok(conn, domain_id, world.now))

        world.network.meanwhile = record
        world.pass_time(1)
        world.lane()

        assert {row.code for row in world.rows(domain_id)} == {Code.OK}

    def test_a_check_that_breaks_leaves_the_domain_due_after_the_lease(self, world: World) -> None:
        domain_id = world.add("a.example")

        def broken(_endpoint: Endpoint, _context: CheckContext) -> EndpointResult:
            raise RuntimeError

        with pytest.raises(RuntimeError):
            EndpointLane(world.resources, broken).run()

        assert world.rows(domain_id) == []
        assert world.lane() == 0
        world.pass_time(worker.health.endpoint_lane.LEASE_SECONDS)
        assert world.lane() == 1

    def test_a_database_that_is_away_for_a_moment_loses_nothing(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        domain_id, real, failures = world.add("a.example"), endpoints.record, [1, 2]

        def record(conn: sa.Connection, rows: Sequence[Watched]) -> None:
            real(conn, rows)
            if failures:
                failures.pop()
                raise OperationalError("UPDATE", None, Exception("deadlock detected"))

        monkeypatch.setattr(endpoints, "record", record)

        assert world.lane() == 1
        assert {row.oks for row in world.rows(domain_id)} == {1}
        assert world.wait_of(domain_id) >= 0.9 * INTERVAL

    def test_a_clock_that_was_put_back_keeps_nobody_waiting(self, world: World) -> None:
        domain_id = world.add("a.example")
        world.lane()
        world.pass_time(-86_400)

        assert world.lane() == 1
        assert {(row.checked_at, row.oks) for row in world.rows(domain_id)} == {(NOW - 86_400, 2)}


class TestTime:
    def test_a_lane_ends_in_time_and_leaves_the_rest_due(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(worker.health.endpoint_lane, "LANE_SECONDS", 0.3)
        for number in range(20):
            host = f"host{number}.example.com"
            world.network.seconds[host] = 0.4
            world.add(f"d{number}.example", mail_settings(host))

        checked = world.lane()

        assert 0 < checked < 20
        monkeypatch.setattr(worker.health.endpoint_lane, "LANE_SECONDS", 60.0)
        assert world.lane() == 20 - checked, "they need not wait for a lease"

    def test_so_does_one_whose_process_is_to_stop(self, world: World) -> None:
        for number in range(20):
            host = f"host{number}.example.com"
            world.network.seconds[host] = 0.4
            world.add(f"d{number}.example", mail_settings(host))
        world.network.meanwhile = lambda _: world.resources.stopping.set()

        assert 0 < world.lane() < 20


class TestOnce:
    def test_equal_endpoints_are_checked_once_for_all(self, world: World) -> None:
        ids = [world.add(f"d{number}.example") for number in range(7)]

        assert world.lane() == 7

        assert set(world.network.counts.values()) == {1}
        assert {len(world.rows(domain_id)) for domain_id in ids} == {2}

    def test_unless_their_settings_trust_otherwise(self, world: World) -> None:
        world.add("a.example")
        world.add("b.example", mail_settings(option=True))

        world.lane()

        assert set(world.network.counts.values()) == {2}

    def test_exchange_is_asked_for_each_domain(self, world: World) -> None:
        world.add("a.example", exchange_settings())
        world.add("b.example", exchange_settings())

        world.lane()

        assert {context.domain for _, context in world.network.checked} == {"a.example", "b.example"}


class TestNext:
    def test_in_an_interval_where_all_is_well(self, world: World) -> None:
        domain_id = world.add("a.example")
        world.lane()

        assert 0.9 * INTERVAL <= world.wait_of(domain_id) <= 1.1 * INTERVAL

    def test_not_all_at_the_same_time(self, world: World) -> None:
        ids = [world.add(f"d{number}.example") for number in range(10)]
        world.lane()

        assert len({world.wait_of(domain_id) for domain_id in ids}) == 10

    @pytest.mark.both_databases
    def test_soon_while_a_failure_is_not_certain_and_then_as_usual(self, world: World) -> None:
        domain_id = world.add("a.example")
        world.lane()
        world.network.codes["mail.example.com"] = Code.CONNECT_REFUSED
        waits: list[float] = []
        for _ in range(3):
            world.pass_time(INTERVAL * 1.1)
            world.lane()
            waits.append(world.wait_of(domain_id))

        assert [wait < 1.1 * RETRY + 1 for wait in waits] == [True, True, False]
        assert {row.state for row in world.rows(domain_id)} == {"fail"}

    def test_soon_while_a_recovery_is_not_certain(self, world: World) -> None:
        domain_id = world.add("a.example")
        world.network.codes["mail.example.com"] = Code.CONNECT_REFUSED
        for _ in range(3):
            world.pass_time(INTERVAL * 1.1)
            world.lane()
        world.network.codes.clear()
        waits: list[float] = []
        for _ in range(2):
            world.pass_time(INTERVAL * 1.1)
            world.lane()
            waits.append(world.wait_of(domain_id))

        assert [wait < 1.1 * RETRY + 1 for wait in waits] == [True, False]
        assert {row.state for row in world.rows(domain_id)} == {"ok"}


class TestHurry:
    def spread(self, world: World) -> dict[str, int]:
        """Three domains on the server and five elsewhere, checked half an interval ago; one of the three is due."""
        ids = {f"same{number}": world.add(f"same{number}.example") for number in range(3)}
        for number in range(5):
            settings = mail_settings(f"other{number}.example.com")
            ids[f"other{number}"] = world.add(f"other{number}.example", settings)
        world.lane()
        world.pass_time(INTERVAL / 2)
        world.make_due(ids["same0"])
        return ids

    def test_others_are_looked_at_when_a_server_begins_to_fail(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(worker.health.endpoint_lane, "CONTROL", 2)
        ids = self.spread(world)
        world.network.codes["mail.example.com"] = Code.CONNECT_REFUSED
        claims: list[int] = []
        world.network.meanwhile = lambda _: claims.append(1)

        world.lane()
        world.lane()

        checked_now = {name for name, key in ids.items() if world.rows(key)[0].checked_at == world.now}
        assert {"same0", "same1", "same2"} <= checked_now
        assert len(checked_now) == 5

    def test_not_when_all_is_well(self, world: World) -> None:
        ids = self.spread(world)

        world.lane()
        world.lane()

        assert {name for name, key in ids.items() if world.rows(key)[0].checked_at == world.now} == {"same0"}

    def test_a_moment_of_trouble_counts_once(self, world: World) -> None:
        ids = self.spread(world)
        world.network.codes["mail.example.com"] = Code.CONNECT_REFUSED

        for _ in range(10):
            world.lane()

        assert {row.fails for name in ("same0", "same1", "same2") for row in world.rows(ids[name])} == {1}


class TestTick:
    def test_it_says_for_how_many_lanes_there_is_work(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(worker.health.endpoint_lane, "BATCH", 5)
        assert tick(world.resources) == 0
        world.add("a.example")
        assert tick(world.resources) == 1
        for number in range(20):
            world.add(f"d{number}.example")
        assert tick(world.resources) == 5
        monkeypatch.setattr(worker.health.endpoint_lane, "MOST_LANES", 3)
        assert tick(world.resources) == 3

    @pytest.mark.both_databases
    def test_slices_begin(self, world: World) -> None:
        domain_id = world.add("a.example", mailboxes=4)
        world.lane()
        table = schema.health_schedule
        with world.resources.database.begin() as conn:
            conn.execute(table.update().values(mailboxes_due=world.now))

        tick(world.resources)

        with world.resources.database.read() as conn:
            (run,) = conn.execute(sa.select(schema.runs)).all()
            taken_up = [at for at in column(conn, schema.mailboxes, "health_at") if at is not None]
        assert (run.domain_id, run.kind, run.change_id) == (domain_id, "health", None)
        assert taken_up == [run.created_at]
        assert world.sent == [("start_run", run.id)]

    @pytest.mark.both_databases
    def test_what_is_old_is_forgotten(self, world: World) -> None:
        world.add("a.example")
        world.lane()
        world.pass_time(2 * 3600)

        forget_old(world.resources)

        with world.resources.database.read() as conn:
            assert column(conn, schema.health_results, "at") == []
            assert len(column(conn, schema.health_hours, "hour")) == 2
