"""How often a key may ask."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.servers.stores import sqlite_store
from tests.web.api import running
from tests.web.test_changes import IMAP

NOTHING = "/v1/changes/chg_nothing"
SAVE = "/v1/domains/example.com/changes"


def test_each_kind_has_its_own_count_and_says_how_it_stands(tmp_path: Path) -> None:
    with running(tmp_path, web_rate_read=2, web_rate_write=3, web_rate_expensive=1) as api:
        reads = [api.ask("GET", NOTHING) for _ in range(3)]
        saves = [api.ask("POST", SAVE, {"settings": IMAP}) for _ in range(2)]
        other = api.ask("GET", NOTHING, key=api.new_key())
    assert [each.status for each in reads] == [404, 404, 429]
    assert [each.headers["RateLimit-Policy"] for each in reads] == ['"read";q=2;w=60'] * 3
    assert [re.sub("t=[0-9]+", "t=", each.headers["RateLimit"]) for each in reads] == [
        '"read";r=1;t=',
        '"read";r=0;t=',
        '"read";r=0;t=',
    ]
    assert [each.status for each in saves] == [201, 429]
    assert saves[1].headers["RateLimit-Policy"] == '"write";q=3;w=60, "expensive";q=1;w=60'
    assert saves[1].body["violated_policies"] == ["expensive"]
    assert 1 <= int(saves[1].headers["Retry-After"]) == saves[1].body["retry_after"] <= 60
    assert other.status == 404


def test_wrong_keys_are_told_to_wait_and_a_right_one_is_served(tmp_path: Path) -> None:
    with running(tmp_path, web_rate_failures=2) as api:
        answers = [api.ask("GET", NOTHING, key=key) for key in ("mp_live_x", None, "x", api.key)]
    assert [each.status for each in answers] == [401, 401, 429, 404]
    assert answers[2].body["violated_policies"] == ["failures"]


def test_no_limit_says_nothing(tmp_path: Path) -> None:
    with running(tmp_path, web_rate_read=0) as api:
        answer = api.ask("GET", NOTHING)
    assert "RateLimit" not in answer.headers


def test_processes_count_together_and_go_on_without_redis(
    tmp_path: Path, redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    store = sqlite_store(tmp_path / "preflight.db")
    config: dict[str, Any] = {"broker_url": redis_url, "web_rate_read": 2, "database_url": store}
    with running(tmp_path, **config) as one, running(tmp_path, **config) as two:
        answers = [api.ask("GET", NOTHING, key=one.key) for api in (one, two, one)]
    assert [each.status for each in answers] == [404, 404, 429]
    with running(tmp_path / "alone", broker_url="redis://127.0.0.1:1/0", web_rate_read=1) as api:
        assert [api.ask("GET", NOTHING).status for _ in range(3)] == [404] * 3
    assert caplog.text.count("Redis is away") == 1
