"""What all tests of the command share."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.planted import Planted


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the data folder of whoever runs it."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in [name for name in os.environ if name.startswith(("MAIL_PREFLIGHT_", "XDG_"))]:
        monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that is called in the tests' process does not split it in two."""
    monkeypatch.setattr("worker.watchdog.begin", list)


@pytest.fixture
def planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Planted]:
    """A database that the command uses, to plant rows in."""
    planted = Planted(tmp_path, monkeypatch, capsys)
    yield planted
    planted.database.close()


@pytest.fixture
def tokyo() -> Iterator[None]:
    """Local time is that of Tokyo, so that it is not UTC by chance."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        yield
    time.tzset()
