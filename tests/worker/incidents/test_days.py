"""What happens to a server for hours or days, one thing at a time, and what is told of it."""

import pytest
import sqlalchemy as sa

from checks.codes import Code
from checks.context import CheckContext
from checks.model import Endpoint, Protocol
from settings_store import schema
from tests.worker.health_world import (
    DAY,
    HOUR,
    MINUTE,
    OPERATOR,
    World,
    down,
    mail,
    populate,
    told,
)

pytestmark = pytest.mark.timeout(300)  # they are long days


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


def test_a_server_that_dies_in_two_ways_is_one_incident_that_names_both(world: World) -> None:
    """IMAP refuses, SMTP breaks its handshake: one server, told once, with both endpoints and what each met."""
    account = populate(world, 6)

    def dies(at: float, endpoint: Endpoint, _context: CheckContext) -> Code:
        broken = Code.CONNECT_REFUSED if endpoint.protocol is Protocol.IMAP else Code.TLS_HANDSHAKE
        return broken if HOUR <= at < 2 * HOUR else Code.OK

    world.domain(account, "dead.example", "dead.example", dies, mailboxes=2)
    world.go_to(4 * HOUR)

    assert len(world.alerts()) == 2
    with world.database.read() as conn:
        (row,) = conn.execute(sa.select(schema.incidents.c.code, schema.incidents.c.facts)).all()
    both = {"imap@dead.example:993": Code.CONNECT_REFUSED, "smtp@dead.example:465": Code.TLS_HANDSHAKE}
    assert row.facts["endpoints"].split() == sorted(both)
    (other,) = (f"{place}={code}" for place, code in both.items() if code != row.code)
    assert (row.facts["also"], row.facts["worked"]) == (other, "yes")


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
