"""Exit statuses: wrong usage is 2, what is down is 5 and says what to start, as the table says. `-` is a file."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cli import main
from cli.failures import Status
from tests.cli.planted import Planted

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"
VERIFY = ["verify", "demo.example", "--imap", "127.0.0.1:9", "--smtp", "127.0.0.1:9"]
CSV = "address,password\nada@demo.example,one\n"


@contextmanager
def standard_input(text: str) -> Iterator[None]:
    """A pipe with that in it, as a shell makes one."""
    kept = os.dup(0)
    reading, writing = os.pipe()
    os.write(writing, text.encode())
    os.close(writing)
    os.dup2(reading, 0)
    os.close(reading)
    try:
        yield
    finally:
        os.dup2(kept, 0)
        os.close(kept)


def test_the_table_has_every_status() -> None:
    section = OPERATIONS.read_text(encoding="utf-8").partition("## Exit statuses")[2].partition("\n## ")[0]
    assert list(map(int, re.findall(r"^\| (\d+) \|", section, re.MULTILINE))) == sorted(Status)


@pytest.mark.parametrize(
    ("name", "value", "arguments", "status", "words"),
    [
        ("DATABASE_URL", "postgresql://me:planted@127.0.0.1:1/name", ["domains"], 5, "start PostgreSQL, or correct"),
        ("DATABASE_URL", "mysql://me:planted@127.0.0.1/name", ["domains"], 2, "must be of SQLite or PostgreSQL"),
        ("DATABASE_URL", "sqlite:////proc/nowhere/store.db", ["domains"], 2, "cannot be used"),
        ("BROKER_URL", "redis://:planted@127.0.0.1:1/0", VERIFY, 5, "does not answer; start Redis, or correct the URL"),
        ("BROKER_URL", "amqp://me:planted@127.0.0.1/", VERIFY, 2, "is not usable: give memory:// or redis://"),
    ],
)
def test_what_is_down_is_told_from_what_is_wrong(
    planted: Planted,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    value: str,
    arguments: list[str],
    status: int,
    words: str,
) -> None:
    monkeypatch.setenv(f"MAIL_PREFLIGHT_{name}", value)

    said = planted.run(*arguments)

    assert (said.status, said.out, said.err.count("\n")) == (status, "", 1), said.err
    assert words in said.err
    assert "planted" not in said.err.replace("planted.db", "")


def test_a_database_that_goes_away_is_5(monkeypatch: pytest.MonkeyPatch, planted: Planted) -> None:
    from checks.model import Unavailable
    from cli.commands import health

    def away() -> object:
        raise Unavailable("the database is away; start it")

    monkeypatch.setattr(health, "open_account", away)

    assert planted.run("health").status == Status.UNAVAILABLE


def test_mailboxes_come_from_standard_input(planted: Planted) -> None:
    with standard_input(CSV):
        said = planted.run("mailboxes", "import", "demo.example", "-")
    assert (said.status, said.out) == (0, "1 added, 0 updated, 0 unchanged.\n")
    with standard_input(CSV.replace("one", "two")):
        said = planted.run(*VERIFY, "--mailboxes", "-")
    assert "1 with other credentials" in said.err


def test_a_mistake_in_standard_input_is_named(planted: Planted) -> None:
    with standard_input(CSV + "ada@demo.example,again\n"):
        said = planted.run("mailboxes", "import", "demo.example", "-")
    assert said.err == "mail-preflight: stdin, row 3: the address is already in row 2\n"


def test_a_ca_file_comes_from_standard_input(planted: Planted) -> None:
    with standard_input("no certificate"):
        said = planted.run("check", "127.0.0.1:9", "--protocol", "imap", "--ca-file", "-")
    assert (said.status, "no certificate in PEM form" in said.err) == (2, True)


def test_two_files_cannot_be_standard_input(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run([*VERIFY, "--mailboxes", "-", "--ca-file", "-"]) == Status.USAGE
    assert "only one file can be standard input" in capsys.readouterr().err
