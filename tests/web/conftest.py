"""What all tests of the API share."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web.api import Api, running


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the data folder of whoever runs it."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in [name for name in os.environ if name.startswith(("MAIL_PREFLIGHT_", "XDG_"))]:
        monkeypatch.delenv(name)


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    """An API with an empty store. Nobody works on verifications."""
    with running(tmp_path) as found:
        yield found


@pytest.fixture(scope="module")
def shared_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """One API for all tests of a file, each of which has domains of its own."""
    with running(tmp_path_factory.mktemp("shared")) as found:
        yield found
