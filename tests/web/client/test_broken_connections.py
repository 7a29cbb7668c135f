"""Answers that are lost, streams that break, a service that is busy: nothing happens twice, nothing is missed."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import mail_preflight_client.streams
import mail_preflight_client.transport
import pytest
import requests
from mail_preflight_client import ApiError, Client, StreamInterrupted

from tests.web.api import Api
from tests.web.client.between import Between, between

Settings = dict[str, Any]
UNDER_WAY = b'{"code": "under_way", "detail": "the first one goes on"}'


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the client would have paused. It does not."""
    found: list[float] = []
    for module in (mail_preflight_client.transport, mail_preflight_client.streams):
        monkeypatch.setattr(module, "time", SimpleNamespace(sleep=found.append))  # others here sleep, too
    return found


@pytest.fixture
def proxy(site: Api) -> Iterator[Between]:
    with between(site.place) as found:
        yield found


@pytest.fixture
def far(proxy: Between, site: Api) -> Iterator[Client]:
    """A client with the proxy between."""
    with Client(proxy.url, site.key) as found:
        yield found


def keys_of(proxy: Between) -> set[bytes]:
    lines = b"\r\n".join(proxy.heads).split(b"\r\n")
    return {line for line in lines if line.lower().startswith(b"idempotency-key:")}


def test_a_save_whose_answers_are_lost_is_one_change(far: Client, proxy: Between, nobody_there: Settings) -> None:
    proxy.lose(2)
    saved = far.changes.create("lost.example", nobody_there)
    assert [each["id"] for each in far.changes.list("lost.example")] == [saved["id"]]
    assert len(keys_of(proxy)) == 1


def test_two_saves_are_two(far: Client, proxy: Between, nobody_there: Settings) -> None:
    first, second = (far.changes.create("two.example", nobody_there)["id"] for _ in range(2))
    assert [each["id"] for each in far.changes.list("two.example")] == [second, first]
    assert len(keys_of(proxy)) == 2


@pytest.mark.parametrize(
    ("status", "body", "header", "paused"),
    [
        ("429 Too Many", b"", "Retry-After: 7", 7.0),
        ("503 Away", b"", "Retry-After: 3600", 60.0),
        ("502 Bad Gateway", b"<html>", "Server: proxy", 0.5),
        ("409 Conflict", UNDER_WAY, "Retry-After: 1", 1.0),
    ],
)
def test_what_passes_is_waited_for(
    far: Client, proxy: Between, pauses: list[float], status: str, body: bytes, header: str, paused: float
) -> None:
    proxy.answer(status, body, header)
    assert far.domains.put("passes.example")["name"] == "passes.example"
    assert paused in pauses


def test_what_does_not_pass_is_said_at_once(far: Client, proxy: Between, pauses: list[float]) -> None:
    proxy.answer("409 Conflict", b'{"code": "conflict", "detail": "no"}')
    with pytest.raises(ApiError, match="409 conflict: no"):
        far.request("POST", "/v1/domains/x.example/pause")
    proxy.answer("302 Found", b"", "Location: http://127.0.0.1:1/")
    with pytest.raises(ApiError, match="302") as moved:
        far.domains.get("x.example")
    assert (moved.value.code, moved.value.errors) == ("", [])
    assert pauses == []


def test_it_gives_up(far: Client, proxy: Between) -> None:
    proxy.lose(4)
    with pytest.raises(requests.ConnectionError):
        far.domains.put("gives-up.example")
    for _ in range(4):
        proxy.answer("503 Away")
    with pytest.raises(ApiError, match="503"):
        far.domains.put("gives-up.example")


def test_a_stream_of_mailboxes_is_sent_once(far: Client, proxy: Between) -> None:
    """It could not be read again."""
    proxy.lose()
    with pytest.raises(requests.ConnectionError):
        far.mailboxes.upsert("once.example", [{"address": "ada@once.example", "password": "planted"}])


def test_a_change_is_followed_to_its_end(client: Client, nobody_there: Settings) -> None:
    saved = client.changes.create("follow.example", nobody_there)
    seen = list(client.follow_change(saved["id"]))
    assert next(each.name for each in seen if each.id) == "change.saved"
    assert seen[-1].name == "finished"
    assert seen[-1].data["state"] == "verified"
    assert [each.id for each in seen if each.id] == sorted({each.id for each in seen if each.id})


@pytest.mark.parametrize("cut", [300, 700, 1100])
def test_a_stream_that_is_cut_is_gone_on_with(
    client: Client, far: Client, proxy: Between, nobody_there: Settings, cut: int
) -> None:
    """Wherever it breaks, each stored event comes once."""
    saved = client.changes.create(f"cut{cut}.example", nobody_there)
    client.wait_for_change(saved["id"], timeout=60)
    whole = [each.id for each in client.follow_change(saved["id"]) if each.id]
    proxy.plans += [cut, cut]
    seen = list(far.follow_change(saved["id"]))
    assert [each.id for each in seen if each.id] == whole
    assert seen[-1].name == "finished"
    assert not proxy.plans


def test_a_service_that_is_away_for_a_while(far: Client, proxy: Between, nobody_there: Settings) -> None:
    saved = far.changes.create("away.example", nobody_there)
    with Client(
        proxy.url, far.request("POST", "/v1/api-keys", {"name": "reader", "scopes": ["read"]})["key"]
    ) as reader:
        for _ in range(3):
            proxy.answer("503 Away")
        assert [each.name for each in reader.follow_change(saved["id"])][-1] == "finished"
        for _ in range(10):
            proxy.answer("503 Away")
        with pytest.raises(ApiError, match="503"):
            list(reader.follow_change(saved["id"]))


def test_what_cannot_be_followed(client: Client, nobody_there: Settings) -> None:
    saved = client.changes.create("resync.example", nobody_there)
    with pytest.raises(StreamInterrupted) as lost:
        list(client.follow_change(saved["id"], after="evt_999999999999"))
    assert lost.value.latest_id
    with pytest.raises(ApiError, match="404"):
        list(client.follow_change("chg_" + "0" * 32))


def test_a_change_that_is_removed_meanwhile(api: Api, nobody_there: Settings) -> None:
    """Given a service without workers, whose streams go on until something happens."""
    with Client(api.url, api.key) as client:
        saved = client.changes.create("removed.example", nobody_there)
        with pytest.raises(StreamInterrupted, match="removed"):
            for frame in client.follow_change(saved["id"]):
                if frame.name == "progress":
                    api.ask("DELETE", "/v1/domains/removed.example?confirm=removed.example")
