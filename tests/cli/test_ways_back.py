"""A whole way with real servers: a wrong password in a change, the way back, and going on after a correction."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.demo.directory import Directory
from cli.demo.sandbox import MailServer, running_sandbox
from cli.failures import Status
from tests.cli.planted import Planted

NAMES = [f"{name}@demo.example" for name in ("ada", "bob", "eve")]
RIGHT = dict.fromkeys(NAMES, "right")


@pytest.fixture(scope="module")
def server() -> Iterator[MailServer]:
    level = logging.getLogger("mail.log").level
    with running_sandbox(Directory(RIGHT, {}), Directory(RIGHT, {})) as sandbox:
        yield sandbox.old
    logging.getLogger("mail.log").setLevel(level)


@pytest.fixture
def verify(server: MailServer, tmp_path: Path) -> list[str]:
    """The command that verifies the server's settings."""
    ca = tmp_path / "ca.pem"
    ca.write_text(server.ca_pem)
    return [
        *("verify", "demo.example", "--json", "--ca-file", str(ca)),
        *("--imap", f"127.0.0.1:{server.imap_port}", "--imap-security", "starttls"),
        *("--smtp", f"127.0.0.1:{server.smtp_port}", "--smtp-security", "starttls"),
    ]


def csv(folder: Path, **wrong: str) -> str:
    """A file in which those named have another password."""
    file = folder / "boxes.csv"
    lines = (f"{address},{wrong.get(address.partition('@')[0], 'right')}" for address in NAMES)
    file.write_text("\n".join(["address,password", *lines, ""]))
    return str(file)


def test_a_corrected_import_is_what_resume_tries(planted: Planted, verify: list[str], tmp_path: Path) -> None:
    """Given a wrong password that was imported, when the right one is, then that mailbox alone is tried again."""
    planted.run("mailboxes", "import", "demo.example", csv(tmp_path, bob="wrong"))
    first = planted.run(*verify)
    assert (first.status, first.document["counts"]["will_disconnect"]) == (Status.UNSAFE, 1)
    change_id = first.document["change_id"]
    assert planted.run("resume", change_id).status == Status.USAGE  # nothing to go on with yet

    replaced = planted.run("mailboxes", "import", "demo.example", csv(tmp_path))
    resumed = planted.run("resume", change_id, "--json")

    assert "Stored credentials replaced, and gone: bob@demo.example.\n" in replaced.out
    assert (resumed.status, resumed.document["counts"]["keeps_working"]) == (Status.SAFE, 3)
    assert [event["kind"] for event in planted.run("history", "demo.example", "--json").document].count(
        "change.resumed"
    ) == 1


def test_a_wrong_password_in_a_change_disconnects_nobody(planted: Planted, verify: list[str], tmp_path: Path) -> None:
    """Given three that work, when a change brings a wrong password, then its report says so, and `discard` ends it."""
    planted.run("mailboxes", "import", "demo.example", csv(tmp_path))
    applied = planted.run("apply", planted.run(*verify).document["change_id"], "--watch-minutes", "0")
    assert applied.out.startswith("Applied to demo.example; 0 mailboxes will disconnect.")

    change = planted.run(*verify, "--mailboxes", csv(tmp_path, eve="wrong")).document
    (worse,) = [box for box in change["mailboxes"] if box["impact"] == "will_disconnect"]
    assert (worse["address"], worse["code"]) == ("eve@demo.example", "auth.rejected")
    assert planted.run("apply", change["change_id"]).status == Status.USAGE
    assert planted.run("discard", change["change_id"]).status == 0

    assert planted.run(*verify).document["counts"]["keeps_working"] == 3
