"""Every state of a change, and every command in it: what is refused names commands, and those are accepted."""

import itertools
import re
import shlex
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from checks.model import Endpoint, Protocol
from checks.settings import ImapSettings
from cli.failures import Status, inform_of_more
from settings_store.audit import SERVICE
from settings_store.changes import applying, changes
from settings_store.changes.lifecycle import ChangeState
from settings_store.runs import runs
from tests.cli.planted import Planted

S = ChangeState
_NUMBERS = itertools.count()
NOBODY = ImapSettings(Endpoint(Protocol.IMAP, "127.0.0.1", 9), Endpoint(Protocol.SMTP, "127.0.0.1", 9))
COUNTS = dict.fromkeys(("keeps_working", "will_disconnect", "will_reconnect", "already_disconnected", "cannot_tell"), 0)
COMMANDS = ("report", "approve", "apply", "watch", "rollback", "again", "resume", "cancel", "discard", "reopen")
NAMED = re.compile(r"`mail-preflight ([^`]+)`")


class Change:
    """A change in one of the states, in a domain of its own."""

    def __init__(self, planted: Planted, state: str) -> None:
        self.planted = planted
        self.domain = f"demo{next(_NUMBERS)}.example"
        domain_id = planted.domain(self.domain, settings=None)
        with planted.database.begin() as conn:
            self.id = changes.save(conn, domain_id, NOBODY, planted.now).change_id
            _BECOME[state](conn, self.id, planted.now)

    def run(self, *arguments: str) -> tuple[int, str]:
        said = self.planted.run(*arguments)
        return said.status, said.err


def _verified(conn: sa.Connection, change_id: str, now: float) -> None:
    run = runs.of_change(conn, change_id)
    assert run is not None
    runs.finish(conn, run.id, COUNTS, "c0ffee" * 10, now)
    changes.mark_verified(conn, change_id, now)


def _applied(conn: sa.Connection, change_id: str, now: float) -> None:
    _verified(conn, change_id, now)
    applying.apply(conn, changes.load(conn, change_id), None, now, 60)


def _followed(conn: sa.Connection, change_id: str, now: float) -> None:
    """Applied, and so was another one after it."""
    _applied(conn, change_id, now)
    later = changes.save(conn, changes.load(conn, change_id).domain_id, NOBODY, now)
    _applied(conn, later.change_id, now)


def _rolled_back(conn: sa.Connection, change_id: str, now: float) -> None:
    _applied(conn, change_id, now)
    applying.roll_back(conn, changes.load(conn, change_id), now)


_BECOME: dict[str, Callable[[sa.Connection, str, float], object]] = {
    S.DRAFT: lambda conn, change_id, now: changes.cancel(conn, changes.load(conn, change_id), now),
    S.VERIFYING: lambda *_: None,
    S.VERIFIED: _verified,
    "stale": lambda conn, change_id, now: _verified(conn, change_id, now - 86400),
    S.APPLIED: _applied,
    "followed": _followed,
    S.DISCARDED: lambda conn, change_id, now: changes.discard(conn, changes.load(conn, change_id), now, SERVICE),
    S.SUPERSEDED: lambda conn, change_id, now: changes.save(conn, changes.load(conn, change_id).domain_id, NOBODY, now),
    S.ROLLED_BACK: _rolled_back,
}


def refusals(planted: Planted, state: str) -> dict[str, str]:
    """What each command that is refused in a state says. Those that are listed for it are not asked: see below.

    What is refused leaves the change as it is; another one is taken after a command that was not.
    """
    found, change = {}, Change(planted, state)
    accepted = {way.split()[1] for way in listed(change)["commands"]}
    for command in COMMANDS:
        if command in accepted:
            continue
        status, said = change.run(command, change.id)
        if status == Status.USAGE:
            found[command] = said.replace(change.id, "ID")
        else:
            change = Change(planted, state)
    return found


def test_every_state_is_walked() -> None:
    assert set(_BECOME) >= set(ChangeState)


@pytest.mark.parametrize("state", list(_BECOME))
def test_a_refusal_names_commands_that_are_accepted(planted: Planted, state: str) -> None:
    said = refusals(planted, state)

    assert said, "no state takes every command"
    named = {command: NAMED.findall(text) for command, text in said.items()}
    assert all(named.values()), said
    for way in {way for ways in named.values() for way in ways}:
        change = Change(planted, state)
        words = shlex.split(way.replace("ID", change.id))
        if change.id not in words:  # the later one of this very domain
            words[1] = _later(planted, change.id)
        assert change.run(*words)[0] != Status.USAGE, way


def _later(planted: Planted, change_id: str) -> str:
    with planted.database.read() as conn:
        return next(one for one in changes.of_domain(conn, changes.load(conn, change_id).domain_id) if one != change_id)


@pytest.mark.parametrize("state", list(_BECOME))
def test_what_is_listed_is_accepted(planted: Planted, state: str) -> None:
    """`changes` names the commands of each change, and each of them works."""
    change = Change(planted, state)
    count = len(listed(change)["commands"])
    assert count

    for number in range(count):
        change = Change(planted, state)
        arguments = shlex.split(listed(change)["commands"][number])[1:]
        assert change.run(*arguments)[0] != Status.USAGE, arguments


def listed(change: Change) -> dict[str, Any]:
    found = change.planted.run("changes", change.domain, "--json").document
    return next(item for item in found if item["change_id"] == change.id)


def test_the_list_for_people(planted: Planted, tokyo: None) -> None:  # noqa: ARG001 -- where local time is Tokyo's
    change = Change(planted, S.APPLIED)

    said = planted.run("changes", change.domain)
    japanese = planted.run("--language", "ja", "changes", change.domain)

    assert said.status == japanese.status == 0
    first, second, *commands = said.out.splitlines()
    assert first.startswith(f"{change.id[:8]}  applied  saved 20")
    assert first.endswith("+09:00 by mail-preflight")
    assert second == "    imap://127.0.0.1:9, smtp://127.0.0.1:9"
    assert commands == [f"    mail-preflight rollback {change.id[:8]}", f"    mail-preflight history {change.id[:8]}"]
    assert "適用済み" in japanese.out


def test_a_change_that_nobody_was_to_watch(planted: Planted) -> None:
    change = Change(planted, S.APPLIED)

    said = planted.run("watch", change.id)

    assert (said.status, said.out.startswith("This change is not watched")) == (Status.CANNOT_TELL, True)


def test_a_domain_without_changes(planted: Planted) -> None:
    planted.domain("demo.example")

    assert planted.run("changes", "demo.example").out == "No change of this domain was saved yet.\n"
    assert planted.run("changes", "other.example").status == Status.USAGE


def test_a_name_that_a_shell_would_take_apart_is_quoted(capsys: pytest.CaptureFixture[str]) -> None:
    listed = ["o'neil@example.com", "zoe@example.com"]
    assert inform_of_more(listed, 1, "mailboxes list example.com", str) == listed[:1]
    assert capsys.readouterr().err == (
        "There are more; to go on: mail-preflight mailboxes list example.com --after 'o'\"'\"'neil@example.com'\n"
    )
