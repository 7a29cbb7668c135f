"""Incidents of some hours on each database, and of several that judge at once."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from checks.codes import Code
from checks.model import Warn
from settings_store.db import Database
from tests.worker.health_world import (
    HOUR,
    MINUTE,
    OPERATOR,
    down,
    make_world,
    of,
    populate,
    result_with,
    told,
)
from worker.incidents.judge import judge


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
