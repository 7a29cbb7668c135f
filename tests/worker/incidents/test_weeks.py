"""A week of health checks in seconds: what happens to servers, and exactly what is told to whom.

Time is told to the code, never waited for. Nothing but the checks themselves is made up.
"""

import pytest

from checks.codes import Code
from checks.context import CheckContext
from checks.model import Endpoint, EndpointResult, Warn
from settings_store.db import Database
from tests.worker.health_world import (
    DAY,
    HOUR,
    MINUTE,
    OPERATOR,
    Fate,
    certificate,
    down,
    mail,
    make_world,
    of,
    result_with,
    told,
)


def ends(expires_at: float, renewed_at: float, issuer: str = "CN=Lab CA") -> Fate:
    """A certificate of ten days that ends, and is renewed, by the same authority or another one."""

    def fate(at: float, endpoint: Endpoint, _context: CheckContext) -> EndpointResult | Code:
        if at >= renewed_at:
            return result_with(endpoint, tls=certificate(at, 2, days=90, age=1, issuer=issuer))
        if at >= expires_at:
            return Code.TLS_EXPIRED
        soon = expires_at - at < 2 * DAY
        warnings = (Warn(Code.TLS_EXPIRES_SOON, {"date": "2027-01-20", "days": str(expires_at - at)}),) if soon else ()
        return result_with(endpoint, warnings=warnings, tls=certificate(at, 1, days=10, age=8))

    return fate


SHARED = {"ann": 20, "bob": 19, "cid": 1}


def test_a_week_of_fifty_domains(file: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    world = make_world(file, monkeypatch, health_endpoint_minutes=25)
    fates: dict[str, Fate] = {
        "stops": down((1 * DAY + 2 * HOUR, 1 * DAY + 3 * HOUR)),
        "blips": down(*((at * DAY, at * DAY + 60) for at in (1.1, 3.4, 5.3))),
        "decays": down(*((at * HOUR, at * HOUR + 50) for at in range(48, 90, 6)), (4 * DAY, 5 * DAY + 6 * HOUR)),
        "expires": ends(3 * DAY, 3 * DAY + 5 * HOUR),
        "renews": ends(5 * DAY, 4.2 * DAY),
        "turns": ends(5 * DAY, 4.2 * DAY, "CN=Another CA"),
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
    assert of(alerts, "renews") == told("renews", "notice renews.example", Code.TLS_EXPIRES_SOON, "opened")
    assert of(alerts, "turns") == [
        *told("turns", "notice turns.example", Code.TLS_EXPIRES_SOON, "opened"),
        *told("turns", "notice turns.example", Code.TLS_CERTIFICATE_CHANGED, "opened"),
    ]
    assert of(alerts, "mute") == told("mute", "endpoint mute.example", Code.CONNECT_TIMEOUT)
    assert of(alerts, "moves") == told("moves", "endpoint moves.example", Code.CONNECT_REFUSED)
    assert of(alerts, "ann") == told("ann", "server of 20", Code.CONNECT_REFUSED)
    assert of(alerts, "bob") == told("bob", "server of 19", Code.CONNECT_REFUSED)
    assert of(alerts, "cid") == told("cid", "endpoint cid0.example", Code.CONNECT_REFUSED)
    mute = next(at for at, alert in world.timed_alerts() if alert[0] == "mute")
    assert 30 * MINUTE <= mute - 5.5 * DAY <= 100 * MINUTE


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
