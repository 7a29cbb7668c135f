"""Alerts on their whole way, to a real SMTP server and a real HTTP server; and workers that are killed meanwhile."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from settings_store import schema
from settings_store.alerts.channels import Subscription
from settings_store.db import Database
from settings_store.incidents.incidents import Severity
from tests.flows.alert_kills import trial
from tests.servers.receivers import Hook, Mailbox, hook, mailbox
from tests.servers.stores import sqlite_store
from tests.settings_store.telling import Office
from worker.alerts.delivery import send_due
from worker.config import Config
from worker.resources import Resources


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of each kind with nothing in it."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("new_postgres_store"))
    return sqlite_store(tmp_path / "alerts.db")


@pytest.fixture
def office(url: str) -> Iterator[Office]:
    database = Database(url)
    yield Office(database)
    database.close()


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mailbox() as box:
        yield box


@pytest.fixture
def web() -> Iterator[Hook]:
    with hook() as web:
        yield web


def resources_of(office: Office, networks: str = "127.0.0.0/8") -> Resources:
    config = Config.model_validate({"secret_key": "x", "allow_networks": networks})
    return Resources(office.database, office.vault, config, lambda *_: None, now=lambda: office.now)


def add_channels(office: Office, box: Mailbox, web: Hook) -> None:
    mail = f"mailto://127.0.0.1:{box.port}?mode=insecure&from=alerts@sender.example&to=admin@lab.example"
    office.channel("mail", Subscription(language="ja", zone="Asia/Tokyo"), mail)
    office.channel("hook", url=f"json://127.0.0.1:{web.port}/hook")


def test_opened_and_resolved_arrive_once(office: Office, box: Mailbox, web: Hook) -> None:
    add_channels(office, box, web)
    office.mailboxes(3)
    incident = office.incident()
    resources = resources_of(office)
    assert (send_due(resources), send_due(resources)) == (2, 0)
    office.now += 600
    office.resolve(incident)
    assert (send_due(resources), send_due(resources)) == (2, 0)
    assert [mail["Subject"].partition("：")[0] for mail in box.mails] == ["障害", "復旧"]
    assert "発生日時：2027-01-15 16:57 (UTC+09:00)" in box.text(0) and "user02@lab.example" in box.text(0)
    assert [web.document(number)["title"].partition(":")[0] for number in range(2)] == ["Broken", "Works again"]
    assert "Connection refused" in web.document(0)["message"]
    assert sorted(box.ids + web.ids) == sorted(row["id"] for row in office.deliveries())
    assert len({*box.ids, *web.ids}) == 4


def test_a_receiver_that_is_down_gets_it_later(office: Office, box: Mailbox, web: Hook) -> None:
    add_channels(office, box, web)
    office.incident(severity=Severity.WARNING)
    box.answer, web.status = "451 not now", 503
    resources = resources_of(office)
    assert send_due(resources) == 0
    assert sorted(row["error"] for row in office.deliveries()) == [
        "the mail server refused the message: 451 not now",
        "the message was not accepted: HTTP status 503",
    ]
    box.answer, web.status = "", 200
    office.now += 70
    assert send_due(resources) == 2
    assert len(box.mails) == 1 and len(set(web.ids)) == 1


def test_alerts_go_to_no_address_that_is_not_allowed(office: Office, box: Mailbox, web: Hook) -> None:
    add_channels(office, box, web)
    office.incident()
    assert send_due(resources_of(office, "10.9.9.0/24")) == 0
    assert not box.mails and not web.calls
    for row in office.deliveries():
        assert "the address is not public" in row["error"]
        assert "127.0.0.1" not in row["error"]


def test_no_secret_of_a_url_is_kept_or_logged(
    office: Office, box: Mailbox, web: Hook, caplog: pytest.LogCaptureFixture
) -> None:
    """Planted in the URLs; looked for in every column of every table, and in the log of every level."""
    caplog.set_level(1)
    secret = "pl4nted-s3cret"
    box.answer, web.status = "550 no", 500
    ending = "mode=insecure&from=alerts@sender.example"
    office.channel("mail", url=f"mailto://{secret}:{secret}@127.0.0.1:{box.port}?{ending}", shown="mailto: x")
    office.channel("hook", url=f"json://{secret}:{secret}@127.0.0.1:{web.port}/{secret}?+X={secret}&-q={secret}")
    office.channel("gone", url=f"mailto://{secret}:{secret}@127.0.0.1:1?{ending}", shown="mailto: x")
    office.incident()
    resources = resources_of(office)
    assert send_due(resources) == 0
    with office.database.read() as conn:
        rows = [str(tuple(row)) for table in schema.metadata.sorted_tables for row in conn.execute(sa.select(table))]
    assert sum("550" in row or "500" in row or "Connection refused" in row for row in rows) >= 3
    assert secret not in "\n".join([*rows, caplog.text, repr(resources), repr(office)])


@pytest.mark.timeout(100)
def test_workers_that_are_killed_lose_nothing_and_repeat_under_the_same_id(url: str) -> None:
    """The short form of `python -m tests.flows.alert_kills`."""
    outcome = trial(url, kills=15 if url.startswith("sqlite") else 8, seed=2)
    assert not outcome.lost and not outcome.twice
    assert outcome.between > 0 and outcome.repeats > 0, "no kill hit the moment between sending and recording"
    assert outcome.expected > 30
