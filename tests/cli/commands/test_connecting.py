"""Connecting by command: what is said of a mailbox, who waits, and who approves a change."""

import re

import pytest

from cli.account import actor
from cli.failures import Status
from settings_store.audit import SERVICE
from settings_store.changes import changes
from tests.cli.commands.test_ways_on import NOBODY, _verified
from tests.cli.planted import Planted
from tests.cli.test_statuses import standard_input

PASSWORD = "pl4nted-secret"
NOWHERE = ("--imap", "127.0.0.1:9", "--smtp", "127.0.0.1:9")


def connect(planted: Planted, *arguments: str) -> tuple[int, str, str]:
    with standard_input(f"{PASSWORD}\n"), open(0, closefd=False) as given, pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdin", given)
        said = planted.run(*arguments)
    assert PASSWORD not in said.out + said.err
    return said.status, said.out, said.err


def test_who_waits_is_listed_completed_and_dismissed(planted: Planted) -> None:
    assert planted.run("pending").out == "Nobody waits for settings.\n"
    status, out, _ = connect(planted, "connect", "ada@demo.example")
    assert (status, "ada@demo.example waits for an administrator" in out) == (Status.CANNOT_TELL, True)
    status, out, _ = connect(planted, "--language", "ja", "connect", "bela@demo.example", *NOWHERE)
    assert (status, "管理者の設定を待っています" in out, "パスワードは保管しません" in out) == (
        Status.CANNOT_TELL,
        True,
        True,
    )

    entries = {item["address"][:4]: item for item in planted.run("pending", "--json").document}
    ada, bela = entries["ada@"], entries["bela"]
    assert (ada["address"], ada["servers"], ada["code"]) == ("ada@demo.example", [], None)
    assert (bela["servers"], bela["code"]) == (["imap://127.0.0.1:9", "smtp://127.0.0.1:9"], "connect.refused")
    assert "bela@demo.example at imap://127.0.0.1:9, smtp://127.0.0.1:9; connect.refused;" in planted.run("pending").out
    assert "waiting for settings: 2" in planted.run("domains").out

    assert "no settings were typed" in planted.run("pending", "complete", ada["id"]).err
    saved = planted.run("pending", "complete", bela["id"])
    found = re.search(r"change ([0-9a-f]{32})", saved.out)
    assert found, saved
    assert planted.run("changes", "demo.example", "--json").document[0]["change_id"] == found[1]
    assert planted.run("pending", "dismiss", ada["id"]).out == "Dismissed: ada@demo.example does not wait any more.\n"
    assert "nobody waits there any more" not in planted.run("pending", "dismiss", bela["id"]).err


def test_what_the_provider_wants_is_said_first(planted: Planted) -> None:
    _, out, err = connect(planted, "connect", "ada@gmail.com", "--json")
    assert "Make an app password at https://myaccount.google.com/apppasswords" in err
    assert '"state": "pending"' in out


@pytest.mark.parametrize(("address", "words"), [("ada", "give the whole address"), ("ada@b@demo.example", "address")])
def test_what_is_no_address(planted: Planted, address: str, words: str) -> None:
    status, _, err = connect(planted, "connect", address)
    assert (status, words in err) == (Status.USAGE, True)


def test_a_second_person_approves(planted: Planted) -> None:
    domain_id = planted.domain("two.example", settings=None)
    ids = []
    for who in (actor(), SERVICE):
        with planted.database.begin() as conn:
            ids.append(changes.save(conn, domain_id, NOBODY, planted.now, who).change_id)
            _verified(conn, ids[-1], planted.now)
    own, programs = ids
    assert planted.run("domains", "approval", "two.example", "on").status == Status.SAFE

    awaited = planted.run("apply", programs)
    assert f"`mail-preflight approve {programs}` gives it" in awaited.err
    assert f"mail-preflight approve {programs[:8]}" in planted.run("report", programs).out
    assert planted.run("approve", programs).status == Status.SAFE
    assert "a program saved the change" in planted.run("apply", programs).err

    planted.run("reopen", own)
    with planted.database.begin() as conn:
        changes.verify(conn, changes.load(conn, own), planted.now)
        _verified(conn, own, planted.now)
    assert "whoever saved a change does not approve it" in planted.run("approve", own).err
    assert planted.run("domains", "approval", "two.example", "off").out == "Changes need no approval any more.\n"
    assert "need no approval" in planted.run("approve", own).err
    assert planted.run("apply", own, "--watch-minutes", "0").status == Status.SAFE
