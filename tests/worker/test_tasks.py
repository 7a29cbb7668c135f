"""The tasks of health: which there are, on which queue, and that lanes do not take a worker's every slot."""

import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from celery import Celery
from kombu.exceptions import OperationalError
from pydantic import SecretStr

import worker.health_tasks
from settings_store import heartbeats
from settings_store.db import Database
from settings_store.secrets import Vault, new_key
from tests.servers.stores import sqlite_store
from worker.alerts.delivery import ROUNDS
from worker.app import HEALTH, PREFLIGHT, make_app
from worker.config import Config
from worker.finished_runs import finish
from worker.health.endpoint_lane import LANES
from worker.health.mailbox_slices import AT_ONCE
from worker.health_tasks import publish_lanes, register_health
from worker.process import SLOTS
from worker.resources import Resources
from worker.runs.flow import Flow
from worker.tasks import register
from worker.webhooks import delivery


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Celery]:
    url = sqlite_store(tmp_path / "tasks.db")
    database = Database(url)
    config = Config(database_url=SecretStr(url))
    made = make_app(config)
    flow = Flow(Resources(database, Vault([new_key()]), config, lambda *_: None), finish)
    register(made, flow)
    register_health(made, flow)
    yield made
    database.close()


def test_who_is_at_work_is_written_down(app: Celery, tmp_path: Path) -> None:
    """So that `apply` can say whether anybody watches."""
    with closing(Database(f"sqlite:///{tmp_path}/tasks.db")) as database:
        for name in ("sweep", "health"):
            with database.read() as conn:
                assert not heartbeats.all_at_work(conn, database.now())
            app.tasks[f"mail_preflight.{name}"]()
        with database.read() as conn:
            assert heartbeats.all_at_work(conn, database.now())


def test_beat_asks_for_what_there_is(app: Celery) -> None:
    entries = app.conf.beat_schedule

    assert {name: entry["options"]["queue"] for name, entry in entries.items()} == {
        "sweep": PREFLIGHT,
        "health": HEALTH,
        "judge": HEALTH,
        "alerts": HEALTH,
        "webhooks": HEALTH,
    }
    assert {entry["task"] for entry in entries.values()} <= set(app.tasks)
    assert all(entry["options"]["expires"] == entry["schedule"] for entry in entries.values())


def test_lanes_and_slices_leave_slots_for_the_rest() -> None:
    assert SLOTS[HEALTH] >= LANES + AT_ONCE + ROUNDS + delivery.ROUNDS + 2, "one is to judge, one to say what is due"


def test_no_more_lanes_than_there_is_room_for(app: Celery, monkeypatch: pytest.MonkeyPatch) -> None:
    inside, leave = threading.Semaphore(0), threading.Event()

    class Busy:
        def __init__(self, _resources: Resources) -> None:
            """Takes what a lane takes."""

        def run(self) -> None:
            inside.release()
            leave.wait(20)

    monkeypatch.setattr(worker.health_tasks, "EndpointLane", Busy)
    task = app.tasks["mail_preflight.check_endpoints"]
    threads = [threading.Thread(target=task) for _ in range(LANES)]
    for thread in threads:
        thread.start()
    for _ in range(LANES):
        assert inside.acquire(timeout=10)

    task()  # comes back at once

    assert not inside.acquire(blocking=False)
    leave.set()
    for thread in threads:
        thread.join(10)
    task()
    assert inside.acquire(blocking=False), "there is room again"


def test_slow_receivers_take_few_slots(app: Celery, monkeypatch: pytest.MonkeyPatch) -> None:
    inside, leave = threading.Semaphore(0), threading.Event()

    def wait(_resources: Resources) -> None:
        inside.release()
        leave.wait(20)

    monkeypatch.setattr(worker.health_tasks, "send_due", wait)
    task = app.tasks["mail_preflight.alerts"]
    threads = [threading.Thread(target=task) for _ in range(ROUNDS + 2)]
    for thread in threads:
        thread.start()
    for _ in range(ROUNDS):
        assert inside.acquire(timeout=10)
    for thread in threads[:2]:
        thread.join(0.1)

    assert sum(thread.is_alive() for thread in threads) == ROUNDS
    assert not inside.acquire(blocking=False)
    leave.set()
    for thread in threads:
        thread.join(10)


def test_a_broker_that_is_down_is_no_failure(
    app: Celery, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OperationalError

    monkeypatch.setattr(app, "send_task", refuse)

    publish_lanes(app, 2)

    assert "the broker does not take it" in caplog.text
