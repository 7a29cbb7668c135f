"""Events on their whole way to real receivers."""

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from standardwebhooks import Webhook

from settings_store import schema
from settings_store.db import Database
from settings_store.events.event import OtherEvent
from settings_store.events.kinds import ChangeVerified, IncidentOpened, MailboxesDisconnected, RunBrokenOff
from tests.servers.receivers import Hook, hook
from tests.servers.stores import sqlite_store
from tests.worker.webhooks.test_signature import verify_v1a
from tests.worker.webhooks.world import World, subjects
from worker.service.webhooks import EndpointRequest
from worker.webhooks import delivery, schedule


@pytest.fixture(params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    url = request.getfixturevalue("postgres_store") if request.param == "postgresql" else None
    database = Database(url or sqlite_store(tmp_path / "webhooks.db"))
    yield World(database)
    database.close()


@pytest.fixture
def light(tmp_path: Path) -> Iterator[World]:
    """What hangs on no database."""
    database = Database(sqlite_store(tmp_path / "webhooks.db"))
    yield World(database)
    database.close()


@pytest.fixture(scope="module")
def receiver() -> Iterator[Hook]:
    with hook() as running:
        yield running


@pytest.fixture
def web(receiver: Hook) -> Hook:
    receiver.status, receiver.headers, receiver.seconds, receiver.drip = 200, {}, 0.0, False
    receiver.on_call = lambda: None
    receiver.calls.clear()
    return receiver


def test_events_arrive_once_in_their_order(world: World, web: Hook) -> None:
    world.happens("before")
    seen = world.endpoint(web)
    world.happens("a", "b", domain="lab.example")
    world.happens("c")
    world.happens("not mine", account="other")
    assert (world.send(), world.send()) == (3, 0)
    world.happens("d")
    assert (world.send(), world.send()) == (1, 0)
    assert subjects(web) == ["a", "b", "c", "d"]
    assert web.ids == [f"whd_{each.id}" for each in world.deliveries(seen)]
    assert len(set(web.ids)) == 4
    first = web.document(0)
    assert len(first) == 7 and "2027-01-15T08:00:00.000Z" in first.values()
    assert (first["type"], first["domain"], first["subject"]) == ("change.applied", "lab.example", "chg_a")


def test_an_endpoint_hears_of_its_types_and_its_domain(light: World, web: Hook) -> None:
    with hook() as other:
        light.happens("older", domain="one.example")
        light.endpoint(web, domain="one.example")
        light.endpoint(other, types=["change.verified", "notice.raised"])
        light.happens("a", domain="one.example")
        light.happens("b", domain="two.example")
        light.happens("c")
        light.record(
            ChangeVerified(
                subject="v", at=light.now, account_id=light.account_id, verdict="safe", counts={"keeps_working": 2}
            ),
            IncidentOpened(subject="n", at=light.now, account_id=light.account_id, scope="notice"),
            IncidentOpened(subject="i", at=light.now, account_id=light.account_id, scope="server"),
        )
        light.send()
        assert subjects(web) == ["a"]
        assert [other.document(number)["type"] for number in range(2)] == ["change.verified", "notice.raised"]
        data = json.loads(other.calls[0].body)["data"]
        assert (data["verdict"], data["counts"]) == ("safe", {"keeps_working": 2})
        assert len(other.calls) == 2


def test_signatures_are_good_before_during_and_after_a_rotation(light: World, web: Hook) -> None:
    light.now = time.time()
    applied = ["change.applied"]
    shared, public = light.endpoint(web, types=applied), light.endpoint(web, types=applied, signature="v1a")
    assert public.secret is None
    light.happens("a")
    light.send()
    renewed = light.webhooks().rotate(shared.endpoint.id)
    changed = light.webhooks().rotate(public.endpoint.id)
    assert renewed.secret != shared.secret and changed.old_public_key == public.public_key
    light.happens("b")
    light.send()
    light.now += 24 * 3600 + 60
    light.happens("c")
    light.send()
    by_shared = [call for call in web.calls if call.headers["webhook-signature"].startswith("v1,")]
    by_public = [call for call in web.calls if call.headers["webhook-signature"].startswith("v1a,")]
    assert [len(call.headers["webhook-signature"].split()) for call in by_shared + by_public] == [1, 2, 1] * 2
    assert shared.secret and renewed.secret and public.public_key and changed.public_key
    for secret, call in ((shared.secret, 0), (shared.secret, 1), (renewed.secret, 1)):
        Webhook(secret).verify(by_shared[call].body, dict(by_shared[call].headers))
    for key, call in ((public.public_key, 0), (public.public_key, 1), (changed.public_key, 1), (changed.public_key, 2)):
        verify_v1a(key, dict(by_public[call].headers), by_public[call].body)
    with pytest.raises(Exception, match=r"No matching signature|too new"):
        Webhook(shared.secret).verify(by_shared[2].body, dict(by_shared[2].headers))


def test_a_repeat_has_the_same_id_and_its_own_time(world: World, web: Hook) -> None:
    seen = world.endpoint(web)
    world.happens("a")
    web.status = 500
    assert world.send() == 0
    (failed,) = world.deliveries(seen)
    assert (failed.state, failed.attempts, failed.status, failed.error) == ("pending", 1, 500, "HTTP status 500")
    assert world.now + 4 < failed.next_at < world.now + 6
    assert world.webhooks().look(seen.endpoint.id).endpoint.failing_since == world.now
    world.now += 6
    web.status = 200
    assert world.send() == 1
    assert len(set(web.ids)) == 1 and web.calls[0].body == web.calls[1].body
    times = [int(call.headers["webhook-timestamp"]) for call in web.calls]
    assert times[1] - times[0] == 6
    assert world.webhooks().look(seen.endpoint.id).endpoint.failing_since is None


def test_the_schedule_to_its_end(light: World, web: Hook) -> None:
    """Given an endpoint that fails to the last attempt, it is disabled, and another one is told so."""
    with hook() as other:
        seen = light.endpoint(web, types=["change.applied"])
        light.endpoint(other, types=["webhook_endpoint.disabled"])
        light.happens("a")
        web.status = 500
        for attempt in range(schedule.ATTEMPTS):
            assert len(web.calls) == attempt
            light.send()
            light.send()
            light.now += 1.11 * (*schedule.DELAYS, 0)[attempt + 1]
        (failed,) = light.deliveries(seen)
        assert (failed.state, failed.attempts) == ("failed", schedule.ATTEMPTS)
        shown = light.webhooks().look(seen.endpoint.id)
        assert shown.silent == "it is disabled: it has failed for too long, at last with: HTTP status 500"
        light.happens("b")
        light.send()
        assert len(web.calls) == schedule.ATTEMPTS
        (told,) = (json.loads(call.body) for call in other.calls)
        assert (told["type"], told["subject"]) == ("webhook_endpoint.disabled", f"whe_{seen.endpoint.id}")
        assert told["data"] == {"reason": "failing", "status": 500}
    # Enabled again, it goes on with what happens from now on; the rest is sent when it is asked for.
    web.status = 200
    web.calls.clear()
    light.webhooks().change(seen.endpoint.id, {"enabled": True})
    light.happens("c")
    light.send()
    assert subjects(web) == ["c"]


def test_one_that_is_gone_is_disabled_at_once(world: World, web: Hook) -> None:
    seen = world.endpoint(web)
    world.happens("a", "b")
    web.status = 410
    assert (world.send(), world.send()) == (0, 0)
    assert len(web.calls) == 1
    assert [each.state for each in world.deliveries(seen)] == ["failed", "pending"]
    assert world.webhooks().look(seen.endpoint.id).endpoint.disabled_at == world.now
    assert world.kinds()[-1] == "webhook_endpoint.disabled"


def test_one_that_is_busy_is_left_alone(light: World, web: Hook) -> None:
    seen = light.endpoint(web)
    light.happens("a", "b", "c")
    web.status, web.headers = 429, {"Retry-After": "900"}
    light.send()
    light.now += 600
    light.send()
    assert len(web.calls) == 1, "nothing of what waits is sent before"
    assert light.deliveries(seen)[0].next_at == light.now + 300
    light.now += 301
    web.status, web.headers = 200, {}
    assert light.send() == 3


def test_a_dead_endpoint_with_many_events_is_given_up_too(light: World, web: Hook) -> None:
    """Given more events than attempts, none of them comes to its last one; its time is over all the same."""
    seen = light.endpoint(web)
    light.happens(*(f"c{number}" for number in range(40)))
    web.status = 500
    for _ in range(27):
        light.send()
        light.now += 3 * 3600
    assert max(each.attempts for each in light.deliveries(seen)) < schedule.ATTEMPTS
    assert light.webhooks().look(seen.endpoint.id).endpoint.disabled_at is not None


def test_a_dead_endpoint_delays_no_other(light: World, web: Hook) -> None:
    """Given one that never answers, the other's events arrive at once, also those that happen meanwhile."""
    with hook() as dead:
        dead.seconds = 60
        light.endpoint(dead)
        light.endpoint(web)
        light.happens("a")
        sending = threading.Thread(target=light.send)
        begun = time.monotonic()
        sending.start()
        while len(web.calls) < 1 or not dead.calls:
            assert time.monotonic() - begun < 5
            time.sleep(0.01)
        light.happens("b")
        while len(web.calls) < 2:
            assert time.monotonic() - begun < 5
            time.sleep(0.01)
        light.resources.stopping.set()
        dead.seconds = 0
    sending.join(30)
    assert not sending.is_alive() and subjects(web) == ["a", "b"]


def test_one_worker_at_a_time_sends_to_an_endpoint(world: World, web: Hook) -> None:
    """Given several rounds at once, each event is sent once, in order."""
    world.endpoint(web)
    world.happens(*(f"c{number}" for number in range(12)))
    rounds = [threading.Thread(target=world.send) for _ in range(4)]
    for each in rounds:
        each.start()
    for each in rounds:
        each.join(60)
    assert subjects(web) == [f"c{number}" for number in range(12)]


def test_what_is_sent_is_thin_and_small(light: World, web: Hook) -> None:
    light.endpoint(web)
    common: dict[str, Any] = {"at": light.now, "account_id": light.account_id}
    light.record(
        RunBrokenOff(subject="r", change_id="c", code="auth.rejected", left=3, **common),
        MailboxesDisconnected(subject="domain:1", count=2, codes={"auth.rejected": 2}, **common),
        OtherEvent(subject="x", name="change.praised", found={"words": "x" * 30_000}, **common),
    )
    assert light.send() == 3
    bodies = [json.loads(call.body) for call in web.calls]
    assert [body["type"] for body in bodies] == ["run.stopped", "mailbox.disconnected", "change.praised"]
    assert bodies[0]["data"] == {"code": "auth.rejected", "left": 3, "change_id": "chg_c"}
    assert bodies[1]["data"]["codes"] == {"auth.rejected": 2}
    assert bodies[2]["data"] == {"truncated": True}
    assert all(len(call.body) < 20_000 for call in web.calls)


def test_what_is_old_is_forgotten(light: World, web: Hook) -> None:
    seen = light.endpoint(web)
    light.happens("a")
    light.send()
    light.now += delivery.KEPT_DAYS * 86400 + 1
    light.send()
    assert light.deliveries(seen) == []


def test_no_secret_is_kept_or_logged(light: World, caplog: pytest.LogCaptureFixture) -> None:
    """Planted in the URL, and the secrets themselves; looked for in every column of every table, and in every log."""
    caplog.set_level(1)
    webhooks = light.webhooks()
    made = [webhooks.add(EndpointRequest(f"http://127.0.0.1:1/h?key=pl4nted{n}", signature="v1")) for n in range(2)]
    made.append(webhooks.rotate(made[0].endpoint.id))
    light.happens("a")
    light.send()
    delivery.try_out(light.resources, made[1].endpoint)
    with light.database.read() as conn:
        rows = [str(tuple(row)) for table in schema.metadata.sorted_tables for row in conn.execute(sa.select(table))]
    assert sum("the connection was refused" in row for row in rows) == 2
    told = "\n".join([*rows, caplog.text, repr(made), repr(webhooks), repr(light.resources)])
    for secret in ("pl4nted", "whsec_", *(each.secret.removeprefix("whsec_") for each in made if each.secret)):
        assert secret not in told
