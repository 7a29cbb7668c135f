"""What all tests of the command share."""

import os
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the data folder of whoever runs it."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in [name for name in os.environ if name.startswith(("MAIL_PREFLIGHT_", "XDG_"))]:
        monkeypatch.delenv(name)
