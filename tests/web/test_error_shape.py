"""Every failure of every route is one problem document. New routes are asked by themselves: the app is walked."""

import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from requests.structures import CaseInsensitiveDict

from settings_store.access.roles import RIGHTS, Right, Role
from tests.web.api import Answer, Api, running
from web.access.routing import GuardedRoute
from web.api.routes import RESOURCES
from web.problems.codes import KINDS, ProblemCode
from web.request_ids import HEADERS

ROUTES = [route for resource in RESOURCES for route in resource.routes.routes if isinstance(route, GuardedRoute)]
GUARDED = [route for route in ROUTES if route.needs is not None]
WITH_BODY = [route for route in GUARDED if route.body_field is not None]
NAMED = [route for route in GUARDED if "{" in route.path]
MEMBERS = ["type", "title", "status", "detail", "instance", "code", "request_id"]
PLANTED = "pl4nted-s3cret"
_OURS = re.compile(r"Traceback|File \"|sqlalchemy|psycopg|sqlite3|pydantic|fastapi|starlette|" + PLANTED)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """One API for all of these: none of them changes anything."""
    with running(tmp_path_factory.mktemp("shape"), web_rate_failures=0, web_rate_read=0, web_rate_write=0) as api:
        yield api


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """An API whose database has become something else."""
    folder: Path = tmp_path_factory.mktemp("broken")
    with running(folder, web_rate_failures=0, web_rate_read=0, web_rate_write=0) as api:
        api.preflight.database.close()
        for file in folder.glob("preflight.db*"):
            file.write_bytes(b"no database " * 1000)
        yield api


def _key(site: Api, route: GuardedRoute) -> str:
    """One that may have the route: an operator's for what is theirs, a test key for what is the sandbox's."""
    if route.path.startswith("/v1/test/"):
        site.test_key = site.test_key or site.new_key(live=False)
        return site.test_key
    if route.needs is None or not route.needs.right or route.needs.right in RIGHTS[Role.HOST_APP]:
        return site.key
    site.operators_key = site.operators_key or site.new_key(role=Role.OPERATOR)
    return site.operators_key


def _name(route: GuardedRoute) -> str:
    return f"{_method(route)} {route.path}"


def _method(route: GuardedRoute) -> str:
    return min(route.methods or ())


def _address(route: GuardedRoute, value: str = "nothing") -> str:
    return re.sub(r"\{[^}]*\}", value, route.path)


def _require_problem(answer: Answer, *codes: str) -> dict[str, Any]:
    document: dict[str, Any] = answer.body
    assert answer.headers["Content-Type"] == "application/problem+json", answer.text
    assert document["code"] in codes, answer.text
    assert all(document[member] for member in MEMBERS), answer.text
    kind = KINDS[ProblemCode(document["code"])]
    assert (document["status"], document["title"]) == (answer.status, kind.title) == (kind.status, kind.title)
    assert document["type"] == "/problems/" + document["code"].replace("_", "-")
    assert answer.headers["X-Request-Id"] == document["request_id"]
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert not any(name.lower().startswith("access-control") for name in answer.headers)
    assert not _OURS.search(answer.text), answer.text
    return document


@pytest.mark.parametrize("route", GUARDED, ids=_name)
def test_no_key(site: Api, route: GuardedRoute) -> None:
    answer = site.ask(_method(route), _address(route), key=None)
    _require_problem(answer, "no_key")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("route", GUARDED, ids=_name)
def test_wrong_key(site: Api, route: GuardedRoute) -> None:
    wrong = site.key[:-1] + ("0" if site.key[-1] != "0" else "1")
    _require_problem(site.ask(_method(route), _address(route), key=wrong), "invalid_key")
    _require_problem(site.ask(_method(route), _address(route), key=PLANTED), "invalid_key")


@pytest.mark.parametrize("route", [route for route in GUARDED if route.needs and route.needs.right], ids=_name)
def test_no_right(site: Api, route: GuardedRoute) -> None:
    assert route.needs is not None
    key = site.new_key(scopes=RIGHTS[Role.HOST_APP] - {route.needs.right, Right.CONNECT})
    document = _require_problem(site.ask(_method(route), _address(route), b"{", key=key), "not_allowed")
    assert document["required_scope"] == route.needs.right


@pytest.mark.parametrize("value", ["nothing", "%00", "%ff", "a%00b", "%F0%9F%98%80", "x" * 3000])
@pytest.mark.parametrize("route", NAMED, ids=_name)
def test_what_is_no_id_of_ours(site: Api, route: GuardedRoute, value: str) -> None:
    answer = site.ask(_method(route), _address(route, value), key=_key(site, route))
    assert 400 <= answer.status < 500, answer.text
    expected = ["not_found"] if value in {"%00", "%ff", "a%00b"} else list(KINDS)
    _require_problem(answer, *expected)


@pytest.mark.parametrize("body", [b"{", b"", b"\xff", b'{"a": NaN}', b'{"a": 1, "a": 2}', b"[" * 70_000])
@pytest.mark.parametrize("route", WITH_BODY, ids=_name)
def test_malformed_body(site: Api, route: GuardedRoute, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = site.ask(_method(route), _address(route), body, headers=headers, key=_key(site, route))
    assert route.body_field is not None
    if body:
        _require_problem(answer, "malformed_body")
    elif route.body_field.field_info.is_required():
        _require_problem(answer, "invalid_request")


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "application/json; charset=utf-16", "a", None])
@pytest.mark.parametrize("route", WITH_BODY, ids=_name)
def test_wrong_media_type(site: Api, route: GuardedRoute, kind: str | None) -> None:
    headers = {"Content-Type": kind} if kind else {}
    answer = site.ask(_method(route), _address(route), b"{}", headers=headers, key=_key(site, route))
    _require_problem(answer, "unsupported_media_type")


@pytest.mark.parametrize("route", WITH_BODY, ids=_name)
def test_too_large(site: Api, route: GuardedRoute) -> None:
    with socket.create_connection(site.place) as client:
        head = (
            f"{_method(route)} {_address(route)} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {_key(site, route)}\r\n"
        )
        client.sendall(f"{head}Content-Length: {route.most_bytes + 1}\r\n\r\n".encode())
        answer = client.recv(4096)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"application/problem+json" in answer


@pytest.mark.parametrize("route", WITH_BODY, ids=_name)
def test_unknown_field(site: Api, route: GuardedRoute) -> None:
    answer = site.ask(_method(route), _address(route), {"unknown": PLANTED}, key=_key(site, route))
    document = _require_problem(answer, "invalid_request")
    # Of a body that has several shapes nothing is known before it says which it has.
    assert {"/unknown", ""} & {each["pointer"] for each in document["errors"]}


@pytest.mark.parametrize("route", ROUTES, ids=_name)
def test_wrong_method(site: Api, route: GuardedRoute) -> None:
    answer = site.ask("BREW", _address(route))
    _require_problem(answer, "method_not_allowed")
    assert _method(route) in answer.headers["Allow"].split(", ")


@pytest.mark.parametrize("route", GUARDED, ids=_name)
def test_a_query_that_cannot_be_stored(site: Api, route: GuardedRoute) -> None:
    answer = site.ask(_method(route), _address(route) + "?limit=1&name=a%00b", key=_key(site, route))
    document = _require_problem(answer, "invalid_request")
    assert [each["pointer"] for each in document["errors"]] == ["query:name"]


@pytest.mark.parametrize("route", GUARDED, ids=_name)
def test_broken_database(broken: Api, route: GuardedRoute) -> None:
    _require_problem(broken.ask(_method(route), _address(route)), "internal_error", "unavailable")


@pytest.mark.parametrize("path", ["/x", "/v1/no", "//v1/changes/x", "/v1/../v1/changes", "/v1/changes/", "/%2e%2e"])
def test_no_such_path(site: Api, path: str) -> None:
    with socket.create_connection(site.place) as client:  # clients tidy dots away
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {site.key}\r\n\r\n".encode())
        assert client.recv(100).startswith(b"HTTP/1.1 404 ")


@pytest.mark.parametrize(
    ("request_bytes", "code"),
    [
        (b"hello\r\n\r\n", "malformed_request"),
        (b"GET /v1/\xff HTTP/1.1\r\nHost: a\r\n\r\n", "malformed_request"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", "malformed_request"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nA: " + b"x" * 17_000, "headers_too_large"),
        (b"GET / HTTP/1.1\r\n\r\n", "malformed_request"),
    ],
)
def test_what_is_no_http_is_answered_alike(site: Api, request_bytes: bytes, code: str) -> None:
    with socket.create_connection(site.place) as client:
        client.sendall(request_bytes)
        head, _, body = b"".join(iter(lambda: client.recv(65536), b"")).partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    headers = CaseInsensitiveDict[str]({name: value for name, _, value in (line.partition(": ") for line in lines)})
    answer = Answer(int(status.split()[1]), headers, body.decode())
    document = answer.body | {"instance": "/"}  # there is no path that could be read
    _require_problem(Answer(answer.status, headers, json.dumps(document)), code)


def test_head_is_as_get_without_content(site: Api) -> None:
    got, asked = site.ask("GET", "/v1/openapi.json"), site.ask("HEAD", "/v1/openapi.json")
    assert (asked.status, asked.text) == (200, "")
    assert asked.headers["Content-Length"] == got.headers["Content-Length"]


def test_nobody_else_s_page_may_ask(site: Api) -> None:
    wanted = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    answer = site.ask("OPTIONS", "/v1/domains/example.com/changes", headers=wanted)
    _require_problem(answer, "method_not_allowed")
