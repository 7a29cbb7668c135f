"""`GET /v1/changes/{id}?wait=`: answered at once where there is news, else when it comes or the time is up."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.web.api import ANNA, Answer, Api, running
from tests.web.events.reading import soon
from tests.web.test_changes import IMAP
from web.events.hub import Hub


def save(api: Api) -> str:
    return str(api.ask("POST", "/v1/domains/example.com/changes", {"settings": IMAP}).headers["Location"])


def timed(api: Api, path: str, **options: object) -> tuple[Answer, float]:
    begun = time.monotonic()
    answer = api.ask("GET", path, **options)
    return answer, time.monotonic() - begun


def cancel(api: Api, change: str) -> None:
    api.preflight.account(actor=ANNA).changes.cancel(change.rpartition("_")[2])


@contextmanager
def cancelled_meanwhile(api: Api, change: str, hub: Hub) -> Iterator[None]:
    """The change is cancelled once somebody waits for its news, and not before."""
    found: list[bool] = []

    def later() -> None:
        found.append(soon(lambda: hub.open == 1))
        cancel(api, change)

    thread = threading.Thread(target=later)
    thread.start()
    yield
    thread.join(10)
    assert found == [True], "nobody waited"


def test_the_answer_comes_with_the_news(api: Api, hubs: list[Hub]) -> None:
    change = save(api)
    with cancelled_meanwhile(api, change, hubs[0]):
        answer, seconds = timed(api, f"{change}?wait=20")
    assert (answer.status, answer.body["state"]) == (200, "draft")
    assert seconds < 10


def test_nobody_waits_for_what_is_there(api: Api) -> None:
    change = save(api)
    assert timed(api, f"{change}?wait=20&state=draft")[1] < 5
    cancel(api, change)
    assert timed(api, f"{change}?wait=20")[1] < 5
    assert timed(api, f"{change}?wait=20&state=verifying")[1] < 5


def test_when_the_time_is_up_it_is_as_it_is(api: Api) -> None:
    answer, seconds = timed(api, f"{save(api)}?wait=1")
    assert (answer.status, answer.body["state"]) == (200, "verifying")
    assert 0.9 < seconds < 5


def test_what_is_known_is_not_sent_again(api: Api, hubs: list[Hub]) -> None:
    change = save(api)
    known = api.ask("GET", change).headers["ETag"]
    answer, seconds = timed(api, f"{change}?wait=1", headers={"If-None-Match": known})
    assert (answer.status, answer.text, answer.headers["ETag"]) == (304, "", known)
    assert seconds > 0.9
    assert api.ask("GET", change, headers={"If-None-Match": known}).status == 304
    with cancelled_meanwhile(api, change, hubs[0]):
        answer, seconds = timed(api, f"{change}?wait=20", headers={"If-None-Match": known})
    assert (answer.status, answer.body["state"]) == (200, "draft")
    assert answer.headers["ETag"] != known and seconds < 10


@pytest.mark.parametrize("query", ["wait=61", "wait=-1", "wait=soon", "wait=1&state=asleep"])
def test_a_wait_that_cannot_be(api: Api, query: str) -> None:
    assert api.ask("GET", f"{save(api)}?{query}").status == 422


def test_another_accounts_change_is_not_waited_for(api: Api) -> None:
    api.preflight.add_account("other", ANNA)
    answer, seconds = timed(api, f"{save(api)}?wait=20", key=api.new_key("other"))
    assert answer.status == 404 and seconds < 5


def test_a_server_that_stops_answers(tmp_path: Path, hubs: list[Hub]) -> None:
    found: list[Answer] = []
    with running(tmp_path) as api:
        change = save(api)
        waiting = threading.Thread(target=lambda: found.append(timed(api, f"{change}?wait=60")[0]))
        waiting.start()
        assert soon(lambda: hubs[0].open == 1)
        begun = time.monotonic()
    waiting.join(10)
    assert time.monotonic() - begun < 8
    assert [answer.status for answer in found] == [200]
