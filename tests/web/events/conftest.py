"""What all tests of waiting share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from fastapi import FastAPI

import web.app
from settings_store import schema
from tests.web.api import Api, running
from web.events.hub import Hub
from web.problems.problem import Translate
from worker.service.preflight import Preflight


@pytest.fixture(autouse=True)
def hubs(monkeypatch: pytest.MonkeyPatch) -> list[Hub]:
    """The hub of each server that is made."""
    made: list[Hub] = []

    def make_app(preflight: Preflight, translate: Translate) -> FastAPI:
        app = web.app.make_app(preflight, translate)
        made.append(app.state.hub)
        return app

    monkeypatch.setattr("web.server.make_app", make_app)
    return made


@pytest.fixture(autouse=True)
def _quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """News is looked for twenty times a second: the tests wait for each look."""
    monkeypatch.setattr("web.events.hub._QUICK", 0.05)
    monkeypatch.setattr("web.events.hub._IDLE", 0.05)


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    """An API where nothing has happened yet: the event of its own key is taken away, and the next one is the first."""
    with running(tmp_path) as found:
        with found.preflight.database.begin() as conn:
            conn.execute(sa.delete(schema.events))
        yield found
