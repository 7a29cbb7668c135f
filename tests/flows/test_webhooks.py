"""Webhooks on their whole way: from what happens to a receiver; and senders that are killed meanwhile."""

import contextlib
import socket
from collections import Counter
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from checks.codes import Code, Verdict
from checks.model import MailboxState
from settings_store import schema
from settings_store.changes import applying, changes
from settings_store.db import Database
from settings_store.events.kinds import ChangeWatchFailed
from settings_store.incidents.incidents import Scope, Severity
from settings_store.runs import outcomes, planning, runs
from settings_store.webhooks import endpoints
from tests.flows.webhook_kills import trial
from tests.servers.receivers import hook, wait_until
from tests.servers.stores import sqlite_store
from tests.settings_store.in_force import add_mailboxes, mail_settings, put_in_force
from tests.settings_store.telling import Office
from tests.web.api import running
from tests.worker.webhooks.test_subscription import WANTED
from tests.worker.webhooks.world import World
from worker.finished_runs import finish


@pytest.mark.timeout(100)
@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
def test_workers_that_are_killed_lose_nothing_and_repeat_under_the_same_id(
    request: pytest.FixtureRequest, tmp_path: Path, store: str
) -> None:
    """The short form of `python -m tests.flows.webhook_kills`."""
    url = (
        request.getfixturevalue("new_postgres_store") if store == "postgresql" else sqlite_store(tmp_path / "kills.db")
    )
    outcome = trial(url, kills=6 if store == "sqlite" else 5, seed=2)
    assert not outcome.lost and not outcome.twice
    assert outcome.between > 0 and outcome.repeats > 0, "no kill hit the moment between sending and recording"
    assert outcome.expected > 30


def test_a_service_that_runs_tells_of_a_verified_change(tmp_path: Path) -> None:
    """Given a service with all that `serve` does, a save is followed by its report, and nobody has to ask for it."""
    with hook() as web, running(tmp_path) as api, api.preflight.processes.watching():
        url = f"http://127.0.0.1:{web.port}/"
        made = api.ask("POST", "/v1/webhook-endpoints", {"url": url, "types": ["change.verified"]}).body
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        server = {"host": "127.0.0.1", "port": port, "security": "tls"}
        settings = {"kind": "imap", "imap": server, "smtp": server}
        saved = api.ask("POST", "/v1/domains/lab.example/changes", {"settings": settings}).body
        wait_until(lambda: web.calls, 30)
        told = Webhook(made["secret"]).verify(web.calls[0].body, dict(web.calls[0].headers))
    assert (told["type"], told["subject"], told["domain"]) == ("change.verified", saved["id"], "lab.example")
    assert told["data"]["verdict"] == "unsafe", "nobody could connect, and there is nobody yet"
    assert set(told["data"]["counts"].values()) == {0}
    assert len(told["data"]["checksum"]) == 64


def test_all_that_host_apps_want_to_hear(tmp_path: Path) -> None:
    """Given what the flow does to changes, runs, mailboxes and incidents, each is told by its outer name."""
    database = Database(sqlite_store(tmp_path / "webhooks.db"))
    with hook() as web, contextlib.closing(database):
        world = World(database)
        seen, other = world.endpoint(web, types=WANTED), world.endpoint(1)
        _change(world)
        _incidents(world)
        with database.begin() as conn:
            endpoints.give_up(conn, other.endpoint, "gone", 410, "it answered", world.now)
        while world.send():
            pass
        found = Counter(web.document(number)["type"] for number in range(len(web.calls)))
        assert set(found) == set(WANTED)
        assert all(each.state == "sent" for each in world.deliveries(seen))


def _change(world: World) -> None:
    """Verified, applied, found wanting, rolled back; another is broken off."""
    database, now = world.database, world.now
    with database.begin() as conn:
        domain_id = put_in_force(conn, "lab.example")
        boxes = add_mailboxes(conn, domain_id, 3, state=MailboxState.CONNECTED.value)
        saved = changes.save(conn, domain_id, mail_settings("new.example.com"), now)
        run = runs.load(conn, saved.run_id)
        assert run
        planning.plan(conn, run, 2, 25)
        refused = {"verdict": Verdict.FAIL.value, "code": Code.AUTH_REJECTED.value, "baseline_verdict": "ok"}
        one = schema.run_mailboxes.c.mailbox_id == boxes[0]
        conn.execute(schema.run_mailboxes.update().where(one).values(**refused))
        outcomes.settle(conn, run.id, Verdict.OK, Code.OK, None, "")
    finish(world.resources, run)
    with database.begin() as conn:
        applying.apply(conn, changes.load(conn, saved.change_id), 1, now, 60)
        changes.note(conn, changes.load(conn, saved.change_id), ChangeWatchFailed, now, detail="3 of 3 fail")
        applying.roll_back(conn, changes.load(conn, saved.change_id), now)
        again = runs.load(conn, changes.save(conn, domain_id, mail_settings("new.example.com"), now).run_id)
        assert again
        planning.plan(conn, again, 2, 25)
        outcomes.leave_untried(conn, again.id, Code.AUTH_REJECTED, now)


def _incidents(world: World) -> None:
    office = Office(world.database, world.vault, world.now)
    incident = office.incident()
    office.announce(incident, "reminder", 1)
    office.resolve(incident)
    office.incident("notice:1", Severity.WARNING, scope=Scope.NOTICE)
