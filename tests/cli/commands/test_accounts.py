"""Accounts are apart: what is done in one is not seen in another, and a number is not given twice."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from cli.failures import Status
from settings_store import schema
from tests.cli.planted import Planted


@pytest.fixture
def csv(tmp_path: Path) -> str:
    file = tmp_path / "boxes.csv"
    file.write_text("address,password\nada@demo.example,one\n")
    return str(file)


def test_the_same_domain_in_two_accounts(planted: Planted, csv: str, monkeypatch: pytest.MonkeyPatch) -> None:
    planted.run("mailboxes", "import", "demo.example", csv)
    assert planted.run("accounts", "add", "north").out == "Added. To work in it: mail-preflight --account north ...\n"
    assert planted.run("--account", "north", "domains").out == ""
    assert planted.run("--account", "north", "mailboxes", "list", "demo.example").status == Status.USAGE

    monkeypatch.setenv("MAIL_PREFLIGHT_ACCOUNT", "north")
    planted.run("mailboxes", "import", "demo.example", csv)
    planted.run("mailboxes", "remove", "demo.example", "ada@demo.example")
    assert planted.run("domains").out == "demo.example: no settings in force; mailboxes: none\n"
    monkeypatch.delenv("MAIL_PREFLIGHT_ACCOUNT")

    assert "1 unknown" in planted.run("domains").out
    assert planted.run("accounts", "list").out == "default: 1 domains, 1 mailboxes\nnorth: 1 domains, 0 mailboxes\n"
    assert planted.run("accounts", "list", "--json").document[1] == {"name": "north", "domains": 1, "mailboxes": 0}


@pytest.mark.parametrize("what", [["channel"], ["maintenance"]])
def test_channels_and_maintenance_are_an_accounts(planted: Planted, what: list[str]) -> None:
    planted.run("accounts", "add", "north")
    if what == ["channel"]:
        planted.channel("admins")
    else:
        planted.run("maintenance", "add", "--from", "2099-01-01T00:00", "--until", "2099-01-02T00:00")
    listed = ["alerts" if what == ["channel"] else "maintenance", "list", "--json"]

    assert len(planted.run(*listed).document) == 1
    assert planted.run("--account", "north", *listed).document == []


def test_one_with_domains_is_not_removed_and_the_way_is_named(planted: Planted, csv: str) -> None:
    planted.run("accounts", "add", "north")
    planted.run("--account", "north", "mailboxes", "import", "demo.example", csv)

    said = planted.run("accounts", "remove", "north")

    assert said.status == Status.USAGE
    assert "`mail-preflight --account north domains remove demo.example`" in said.err
    assert planted.run("--account", "north", "domains", "remove", "demo.example", "--yes").status == 0
    assert planted.run("accounts", "remove", "north").out == "Removed.\n"
    assert planted.run("--account", "north", "domains").status == Status.USAGE


def test_the_number_of_a_removed_account_is_nobody_elses(planted: Planted) -> None:
    """What happened to the one that is gone is not shown to the next."""

    def number(name: str) -> int:
        with planted.database.read() as conn:
            accounts = schema.accounts
            return int(conn.execute(sa.select(accounts.c.id).where(accounts.c.name == name)).scalar_one())

    planted.run("accounts", "add", "north")
    first = number("north")
    planted.run("accounts", "remove", "north")
    planted.run("accounts", "add", "south")

    assert number("south") > first
    with planted.database.read() as conn:
        told = conn.execute(sa.select(schema.events.c.kind).order_by(schema.events.c.seq)).scalars().all()
    assert told == ["account.added", "account.removed", "account.added"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--account", "nobody", "domains"], "account 'nobody' is not known; `mail-preflight accounts list`"),
        (["accounts", "add", "default"], "there is an account 'default' already"),
        (["accounts", "add", "two words"], "letters from a to z, digits"),
        (["accounts", "add", ""], "letters from a to z, digits"),
        (["accounts", "remove", "default"], "is always there"),
        (["accounts", "remove", "nobody"], "is not known"),
    ],
)
def test_what_cannot_be_done(planted: Planted, arguments: list[str], words: str) -> None:
    said = planted.run(*arguments)

    assert said.status == Status.USAGE
    assert words in said.err


def test_commands_that_are_printed_work_in_the_account(planted: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given an account that was chosen for once, then what is printed can be pasted as it is."""
    planted.run("accounts", "add", "north")
    verify = ["verify", "demo.example", "--imap", "127.0.0.1:9", "--smtp", "127.0.0.1:9"]
    said = planted.run("--account", "north", *verify, "--json").document
    change_id = said["change_id"]
    report = planted.run("--account", "north", "report", change_id).out

    command = f"mail-preflight --account north apply {change_id[:8]}"
    assert said["next"]["command"].startswith(command)
    assert f"    {command}" in report
    listed = planted.run("--account", "north", "changes", "demo.example", "--json").document[0]["commands"]
    assert all(way.startswith("mail-preflight --account north ") for way in listed)
    refused = planted.run("--account", "north", "rollback", change_id).err
    assert f"`mail-preflight --account north report {change_id}`" in refused
    discarded = planted.run("--account", "north", "discard", change_id).out
    assert f"mail-preflight --account north reopen {change_id}" in discarded

    monkeypatch.setenv("MAIL_PREFLIGHT_ACCOUNT", "north")
    assert f"`mail-preflight reopen {change_id}`" in planted.run("apply", change_id).err
