"""Handlers that cannot be one transaction with their answer, and those that fail in the middle."""

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
from web.access.routing import router
from web.api import routes as all_routes
from web.documents import Document
from web.repetition.once import asks_others
from worker.service.account import Account

SECRET = "pl4nted-s3cret"
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
