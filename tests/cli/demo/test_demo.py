"""The demo as it is run: what was planted is in the report, and nothing is left behind."""

import io
import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.console import SafeConsole
from cli.demo import run_demo


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where temporary folders go for once; the environment says that the demo has no business to listen."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("MAIL_PREFLIGHT_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    monkeypatch.setenv("MAIL_PREFLIGHT_BROKER_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("MAIL_PREFLIGHT_ALLOW_NETWORKS", "10.0.0.0/8")
    level = logging.getLogger("mail.log").level
    yield tmp_path
    logging.getLogger("mail.log").setLevel(level)


def test_the_report_finds_what_was_planted(folder: Path) -> None:
    output = io.StringIO()
    run_demo(SafeConsole(file=output, width=200))
    text = output.getvalue()

    counts = "45 keep working, 9 would disconnect, 2 would connect again, 3 are disconnected already, 1 cannot be told"
    assert counts in text
    for cause in (
        "5 would disconnect: auth.rejected",
        "2 would disconnect: auth.app_password_required",
        "1 would disconnect: auth.locked",
        "1 would disconnect: auth.protocol_disabled",
        "1 cannot be told: auth.temporary",
        "3 are disconnected already: auth.rejected",
    ):
        assert cause in text
    assert text.count("allow insecure certificate” is needed") == 2
    assert list(folder.iterdir()) == []
