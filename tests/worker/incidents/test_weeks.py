"""Weeks of health checks in seconds: what happens to servers and mailboxes, and exactly what is told to whom.

Time is told to the code, never waited for. Nothing but the checks themselves is made up.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from checks.codes import Code
from checks.context import CheckContext
from checks.model import Endpoint, EndpointResult, Warn
from settings_store import schema
from settings_store.alerts.outbox import kind_of
from settings_store.db import Database
from tests.worker.health_world import (
    DAY,
    HOUR,
    MINUTE,
    OPERATOR,
    Fate,
    World,
    certificate,
    down,
    mail,
    make_world,
    of,
    result_with,
    told,
)
from worker.incidents.judge import judge


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Database]:
    """SQLite: these weeks are long."""
    database = Database(f"sqlite:///{tmp_path}/weeks.db")
    database.migrate()
    yield database
    database.close()


def ends(expires_at: float, renewed_at: float) -> Fate:
    """A certificate of ten days that ends, and is renewed."""

    def fate(at: float, endpoint: Endpoint, _context: CheckContext) -> EndpointResult | Code:
        if at >= renewed_at:
            return result_with(endpoint, tls=certificate(at, 2, days=90, age=1))
        if at >= expires_at:
            return Code.TLS_EXPIRED
        soon = expires_at - at < 2 * DAY
        warnings = (Warn(Code.TLS_EXPIRES_SOON, {"date": "2027-01-20", "days": str(expires_at - at)}),) if soon else ()
        return result_with(endpoint, warnings=warnings, tls=certificate(at, 1, days=10, age=8))

    return fate


# -- a week


SHARED = {"ann": 20, "bob": 19, "cid": 1}


def test_a_week_of_fifty_domains(file: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    world = make_world(file, monkeypatch, health_endpoint_minutes=25)
    fates: dict[str, Fate] = {
        "stops": down((1 * DAY + 2 * HOUR, 1 * DAY + 3 * HOUR)),
        "blips": down(*((at * DAY, at * DAY + 60) for at in (1.1, 3.4, 5.3))),
        "decays": down(*((at * HOUR, at * HOUR + 50) for at in range(48, 90, 6)), (4 * DAY, 5 * DAY + 6 * HOUR)),
        "expires": ends(3 * DAY, 3 * DAY + 5 * HOUR),
        "renews": ends(5 * DAY, 4.2 * DAY),
        "mute": down((5.5 * DAY, 5.5 * DAY + 6 * HOUR), code=Code.CONNECT_TIMEOUT),
        "throttles": down((2 * DAY, 5 * DAY), code=Code.SERVER_THROTTLED),
        "paused": down((2 * DAY, 6 * DAY)),
        "maintained": down((3 * DAY + 10 * MINUTE, 3 * DAY + 3.8 * HOUR)),
        "moves": down((2.5 * DAY, 30 * DAY)),
    }
    accounts = {name: world.account(name) for name in (*fates, *SHARED, OPERATOR)}
    ids = {name: world.domain(accounts[name], f"{name}.example", f"mail.{name}.example", fates[name]) for name in fates}
    for name, count in SHARED.items():
        for number in range(count):
            fate = down((2 * DAY, 2 * DAY + 3 * HOUR))
            world.domain(accounts[name], f"{name}{number}.example", "shared.example", fate)
    world.servers["new.example"] = lambda *_: Code.OK

    def until(days: float) -> None:
        world.go_to(days * DAY, quiet=1200)

    until(1.5)
    world.pause(accounts["paused"], "paused.example")
    until(2.75)
    world.change_settings(ids["moves"], mail("new.example"))
    until(3)
    world.rest(accounts["maintained"], "maintained.example", hours=4)
    until(6.5)
    world.resume(accounts["paused"], "paused.example")
    until(7)

    alerts = world.alerts()
    for name in ("blips", "throttles", "paused", "maintained", OPERATOR):
        assert of(alerts, name) == [], name
    assert of(alerts, "stops") == told("stops", "endpoint stops.example", Code.CONNECT_REFUSED)
    assert of(alerts, "decays") == told(
        "decays", "endpoint decays.example", Code.CONNECT_REFUSED, "opened", "reminder 1", "resolved"
    )
    assert of(alerts, "expires") == [
        *told("expires", "notice expires.example", Code.TLS_EXPIRES_SOON, "opened"),
        *told("expires", "endpoint expires.example", Code.TLS_EXPIRED, "opened"),
        *told("expires", "endpoint expires.example", Code.TLS_EXPIRED, "resolved"),
    ]
    assert of(alerts, "renews") == [
        *told("renews", "notice renews.example", Code.TLS_EXPIRES_SOON, "opened"),
        *told("renews", "notice renews.example", Code.TLS_CERTIFICATE_CHANGED, "opened"),
    ]
    assert of(alerts, "mute") == told("mute", "endpoint mute.example", Code.CONNECT_TIMEOUT)
    assert of(alerts, "moves") == told("moves", "endpoint moves.example", Code.CONNECT_REFUSED)
    assert of(alerts, "ann") == told("ann", "server of 20", Code.CONNECT_REFUSED)
    assert of(alerts, "bob") == told("bob", "server of 19", Code.CONNECT_REFUSED)
    assert of(alerts, "cid") == told("cid", "endpoint cid0.example", Code.CONNECT_REFUSED)
    mute = next(at for at, alert in world.timed_alerts() if alert[0] == "mute")
    assert 30 * MINUTE <= mute - 5.5 * DAY <= 100 * MINUTE


# -- one thing at a time


@pytest.fixture
def world(file: Database, monkeypatch: pytest.MonkeyPatch) -> World:
    """A world with the settings as they come."""
    return make_world(file, monkeypatch)


def populate(world: World, servers: int, mailboxes: int = 0) -> int:
    """An account with a domain on each of so many servers that work, and the operator. Returns the account."""
    account = world.account("ann")
    world.account(OPERATOR)
    for number in range(servers):
        world.domain(account, f"d{number}.example", f"mail{number}.example", mailboxes=mailboxes)
    return account


def test_flapping_for_a_day_is_one_incident(world: World) -> None:
    account = populate(world, 1)
    spans = [(HOUR + at * 12 * MINUTE, HOUR + at * 12 * MINUTE + 6 * MINUTE) for at in range(120)]
    world.domain(account, "flaps.example", "flaps.example", down(*spans))
    world.go_to(27 * HOUR, step=90, quiet=150)
    assert world.alerts() == told("ann", "endpoint flaps.example", Code.CONNECT_REFUSED, "opened", "resolved")


def test_slower_flapping_soon_is_one_incident_too(world: World) -> None:
    account = populate(world, 1)
    spans = [(HOUR + at * 40 * MINUTE, HOUR + at * 40 * MINUTE + 15 * MINUTE) for at in range(16)]
    world.domain(account, "flaps.example", "flaps.example", down(*spans))
    world.go_to(14 * HOUR, step=90)
    assert len(world.alerts()) <= 6
    assert world.alerts() == told("ann", "endpoint flaps.example", Code.CONNECT_REFUSED) * (len(world.alerts()) // 2)


def test_reminders_come_once_a_day_until_it_works(world: World) -> None:
    account = populate(world, 0)
    world.domain(account, "dead.example", "dead.example", down((HOUR, 3.5 * DAY)))
    world.go_to(4 * DAY, quiet=1800)
    kinds = ("opened", "reminder 1", "reminder 2", "reminder 3", "resolved")
    assert world.alerts() == told("ann", "endpoint dead.example", Code.CONNECT_REFUSED, *kinds)
    opened, first, second = (at for at, _ in world.timed_alerts()[:3])
    assert 24 * HOUR <= first - opened <= 24.6 * HOUR
    assert 24 * HOUR <= second - first <= 24.6 * HOUR


@pytest.mark.parametrize("code", [Code.CONNECT_REFUSED, Code.CONNECT_TIMEOUT])
def test_a_dead_network_of_ours_is_the_operators(world: World, code: Code) -> None:
    account = populate(world, 12)
    ids = [world.domain(account, f"box{number}.example", f"box{number}.example", mailboxes=2) for number in range(3)]
    world.go(7 * HOUR)
    before = [world.states(domain_id) for domain_id in ids]
    assert before == [{"connected": 2}] * 3
    began = world.at
    world.blocked = lambda at, _source: code if began <= at < began + 3 * HOUR else None
    world.go(2.9 * HOUR)
    assert world.alerts() == told(OPERATOR, "service", code, "opened")
    assert world.timed_alerts()[0][0] - began <= 10 * MINUTE
    world.go(2 * HOUR)
    assert world.alerts() == told(OPERATOR, "service", code)
    assert [world.states(domain_id) for domain_id in ids] == before


def test_a_server_that_dies_during_our_own_trouble_is_told_afterwards(world: World) -> None:
    account = populate(world, 8)
    world.domain(account, "dead.example", "dead.example", down((2.2 * HOUR, 9 * HOUR)))
    world.blocked = lambda at, _source: Code.CONNECT_REFUSED if 2 * HOUR <= at < 3 * HOUR else None
    world.go_to(5 * HOUR)
    assert world.alerts()[:2] == told(OPERATOR, "service", Code.CONNECT_REFUSED)
    assert world.alerts()[2:] == told("ann", "endpoint dead.example", Code.CONNECT_REFUSED, "opened")


def test_one_connection_address_of_two_is_dead(world: World) -> None:
    populate(world, 16)
    world.workers = [world.another_worker("192.0.2.1"), world.another_worker("192.0.2.2")]
    world.blocked = lambda at, source: Code.CONNECT_REFUSED if source == "192.0.2.2" and HOUR <= at < 4 * HOUR else None
    world.go_to(6 * HOUR)
    assert world.alerts() == told(OPERATOR, "source", Code.CONNECT_REFUSED)


def test_a_clock_that_is_put_forward_and_back(world: World) -> None:
    account = populate(world, 6)
    world.domain(account, "late.example", "late.example", down((30 * HOUR, 31 * HOUR)))
    world.go(2 * HOUR)
    world.now += DAY
    world.go(1 * HOUR)
    world.now -= DAY
    before = world.checks
    world.go(2 * HOUR)
    assert world.alerts() == []
    assert world.checks - before >= 7 * 2 * 2 * 60 / 5 * 0.5, "checks go on"
    world.go_to(33 * HOUR, quiet=600)
    assert world.alerts() == told("ann", "endpoint late.example", Code.CONNECT_REFUSED)


def test_a_clock_that_is_put_back_with_an_incident_open(world: World) -> None:
    account = populate(world, 4)
    dead = [True]
    world.domain(account, "dead.example", "dead.example", lambda *_: Code.CONNECT_REFUSED if dead[0] else Code.OK)
    world.go(2 * HOUR)
    world.now -= DAY
    world.go(1 * HOUR)
    dead[0] = False
    world.go(2 * HOUR)
    assert sorted(world.alerts()) == told("ann", "endpoint dead.example", Code.CONNECT_REFUSED)


def test_settings_that_are_changed_to_worse_ones_are_another_incident(world: World) -> None:
    account = populate(world, 4)
    domain_id = world.domain(account, "moves.example", "old.example", down((HOUR, DAY)))
    world.servers["worse.example"] = down((0, DAY), code=Code.TLS_SELF_SIGNED)
    world.go_to(2 * HOUR)
    world.change_settings(domain_id, mail("worse.example"))
    world.go_to(3 * HOUR)
    world.servers["worse.example"] = down()
    world.go_to(4 * HOUR)
    assert world.alerts() == [
        *told("ann", "endpoint moves.example", Code.CONNECT_REFUSED, "opened"),
        *told("ann", "endpoint moves.example", Code.TLS_SELF_SIGNED),
    ]


def test_maintenance_and_a_pause_hold_what_is_open(world: World) -> None:
    account = populate(world, 4)
    for name in ("kept", "paused"):
        world.domain(account, f"{name}.example", f"{name}.example", down((HOUR, 40 * HOUR)))
    world.go_to(2 * HOUR)
    world.rest(account, "kept.example", hours=36)
    world.pause(account, "paused.example")
    world.go_to(38.5 * HOUR, quiet=1200)
    assert sorted(world.alerts()) == sorted(
        told("ann", "endpoint kept.example", Code.CONNECT_REFUSED, "opened", "reminder 1")
        + told("ann", "endpoint paused.example", Code.CONNECT_REFUSED, "opened")
    )
    assert world.timed_alerts()[-1][0] >= 38 * HOUR
    world.go_to(42 * HOUR)
    assert world.alerts()[-1:] == told("ann", "endpoint kept.example", Code.CONNECT_REFUSED, "resolved")


def test_a_domain_that_joins_a_dead_server_says_nothing_new(world: World) -> None:
    account = populate(world, 4)
    for number in range(3):
        world.domain(account, f"s{number}.example", "shared.example", down((HOUR, 3 * HOUR)))
    world.go_to(2 * HOUR)
    world.domain(account, "late.example", "shared.example")
    world.go_to(4 * HOUR)
    assert world.alerts() == told("ann", "server of 4", Code.CONNECT_REFUSED)


# -- mailboxes


def test_mailboxes_follow_the_server_and_come_back(world: World) -> None:
    account = populate(world, 4)
    domain_id = world.domain(account, "dead.example", "dead.example", down((8 * HOUR, 9 * HOUR)), mailboxes=6)
    world.go_to(7 * HOUR)
    assert world.states(domain_id) == {"connected": 6}
    world.go_to(8.9 * HOUR)
    assert world.states(domain_id) == {"disconnected": 6}
    world.go_to(9.6 * HOUR)
    assert world.states(domain_id).get("disconnected") is None
    world.go_to(16 * HOUR)
    assert world.states(domain_id) == {"connected": 6}
    assert world.alerts() == told("ann", "endpoint dead.example", Code.CONNECT_REFUSED)


def test_all_mailboxes_of_a_domain_rejected_alike(world: World) -> None:
    account = populate(world, 2)
    domain_id = world.domain(account, "box.example", "box.example", mailboxes=12)
    world.go_to(7 * HOUR, quiet=900)
    right = dict(world.passwords)
    world.passwords = dict.fromkeys(right, "another")
    world.go_to(20 * HOUR, quiet=900)
    assert world.states(domain_id) == {"disconnected": 12}
    assert world.alerts() == told("ann", "mailboxes box.example", Code.AUTH_REJECTED, "opened")
    for address in right:
        world.import_again(domain_id, address)
    world.go(2 * MINUTE)
    assert len(world.alerts()) == 1, "nobody knows yet whether they work"
    world.go(10 * HOUR, quiet=900)
    assert world.states(domain_id) == {"connected": 12}
    assert world.alerts() == told("ann", "mailboxes box.example", Code.AUTH_REJECTED)


def test_one_password_is_changed_and_imported_again(world: World) -> None:
    account = populate(world, 2)
    domain_id = world.domain(account, "box.example", "box.example", mailboxes=12)
    world.go_to(7 * HOUR, quiet=900)
    world.passwords["box3@box.example"] = "another"
    world.go_to(20 * HOUR, quiet=900)
    assert world.states(domain_id) == {"connected": 11, "disconnected": 1}
    assert world.alerts() == told("ann", "mailbox box.example", Code.AUTH_REJECTED, "opened")
    logins = world.logins
    world.import_again(domain_id, "box3@box.example")
    world.go(10 * HOUR, quiet=900)
    assert world.logins > logins
    assert world.alerts() == told("ann", "mailbox box.example", Code.AUTH_REJECTED)


# -- many


def test_five_thousand_domains_with_one_dead(file: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    world = make_world(file, monkeypatch, health_endpoint_minutes=120)
    account = world.account("ann")
    world.account(OPERATOR)
    fates = {4321: down((130 * MINUTE, 10 * HOUR))}
    with file.begin() as conn:
        for number in range(5000):
            host = f"mail{number % 4600}.example"
            world.add_domain(conn, account, f"d{number}.example", host, fates.get(number))
    world.go_to(10 * MINUTE)
    world.go_to(280 * MINUTE, step=120, quiet=900)
    assert world.checks >= 4600 * 2
    assert world.alerts() == told("ann", "endpoint d4321.example", Code.CONNECT_REFUSED, "opened")


# -- on both databases


def test_a_short_day(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    world = make_world(database, monkeypatch)
    account, bob = populate(world, 4), world.account("bob")
    soon = Warn(Code.TLS_EXPIRES_SOON, {"date": "2027-01-20"})
    world.domain(bob, "soon.example", "soon.example", lambda _at, endpoint, _: result_with(endpoint, warnings=(soon,)))
    for number in range(2):
        world.domain(account, f"s{number}.example", "shared.example", down((HOUR, 2 * HOUR)))
    box = world.domain(account, "box.example", "box.example", mailboxes=1)
    world.passwords["box0@box.example"] = "another"
    world.blocked = lambda at, _source: Code.CONNECT_REFUSED if 4 * HOUR <= at < 4.5 * HOUR else None
    world.go_to(6 * HOUR)
    assert world.states(box) == {"disconnected": 1}
    assert of(world.alerts(), "bob") == told("bob", "notice soon.example", Code.TLS_EXPIRES_SOON, "opened")
    assert of(world.alerts(), OPERATOR) == told(OPERATOR, "service", Code.CONNECT_REFUSED)
    assert sorted(of(world.alerts(), "ann")) == sorted(
        told("ann", "server of 2", Code.CONNECT_REFUSED)
        + told("ann", "mailbox box.example", Code.AUTH_REJECTED, "opened")
    )


def test_several_that_judge_at_once(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    world = make_world(database, monkeypatch)
    account = populate(world, 3)
    for number in range(2):
        world.domain(account, f"s{number}.example", "shared.example", down((HOUR, 3 * HOUR)))
    box = world.domain(account, "one.example", "one.example", down((HOUR, 3 * HOUR)), mailboxes=2)

    def judge_at_once() -> list[int]:
        with ThreadPoolExecutor(6) as pool:
            return list(pool.map(lambda _: judge(world.flow.resources), range(12)))

    world.go_to(55 * MINUTE)
    world.judging = False
    world.go_to(80 * MINUTE)
    assert sum(judge_at_once()) == 2
    assert world.states(box) == {"disconnected": 2}
    world.go_to(4 * HOUR)
    judge_at_once()
    world.now += HOUR
    world.beat()
    assert sum(judge_at_once()) == 2
    opened = told("ann", "endpoint one.example", Code.CONNECT_REFUSED) + told(
        "ann", "server of 2", Code.CONNECT_REFUSED
    )
    assert sorted(world.alerts()) == sorted(opened)


# -- whatever happens


_CODES = (Code.OK, Code.OK, Code.CONNECT_REFUSED, Code.CONNECT_TIMEOUT, Code.SERVER_THROTTLED)
_SPELLS = st.lists(st.lists(st.sampled_from(_CODES), min_size=5, max_size=5), min_size=4, max_size=12)


@settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(_SPELLS)
def test_whatever_happens(monkeypatch: pytest.MonkeyPatch, spells: Sequence[Sequence[Code]]) -> None:
    """Spells of twenty minutes, each with some state of five servers."""
    with TemporaryDirectory() as folder, monkeypatch.context() as patch:
        database = Database(f"sqlite:///{folder}/any.db")
        database.migrate()
        world = make_world(database, patch)
        account = populate(world, 0)

        def fate(number: int) -> Fate:
            return lambda at, *_: spells[min(int(at / 20 / MINUTE), len(spells) - 1)][number]

        for number in range(5):
            world.domain(account, f"d{number}.example", f"mail{number % 4}.example", fate(number % 4))
        world.servers["mail4.example"] = fate(4)
        world.domain(account, "e.example", "mail4.example")
        world.go(len(spells) * 20 * MINUTE)
        check_what_always_holds(database)
        database.close()


def check_what_always_holds(database: Database) -> None:
    """Each incident is told of once, and ends once; no customer's opens while everything fails."""
    incident, alert, event = schema.incidents, schema.alerts, schema.events
    with database.read() as conn:
        told = sa.select(alert.c.incident_id, event.c.kind).join_from(alert, event).order_by(alert.c.created_at)
        told_of = conn.execute(told).all()
        rows = conn.execute(sa.select(incident).order_by(incident.c.opened_at)).mappings().all()
    kinds: dict[str, list[str]] = {}
    for incident_id, kind in told_of:
        kinds.setdefault(incident_id, []).append(kind_of(kind))
    assert all(said in (["opened"], ["opened", "resolved"]) for said in kinds.values())
    assert set(kinds) == {row["id"] for row in rows}
    assert not {row["code"] for row in rows} & {Code.SERVER_THROTTLED.value, Code.OK.value}
    for row in rows:
        earlier = [item for item in rows if item["subject"] == row["subject"] and item["opened_at"] < row["opened_at"]]
        assert all(item["closed_at"] is not None and item["closed_at"] <= row["opened_at"] for item in earlier)
    for ours in (row for row in rows if row["scope"] == "service"):
        until = float("inf") if ours["closed_at"] is None else ours["closed_at"]
        opened = [row["opened_at"] for row in rows if row["account_id"] is not None]
        assert not any(ours["opened_at"] <= at < until for at in opened)
