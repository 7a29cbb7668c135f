"""`GET /v1/events/stream`: what happens in an account, to many readers, each of which may leave and come back."""

import asyncio
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from settings_store.domains import find_account
from settings_store.events.administration import AccountRemoved
from tests.web.api import ANNA, Api, running
from tests.web.events.reading import Reader, reading, soon
from tests.web.events.telling import saved, tell
from web.events.hub import Hub
from worker.events.reading import Page
from worker.service.events import Events

PATH = "/v1/events/stream"


@pytest.fixture
def quick(tmp_path: Path) -> Iterator[Api]:
    """An API whose streams have a heartbeat ten times a second; four may be open."""
    with running(tmp_path, stream_heartbeat_seconds=0.1, web_waiting=4) as found:
        yield found


def take(reader: Reader, count: int) -> list[str]:
    events = reader.events()
    return [next(events).data["subject"] for _ in range(count)]


def test_news_comes_as_events(api: Api) -> None:
    with reading(api, PATH) as reader:
        assert reader.status == 200
        assert reader.headers["content-type"] == "text/event-stream"
        assert (reader.headers["x-accel-buffering"], reader.headers["cache-control"]) == ("no", "no-store")
        saved(api, "one", "two")
        events = reader.events()
        first, second = next(events), next(events)
    listed = api.ask("GET", "/v1/events").body["items"]
    assert [first.data, second.data] == listed
    assert [(first.name, first.id), (second.name, second.id)] == [(each["type"], each["id"]) for each in listed]
    assert int(reader.retry) > 0


def test_what_was_before_is_sent_where_it_is_asked_for(api: Api) -> None:
    saved(api, "one", "two", "three")
    first = api.ask("GET", "/v1/events?limit=1").body["next_after"]
    with reading(api, f"{PATH}?after={first}") as reader:
        assert take(reader, 2) == ["chg_two", "chg_three"]
    with reading(api, f"{PATH}?after={first}", last_id="evt_000000000002") as reader:
        assert take(reader, 1) == ["chg_three"]


def test_types_are_chosen(api: Api) -> None:
    with reading(api, f"{PATH}?types=account.added,account.removed") as reader:
        saved(api, "one")
        saved(api, "two")
        with reading(api, PATH, last_id="evt_000000000001") as other:
            assert take(other, 1) == ["chg_two"]
        api.preflight.add_account("other", ANNA)
        with api.preflight.database.read() as conn:
            account_id = find_account(conn, "default")
        tell(api, AccountRemoved(subject="wanted", at=api.preflight.database.now(), account_id=account_id))
        first = next(reader.events())
        assert (first.name, first.id) == ("account.removed", "evt_000000000004"), "the others were not for this stream"
    assert api.ask("GET", f"{PATH}?types=account.applauded").status == 422


def test_another_account_hears_nothing(api: Api) -> None:
    api.preflight.add_account("other", ANNA)
    with reading(api, PATH, key=api.new_key("other")) as other, reading(api, PATH) as mine:
        saved(api, "mine")
        assert take(mine, 1) == ["chg_mine"]
        saved(api, "theirs", account="other")
        assert take(other, 1) == ["chg_theirs"], "what was told before was not for this stream"


def test_silence_is_broken_by_comments(quick: Api) -> None:
    with reading(quick, PATH) as reader:
        chunks = reader.chunks()
        assert b"retry:" in next(chunks)
        assert [next(chunks) for _ in range(3)] == [b":\n\n"] * 3
        saved(quick, "late")
        assert take(reader, 1) == ["chg_late"]


@pytest.mark.parametrize("last_id", ["evt_000000000099", "evt_", "nonsense"])
def test_an_id_that_is_not_known_is_told_to_resync_and_goes_on(api: Api, last_id: str) -> None:
    saved(api, "one")
    with reading(api, PATH, last_id=last_id) as reader:
        events = reader.events()
        resync = next(events)
        assert (resync.name, resync.data, resync.id) == (
            "resync",
            {"latest_id": "evt_000000000001"},
            "evt_000000000001",
        )
        saved(api, "two")
        assert next(events).data["subject"] == "chg_two"


def test_an_id_that_is_too_old_is_told_to_resync(api: Api) -> None:
    saved(api, "old", "older", at=time.time() - 31 * 86400)
    with reading(api, PATH, last_id="evt_000000000001") as reader:
        assert next(reader.events()).name == "resync"


def test_a_reader_that_leaves_anywhere_comes_back_to_all_the_rest(api: Api) -> None:
    """Given a stream cut after any number of bytes, when the reader comes back with its last id, it has each once."""
    names = [f"c{number}" for number in range(3)]
    saved(api, "before")
    saved(api, *names)
    with reading(api, f"{PATH}?after=evt_000000000001") as whole:
        assert take(whole, 3) == [f"chg_{name}" for name in names]
    length = len(whole.raw)
    for cut in range(length - 400 * 3 if length > 1300 else 1, length, 61):
        found: list[str] = []
        with reading(api, f"{PATH}?after=evt_000000000001") as first:
            found += _until_cut(first, bytes(whole.raw[:cut]))
        with reading(api, f"{PATH}?after=evt_000000000001", last_id=first.last_id) as second:
            found += take(second, 3 - len(found))
        assert found == [f"chg_{name}" for name in names], cut


def _until_cut(reader: Reader, raw: bytes) -> list[str]:
    """What a reader has dispatched of the bytes it got before the connection broke."""
    body = raw.partition(b"\r\n\r\n")[2]
    text = b"".join(line + b"\n" for line in body.replace(b"\r\n", b"\n").split(b"\n") if not _is_size(line))
    *blocks, _ = text.split(b"\n\n")
    return [seen.data["subject"] for block in blocks for seen in reader._block(block.decode())]  # noqa: SLF001 -- a test's own


def _is_size(line: bytes) -> bool:
    return bool(line) and all(digit in b"0123456789abcdef" for digit in line)


def test_one_key_has_so_many_streams(quick: Api, hubs: list[Hub]) -> None:
    readers = [reading(quick, PATH) for _ in range(4)]
    for reader in readers:
        reader.__enter__()
    refused = quick.ask("GET", PATH)
    assert (refused.status, refused.body["code"]) == (429, "too_many_requests")
    assert int(refused.headers["Retry-After"]) > 0
    with reading(quick, PATH, key=quick.new_key()) as other:
        assert other.status == 200
    for reader in readers:
        reader.__exit__(None, None, None)
    assert soon(lambda: not hubs[0].watched)
    with reading(quick, PATH) as again:
        assert again.status == 200


def test_who_leaves_leaves_nothing_behind(quick: Api, hubs: list[Hub]) -> None:
    (hub,) = hubs
    with reading(quick, PATH) as reader:
        saved(quick, "one")
        take(reader, 1)
        assert (hub.watched, hub.open) == (1, 1)
    loop = hub._loop  # noqa: SLF001 -- whose tasks are to be seen
    assert loop
    assert soon(lambda: (hub.watched, hub.open) == (0, 0))
    assert soon(lambda: not any(thread.name == "events" for thread in threading.enumerate()))
    assert soon(lambda: not any(_is_ours(task) for task in asyncio.all_tasks(loop)))


def _is_ours(task: "asyncio.Task[object]") -> bool:
    """All but the server's own: the request's task, and the one that waits for its end."""
    return "Server.serve" not in repr(task)


def test_a_server_that_stops_says_so(tmp_path: Path) -> None:
    with running(tmp_path) as api:
        stream = reading(api, PATH)
        reader = stream.__enter__()
        saved(api, "one")
        take(reader, 1)
        begun = time.monotonic()
    assert next(reader.events()).data == {"reason": "server_stops"}
    assert time.monotonic() - begun < 5
    stream.__exit__(None, None, None)


def test_a_stream_ends_when_its_time_is_over(tmp_path: Path) -> None:
    with running(tmp_path, stream_minutes=0.005) as api, reading(api, PATH) as reader:
        assert [(seen.name, seen.data) for seen in reader.events()] == [("closing", {"reason": "time"})]


def test_a_key_that_is_revoked_ends_its_streams(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.events.hub._KEYS_EVERY", 0.1)
    key = api.new_key()
    with reading(api, PATH, key=key) as reader, reading(api, PATH) as other:
        api.preflight.account(actor=ANNA).access.revoke_key(key.split("_")[2])
        assert [*reader.events()][-1].data == {"reason": "key_revoked"}
        saved(api, "one")
        assert take(other, 2)[1:] == ["chg_one"], "after the event of the key itself"


def test_a_slow_reader_harms_nobody_and_loses_nothing(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a reader that takes nothing while more is written than is kept for it, then others have it at once."""
    monkeypatch.setattr("web.events.topics._KEPT", 50)
    caught_up: list[int] = []
    page = Events.page

    def noted(of: Events, after: int, *arguments: Any) -> Page:
        caught_up.append(after)
        return page(of, after, *arguments)

    monkeypatch.setattr(Events, "page", noted)
    count, long_name = 400, "n" * 16000
    with reading(api, PATH, small=True) as slow, reading(api, PATH) as quick:
        for start in range(0, count, 100):
            saved(api, *(f"{number}{long_name}" for number in range(start, start + 100)))
            begun = time.monotonic()
            assert len(take(quick, 100)) == 100
            assert time.monotonic() - begun < 3
        found = take(slow, count)
    assert caught_up, "the system kept all of it for the slow reader: write more"
    assert found == [f"chg_{number}{long_name}" for number in range(count)]


def test_a_reader_that_is_hung_up_on_comes_back_to_all_the_rest(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a reader that takes nothing for so long that its connection is given up, then its last id leads on."""
    monkeypatch.setattr("web.protocol._READ_SECONDS", 0.3)
    count, long_name = 400, "n" * 16000
    found: list[str] = []
    with reading(api, PATH, small=True) as slow:
        saved(api, *(f"{number}{long_name}" for number in range(count)))
        time.sleep(2)
        with pytest.raises(ConnectionError):
            found += (seen.data["subject"] for seen in slow.events())
    assert len(found) < count
    with reading(api, PATH, last_id=slow.last_id) as again:
        found += take(again, count - len(found))
    assert found == [f"chg_{number}{long_name}" for number in range(count)]
