"""What is seen of requests from outside: metrics by route, the access log, and nothing of what was in them."""

import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.flows.harness import wait_for
from tests.web.api import Api, running
from tests.web.test_processes import all_of
from worker.metrics import counters

PLANTED = "planted-word"
SAMPLE = re.compile(
    r'^mail_preflight_http_requests_total\{method="(\w+)",route="([^"]*)",status="(\w+)"\} (\S+)$', re.M
)
FIELDS = {"at", "event", "method", "route", "status", "ms", "request_id", "key_id", "account_id", "address"}


@pytest.fixture
def logged(tmp_path: Path) -> Iterator[Api]:
    """An API that writes its access log."""
    with running(tmp_path, access_log="json") as api:
        yield api


def lines(capsys: pytest.CaptureFixture[str], count: int) -> list[dict[str, Any]]:
    """So many lines: one is written when its request is over, which is a little after its answer."""
    written: list[str] = []

    def enough() -> bool:
        written.append(capsys.readouterr().err)
        return "".join(written).count("\n") >= count

    wait_for(enough, f"{count} lines", 10)
    return [json.loads(line) for line in "".join(written).splitlines()]


def test_requests_are_counted_by_the_template_of_their_route(api: Api) -> None:
    with counters.serve(0, "127.0.0.1", api.preflight.database) as port:
        for number in range(3):
            assert api.ask("GET", f"/v1/changes/chg_{PLANTED}{number}").status == 404
            assert api.ask("GET", f"/{PLANTED}/{number}?{PLANTED}={number}").status == 404
        assert api.ask(PLANTED.replace("-", "").upper(), "/v1/incidents").status == 405
        assert api.ask("GET", "/v1/incidents", key=None).status == 401
        assert api.ask("GET", "/healthz").status == 200
        metrics = f"http://127.0.0.1:{port}/metrics"
        wait_for(
            lambda: 'requests_total{method="GET",route="/healthz"' in requests.get(metrics, timeout=10).text, "all"
        )
        text = requests.get(metrics, timeout=10).text
    found = {(method, route, status): float(count) for method, route, status, count in SAMPLE.findall(text)}
    assert found == {
        ("GET", "/v1/changes/{change_id}", "4xx"): 3,
        ("GET", "unknown", "4xx"): 4,  # one of them had no key, and was not looked at further
        ("other", "/v1/incidents", "4xx"): 1,
        ("GET", "/healthz", "2xx"): 1,
    }
    assert 'mail_preflight_http_request_seconds_count{method="GET",route="unknown"} 4.0' in text
    assert "mail_preflight_http_streams_open 0.0" in text
    assert "mail_preflight_http_rate_limited_total 0.0" in text
    assert PLANTED not in text


def test_the_access_log_has_a_line_for_a_request_and_nothing_of_what_was_in_it(
    logged: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    body = {"settings": PLANTED}
    answer = logged.ask(
        "POST", f"/v1/domains/{PLANTED}.example/changes?q={PLANTED}", body, headers={"X-Planted": PLANTED}
    )
    assert answer.status == 422
    logged.ask("GET", f"/{PLANTED}", key=f"mp_live_{PLANTED}")
    logged.ask("GET", "/healthz")
    first, second = lines(capsys, 2)
    written = json.dumps([first, second])

    assert first.keys() == second.keys() == FIELDS
    assert first["request_id"] == answer.body["request_id"]
    told = {name: first[name] for name in ("event", "method", "route", "status", "account_id", "address")}
    assert told == {
        "event": "request",
        "method": "POST",
        "route": "/v1/domains/{domain}/changes",
        "status": 422,
        "account_id": 1,
        "address": "127.0.0.1",
    }
    assert first["key_id"] in logged.key
    assert first["ms"] > 0
    assert (second["status"], second["key_id"], second["route"]) == (401, None, "unknown")
    assert PLANTED not in written
    assert logged.key not in written


def test_no_request_can_write_a_line_of_its_own(logged: Api, capsys: pytest.CaptureFixture[str]) -> None:
    port = int(logged.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(
            b'GET /%0a%7b%22event%22:%22forged%22%7d HTTP/1.1\r\nHost: x\r\nX-Request-Id: a%0d%0aforged"\r\n'
            b"Connection: close\r\n\r\n"
        )
        assert all_of(connection).startswith(b"HTTP/1.1 401 ")
    (line,) = lines(capsys, 1)
    assert "forged" not in json.dumps(line)


def test_one_who_goes_away_is_told_of_too(logged: Api, capsys: pytest.CaptureFixture[str]) -> None:
    """Given a body that never comes: when the connection ends, the request does, in the log as well."""
    port = int(logged.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        head = (
            f"POST /v1/maintenance HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {logged.key}\r\nContent-Length: 9\r\n"
        )
        connection.sendall(head.encode() + b"Content-Type: application/json\r\n\r\n{")
        assert logged.ask("GET", "/v1/incidents").status == 200  # so that the first has begun
    found = lines(capsys, 2)
    assert {line["route"] for line in found} == {"/v1/incidents", "/v1/maintenance"}


def test_off_it_writes_nothing(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    assert api.ask("GET", "/v1/incidents").status == 200
    assert api.ask("GET", "/v1/incidents").status == 200  # the first is over
    assert capsys.readouterr().err == ""


def test_our_own_failure_is_told_without_its_words(
    logged: Api, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a failure whose words hold what was sent: the log has where it was, and the answer its request's id."""

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(PLANTED)

    monkeypatch.setattr(logged.preflight, "account_by_id", fail)
    answer = logged.ask("GET", "/v1/incidents")
    assert (answer.status, answer.headers["X-Request-Id"]) == (500, answer.body["request_id"])
    assert answer.headers["Cache-Control"] == "no-store"
    (line,) = lines(capsys, 1)
    assert (line["status"], line["request_id"]) == (500, answer.body["request_id"])
    assert "RuntimeError at test_observed.py:" in caplog.text
    assert PLANTED not in caplog.text + answer.text + json.dumps(line)
