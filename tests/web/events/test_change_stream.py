"""`GET /v1/changes/{id}/events`: a change from its save to its report and beyond, as it happens and afterwards."""

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.web.api import ANNA, Api, running
from tests.web.events.reading import Seen, reading, soon
from web.events.hub import _Reader

STATE = {"progress", "endpoint", "finished"}
PAUSE = 0.045  # between two looks, the clock's own grain apart


@dataclass
class Look:
    """One look of the thread that reads for all who wait."""

    at: float
    statements: int = 0


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Look]]:
    """Every look from here on. Keys are not asked for: that is once in some seconds, however many wait."""
    found: list[Look] = []
    look = _Reader.look

    def noted(reader: _Reader, *arguments: Any) -> Any:
        found.append(Look(time.monotonic()))
        return look(reader, *arguments)

    def count(*_: object) -> None:
        if found and threading.current_thread().name == "events":
            found[-1].statements += 1

    monkeypatch.setattr(_Reader, "look", noted)
    monkeypatch.setattr("web.events.hub._KEYS_EVERY", 3600.0)
    sa.event.listen(sa.Engine, "before_cursor_execute", count)
    yield found
    sa.event.remove(sa.Engine, "before_cursor_execute", count)


def settled(looks: list[Look]) -> list[Look]:
    """The next five looks after those that somebody who came has caused; all are over."""
    begin = len(looks) + 3
    assert soon(lambda: len(looks) > begin + 5)
    return looks[begin : begin + 5]


@pytest.fixture(scope="module")
def closed_port() -> Iterator[int]:
    """A port where nobody listens, and nobody else comes to."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@pytest.fixture
def working(tmp_path: Path) -> Iterator[Api]:
    """An API whose verifications are worked on, with three mailboxes of example.com."""
    with running(tmp_path, working=True) as api:
        rows = "".join(f"box{number}@example.com,password\n" for number in range(3))
        (tmp_path / "boxes.csv").write_text("address,password\n" + rows)
        api.preflight.account(actor=ANNA).mailboxes.import_file("example.com", tmp_path / "boxes.csv")
        yield api


def save(api: Api, port: int) -> str:
    """A change whose servers are at that port; its address."""
    server = {"host": "127.0.0.1", "port": port, "security": "tls"}
    settings = {"kind": "imap", "imap": server, "smtp": server}
    answer = api.ask("POST", "/v1/domains/example.com/changes", {"settings": settings})
    assert answer.status == 201, answer.text
    return str(answer.headers["Location"])


def stored(seen: list[Seen]) -> list[Any]:
    return [each.data for each in seen if each.name not in STATE]


def test_a_change_is_told_from_its_save_to_its_report(working: Api, closed_port: int) -> None:
    """Given a save, when it is watched, then verdicts and counts come before the end, and the events in their order."""
    change = save(working, closed_port)
    with reading(working, f"{change}/events") as reader:
        found = reader.until("finished")
    names = [each.name for each in found]
    assert names[-1] == "finished"
    wanted = ["change.saved", "change.verification_started", "run.finished", "change.verified"]
    assert [each["type"] for each in stored(found)] == wanted
    verdicts = [each.data for each in found if each.name == "endpoint"]
    assert [(each["protocol"], each["verdict"], each["code"]) for each in verdicts] == [
        ("imap", "fail", "connect.refused"),
        ("smtp", "fail", "connect.refused"),
    ]
    end = found[-1].data
    assert (end["state"], end["stage"], end["code"]) == ("verified", "finished", None)
    assert end["counts"]["will_disconnect"] == 3
    last = [each.data for each in found if each.name == "progress"][-1]
    assert (last["done"], last["total"], last["counts"]) == (3, 3, end["counts"])
    assert all(each.id == found[0].id for each in found[: names.index("change.saved")]), "state has no id"
    asked = working.ask("GET", f"{change}/events?after=evt_000000000000", headers={"Accept": "application/json"}).body
    assert asked["items"] == stored(found)


def test_whoever_comes_back_has_each_event_once_and_how_it_stands(working: Api, closed_port: int) -> None:
    """Given a reader that leaves after each event in turn, when it comes back, then it has the rest, and the end."""
    change = save(working, closed_port)
    with reading(working, f"{change}/events") as reader:
        whole = stored(reader.until("finished"))
    for count in range(1, len(whole) + 1):
        with reading(working, f"{change}/events", last_id=whole[count - 1]["id"]) as reader:
            again = reader.until("finished")
        assert stored(again) == whole[count:]
        assert again[0].name == "progress"


def test_what_comes_after_the_report_is_told_too(working: Api, closed_port: int) -> None:
    change = save(working, closed_port)
    with reading(working, f"{change}/events") as reader:
        reader.until("finished")
        working.preflight.account(actor=ANNA).changes.verify_again(change.rpartition("_")[2])
        second = reader.until("finished")
        working.preflight.account(actor=ANNA).changes.discard(change.rpartition("_")[2])
        assert stored(reader.until("change.discarded"))[-1]["actor"] == "command"
    assert [each["type"] for each in stored(second)] == [
        "change.verification_started",
        "run.finished",
        "change.verified",
    ]


def test_a_change_that_there_is_not_and_one_of_another_account(api: Api) -> None:
    change = save(api, 1)
    api.preflight.add_account("other", ANNA)
    assert api.ask("GET", f"{change}/events", key=api.new_key("other")).status == 404
    assert api.ask("GET", "/v1/changes/chg_0/events").status == 404
    assert api.ask("GET", "/v1/changes/run_0/events").status == 404
    assert api.ask("GET", f"{change}/events?after=nonsense").status == 422
    as_json = api.ask("GET", f"{change}/events?after=evt_000000000099", headers={"Accept": "application/json"})
    assert (as_json.status, as_json.body["code"]) == (410, "resync")


def test_a_change_that_is_removed_ends_its_streams(api: Api) -> None:
    change = save(api, 1)
    with reading(api, f"{change}/events") as reader:
        api.preflight.account(actor=ANNA).domains.remove("example.com")
        assert reader.until("closing")[-1].data == {"reason": "removed"}


def test_many_watchers_of_one_change_cost_as_much_as_one(api: Api, looks: list[Look]) -> None:
    """Given twenty streams of a change, when they wait, then the database is asked as often as for one."""
    change = save(api, 1)
    streams = [reading(api, f"{change}/events") for _ in range(20)]
    streams[0].__enter__().until("change.verification_started")
    alone = settled(looks)
    for stream in streams[1:]:
        stream.__enter__().until("change.verification_started")
    together = settled(looks)
    assert 0 < max(look.statements for look in together) <= max(look.statements for look in alone)
    assert all(second.at - first.at >= PAUSE for first, second in pairwise(together)), "nobody makes it look more often"
    for stream in streams:
        stream.__exit__(None, None, None)
