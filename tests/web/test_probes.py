"""Whether the service lives and can answer, as a load balancer asks."""

import logging
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.web.api import Api, running
from web import probes
from worker.metrics import readiness


def test_who_lives_says_so_to_everybody(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        answer = api.ask("GET", "/healthz", key=None)
    assert (answer.status, answer.body) == (200, {"status": "ok"})
    assert [record for record in caplog.records if record.levelno >= logging.INFO] == []


def test_ready_names_each_part(api: Api) -> None:
    answer = api.ask("GET", "/readyz", key=None)
    assert answer.status == 200, answer.text
    assert answer.body == {"status": "ok", "parts": {"database": "ok", "schema": "ok", "broker": "ok"}}


def test_a_schema_of_another_version_is_not_ready_and_alive_all_the_same(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probes, "_KEPT_SECONDS", -1.0)
    with api.preflight.database.begin() as conn:
        conn.execute(sa.text("UPDATE alembic_version SET version_num = '0010'"))
    answer = api.ask("GET", "/readyz", key=None)
    assert (answer.status, answer.body["code"]) == (503, "unavailable")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.body["parts"] == {"database": "ok", "schema": "is not this version's", "broker": "ok"}
    assert api.ask("GET", "/healthz", key=None).status == 200


def test_a_broker_that_is_away_is_named_without_its_password(api: Api) -> None:
    found = readiness.readiness(api.preflight.database, "redis://:planted-password@127.0.0.1:1/0")
    assert dict(found.parts) == {"database": "ok", "schema": "ok", "broker": "does not answer"}
    assert not found.ready


def test_a_database_that_is_away_is_named_without_its_place(tmp_path: Path) -> None:
    with running(tmp_path, database_url=f"sqlite:///{tmp_path}/gone/p.db") as api:
        api.preflight.database.close()
        for file in (tmp_path / "gone").iterdir():
            file.unlink()
        (tmp_path / "gone").rmdir()
        answer = api.ask("GET", "/readyz", key=None)
    assert answer.status == 503, answer.text
    assert answer.body["parts"]["database"] == "does not answer"
    assert str(tmp_path) not in answer.text


def test_what_was_found_is_kept_for_a_moment(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Anybody may ask, so asking often must not mean asking the database often."""
    asked: list[object] = []

    def counted(*parts: Any) -> readiness.Readiness:
        asked.append(parts)
        return real(*parts)

    real = readiness.readiness
    monkeypatch.setattr("worker.metrics.readiness.readiness", counted)
    monkeypatch.setattr(probes, "_KEPT_SECONDS", 60.0)
    for _ in range(3):
        assert api.ask("GET", "/readyz", key=None).status == 200
    assert len(asked) == 1
