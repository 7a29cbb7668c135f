"""The demo as it is run: what was planted is in the report, and nothing is left behind."""

import io
import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from checks.language import Language
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


def demo(language: Language = Language.EN, width: int = 200) -> str:
    output = io.StringIO()
    run_demo(SafeConsole(file=output, width=width), language)
    return output.getvalue()


@pytest.mark.usefixtures("folder")
def test_all_of_it_is_in_the_language() -> None:
    text = demo(Language.JA, 50)

    assert "体験用の環境です" in text.splitlines()[0]
    assert "何も有効にしていません" in text
    assert "切断されるメールボックス" in text
    english = ("sandbox", "Nothing took effect", "Would disconnect", "What next", "Servers")
    assert not [words for words in english if words in text]


def test_the_report_finds_what_was_planted(folder: Path) -> None:
    text = demo()

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
