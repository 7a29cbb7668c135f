"""Handlers that cannot be one transaction with their answer, and those that fail in the middle."""

import ipaddress
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated

import pytest
from fastapi import Response
from fastapi.responses import StreamingResponse

from settings_store.access.roles import Right, Role
from tests.web.api import ANNA, Answer, Api, running
from web.access.granted import needs
from web.access.routing import GuardedRoute, router
from web.api import routes as all_routes
from web.documents import Document, Request
from web.repetition.header import METHODS
from web.repetition.once import asks_others, keeps_afterwards
from worker.service.account import Account

SECRET = "pl4nted-s3cret"
AFTERWARDS = [
    "alert_channels.test",
    "checks.create",
    "connecting.connect",
    "discoveries.create",
    "webhook_endpoints.test",
]
"""The operations that keep their answer afterwards."""
extra = router("extra")
Admin = Annotated[Account, needs(Right.ADMIN)]


class Note(Document):
    """What is answered."""

    keys: int


def _make_key(account: Account) -> Note:
    account.access.add_user(f"user {len(account.access.users())}", Role.SUPER_ADMIN)
    return Note(keys=len(account.access.users()))


@extra.post("/v1/extra/outside", operation_id="extra.outside")
@asks_others
def outside(account: Admin) -> Note:
    return _make_key(account)


@extra.post("/v1/extra/async", operation_id="extra.async")
async def asynchronous(account: Admin) -> Note:
    return _make_key(account)


@extra.post("/v1/extra/stream", operation_id="extra.stream")
def stream(account: Admin) -> Response:
    _make_key(account)
    return StreamingResponse(iter(["a", "b"]))


@extra.post("/v1/extra/fail", operation_id="extra.fail")
def fail(account: Admin) -> Note:
    _make_key(account)
    raise RuntimeError(SECRET)


@extra.post("/v1/extra/refuse", operation_id="extra.refuse")
def refuse(account: Admin) -> Response:
    _make_key(account)
    return Response("{}", 409)


@extra.post("/v1/extra/empty", operation_id="extra.empty", status_code=204)
def empty(account: Admin) -> None:
    _make_key(account)


class Text(Request):
    """What is sent."""

    text: str


@extra.post("/v1/extra/short", operation_id="extra.short", max_body_size=20)
def short(sent: Text, account: Admin) -> Note:
    del account
    return Note(keys=len(sent.text))


@extra.post("/v1/extra/long", operation_id="extra.long", max_body_size=3_000_000)
def long(sent: Text, account: Admin) -> Note:
    del account
    return Note(keys=len(sent.text))


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    """An API that has these handlers, too."""
    monkeypatch.setattr(all_routes, "RESOURCES", (*all_routes.RESOURCES, SimpleNamespace(routes=extra)))
    with running(tmp_path) as api:
        yield api


def _twice(api: Api, name: str) -> tuple[Answer, Answer]:
    headers = {"Idempotency-Key": name}
    first, second = (api.ask("POST", f"/v1/extra/{name}", headers=headers) for _ in range(2))
    return first, second


def _users(api: Api) -> int:
    return len(api.preflight.account(actor=ANNA).access.users())


@pytest.mark.parametrize("name", ["outside", "async"])
def test_an_answer_is_kept_afterwards(site: Api, name: str) -> None:
    first, second = _twice(site, name)
    assert (first.status, first.text) == (second.status, second.text) == (200, '{"keys":1}')
    assert second.headers["Idempotency-Replayed"] == "true"
    assert _users(site) == 1


def test_an_empty_answer_is_kept(site: Api) -> None:
    first, second = _twice(site, "empty")
    assert (first.status, first.text) == (second.status, second.text) == (204, "")
    assert _users(site) == 1


def test_an_answer_that_streams_is_refused_with_a_key_and_nothing_done(site: Api) -> None:
    first, _ = _twice(site, "stream")
    assert (first.status, first.body["errors"][0]["pointer"]) == (422, "header:Idempotency-Key")
    assert _users(site) == 0
    assert site.ask("POST", "/v1/extra/stream").text == "ab"


@pytest.mark.parametrize(("name", "status"), [("fail", 500), ("refuse", 409)])
def test_what_fails_in_the_middle_has_done_nothing(
    site: Api, caplog: pytest.LogCaptureFixture, name: str, status: int
) -> None:
    answers = _twice(site, name)
    assert [each.status for each in answers] == [status] * 2
    assert _users(site) == 0
    assert SECRET not in caplog.text + "".join(each.text for each in answers)


def test_whoever_keeps_an_answer_afterwards_is_known_here() -> None:
    """Where we are killed within, such a handler is called again: it must leave nothing that is then there twice."""
    routes = [route for resource in all_routes.RESOURCES for route in resource.routes.routes]
    late = [
        str(route.operation_id)
        for route in routes
        if isinstance(route, GuardedRoute) and METHODS & (route.methods or set()) and keeps_afterwards(route.endpoint)
    ]
    assert sorted(late) == sorted(AFTERWARDS)


def test_a_path_says_how_much_it_takes(site: Api) -> None:
    answers = [
        site.ask("POST", f"/v1/extra/{name}", {"text": "x" * length})
        for name, length in (("short", 8), ("short", 9), ("long", 2_900_000), ("long", 3_000_000))
    ]
    assert [each.status for each in answers] == [200, 413, 200, 413]
    assert [each.body["limit"] for each in answers if each.status == 413] == [20, 3_000_000]


def test_where_a_request_comes_from_is_what_our_proxy_says(tmp_path: Path) -> None:
    networks = (ipaddress.ip_network("127.0.0.0/8"),)
    with running(tmp_path, web_trusted_proxies=networks) as api:
        api.ask("GET", "/v1/changes/x", headers={"X-Forwarded-For": "203.0.113.9, 198.51.100.7"})
        access = api.preflight.account(actor=ANNA).access
        assert access.key(api.key.split("_")[2]).last_address == "198.51.100.7"
