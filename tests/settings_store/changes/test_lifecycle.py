"""The life of a change: what the table allows happens and is logged, everything else is refused and leaves no trace."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from checks.model import Endpoint, Invalid, Protocol
from checks.settings import ImapSettings
from settings_store import audit, domains, schema
from settings_store.audit import Actor
from settings_store.changes import applying, approval, changes, lifecycle
from settings_store.changes.lifecycle import TRANSITIONS, ChangeState, Event, Refused, next_state
from settings_store.db import Database
from settings_store.runs import runs

ADA, BOB = Actor("ada", "192.0.2.1"), Actor("bob")
NOW = 1_000_000.0
SETTINGS = ImapSettings(
    Endpoint(Protocol.IMAP, "imap.example.com", 993), Endpoint(Protocol.SMTP, "smtp.example.com", 465)
)
DOCUMENT = Path(__file__).parents[3] / "docs/how-a-change-flows.md"
S, E = ChangeState, Event

PATHS: dict[ChangeState, tuple[Event, ...]] = {
    S.VERIFYING: (),
    S.DRAFT: (E.CANCEL,),
    S.VERIFIED: (E.FINISH,),
    S.APPLIED: (E.FINISH, E.APPLY),
    S.ROLLED_BACK: (E.FINISH, E.APPLY, E.ROLL_BACK),
    S.DISCARDED: (E.DISCARD,),
    S.SUPERSEDED: (E.SUPERSEDE,),
}
"""How a saved change comes into each state."""


def finish(conn: sa.Connection, change_id: str) -> None:
    """As the flow does at the end of a run."""
    run = runs.of_change(conn, change_id)
    assert run is not None
    counts = dict.fromkeys(
        ("keeps_working", "will_disconnect", "will_reconnect", "already_disconnected", "cannot_tell"), 0
    )
    runs.finish(conn, run.id, counts, "c0ffee", NOW)
    if changes.load(conn, change_id).state is not S.VERIFYING:
        raise Refused("nothing happens to it")
    changes.mark_verified(conn, change_id, NOW)


def supersede(conn: sa.Connection, change_id: str) -> None:
    change = changes.load(conn, change_id)
    saved = changes.save(conn, change.domain_id, SETTINGS, NOW, BOB)
    if saved.superseded != change_id:
        raise Refused("it was not superseded")


def approve(conn: sa.Connection, change_id: str) -> None:
    """By a person, who is not the one who saved it; its domain asks for one."""
    change = changes.load(conn, change_id)
    approval.set_needed(conn, change.domain_id, needed=True, now=NOW, actor=ADA)
    approval.approve(conn, change, None, NOW, 60, replace(ADA, person="user:ada"))


HAPPEN: dict[Event, Callable[[sa.Connection, str], object]] = {
    E.VERIFY: lambda conn, change_id: changes.verify(conn, changes.load(conn, change_id), NOW, ADA),
    E.FINISH: finish,
    E.CANCEL: lambda conn, change_id: changes.cancel(conn, changes.load(conn, change_id), NOW, ADA),
    E.APPROVE: approve,
    E.APPLY: lambda conn, change_id: applying.apply(conn, changes.load(conn, change_id), None, NOW, 60, actor=ADA),
    E.ROLL_BACK: lambda conn, change_id: applying.roll_back(conn, changes.load(conn, change_id), NOW, ADA),
    E.DISCARD: lambda conn, change_id: changes.discard(conn, changes.load(conn, change_id), NOW, ADA),
    E.SUPERSEDE: supersede,
    E.REOPEN: lambda conn, change_id: changes.reopen(conn, changes.load(conn, change_id), NOW, ADA),
}


def change_in(conn: sa.Connection, domain_id: int, state: ChangeState) -> str:
    saved = changes.save(conn, domain_id, SETTINGS, NOW, ADA)
    for event in PATHS[state]:
        HAPPEN[event](conn, saved.change_id)
    assert changes.load(conn, saved.change_id).state is state
    return saved.change_id


@pytest.mark.parametrize("event", [event for event in Event if event is not E.SAVE])
@pytest.mark.parametrize("state", list(ChangeState))
def test_every_event_in_every_state(database: Database, domain_id: int, state: ChangeState, event: Event) -> None:
    target = TRANSITIONS.get((state, event))
    with database.begin() as conn:
        change_id = change_in(conn, domain_id, state)
        before = list(audit.of_change(conn, change_id))
    if target is None:
        with pytest.raises(Refused), database.begin() as conn:
            HAPPEN[event](conn, change_id)
        with database.read() as conn:
            assert changes.load(conn, change_id).state is state
            assert list(audit.of_change(conn, change_id)) == before
        return
    with database.begin() as conn:
        HAPPEN[event](conn, change_id)
        assert changes.load(conn, change_id).state is target
        *_, last = audit.of_change(conn, change_id)
    assert (last.event, last.before, last.after, last.at) == (event, state, target, NOW)
    assert last.actor == {E.SUPERSEDE: BOB, E.FINISH: audit.SERVICE}.get(event, ADA)


@pytest.mark.parametrize("state", [None, *ChangeState])
def test_a_refusal_names_a_command_and_no_internal_word(state: ChangeState | None) -> None:
    """That each of these commands is accepted is shown where they are run: `tests/cli/commands/test_ways_on.py`."""
    for event in Event:
        if (state, event) in TRANSITIONS:
            continue
        with pytest.raises(Refused) as refused:
            next_state(state, event, "chg_1")
        said = str(refused.value)
        assert re.search(r"`mail-preflight \w+( chg_1)?`", said), said
        assert not re.search(r"roll_back|rolled_back|superseded|verifying|draft", said), said


def test_every_state_is_reached_and_only_one_is_final() -> None:
    assert set(TRANSITIONS.values()) == set(ChangeState)
    assert [state for state in ChangeState if not lifecycle.events_of(state)] == [S.ROLLED_BACK]


def test_the_document_has_the_same_table() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \| `(\w+)` \|", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    expected = [(state or "new", event, target) for (state, event), target in TRANSITIONS.items()]
    assert rows == [tuple(map(str, row)) for row in expected]


@pytest.mark.parametrize("state", [S.DRAFT, S.VERIFYING, S.VERIFIED])
def test_who_is_superseded_is_told_to_the_second_admin(database: Database, domain_id: int, state: ChangeState) -> None:
    with database.begin() as conn:
        older = change_in(conn, domain_id, state)
        saved = changes.save(conn, domain_id, SETTINGS, NOW, BOB)
        run = runs.of_change(conn, older)
    assert (saved.superseded, saved.superseded_by) == (older, ADA)
    assert run is not None
    assert run.stage in runs.ENDED


def test_what_is_reopened_supersedes_what_came_later(database: Database, domain_id: int) -> None:
    """Nothing is lost either way: both can be taken up again."""
    with database.begin() as conn:
        older = change_in(conn, domain_id, S.SUPERSEDED)
        changes.reopen(conn, changes.load(conn, older), NOW, ADA)
        newer = [
            row.id
            for row in conn.execute(sa.select(schema.changes).where(schema.changes.c.id != older))
            if row.state == "superseded"
        ]
        assert len(newer) == 1
        changes.reopen(conn, changes.load(conn, newer[0]), NOW, BOB)
        assert changes.load(conn, older).state is S.SUPERSEDED


def test_only_the_change_in_force_can_be_rolled_back(database: Database, domain_id: int) -> None:
    with database.begin() as conn:
        first = change_in(conn, domain_id, S.APPLIED)
        second = change_in(conn, domain_id, S.APPLIED)
    with pytest.raises(Refused, match="is not in force any more"), database.begin() as conn:
        applying.roll_back(conn, changes.load(conn, first), NOW, ADA)
    with database.begin() as conn:
        applying.roll_back(conn, changes.load(conn, second), NOW, ADA)
        assert applying.is_in_force(conn, changes.load(conn, first))
        applying.roll_back(conn, changes.load(conn, first), NOW, ADA)
        assert conn.execute(sa.select(schema.domains.c.settings_id)).scalar_one() is None


def test_the_newest_run_counts_though_the_clock_was_put_back(database: Database, domain_id: int) -> None:
    with database.begin() as conn:
        change_id = change_in(conn, domain_id, S.VERIFIED)
        run_id = changes.verify(conn, changes.load(conn, change_id), NOW - 3600, ADA)
        newest = runs.of_change(conn, change_id)
    assert newest is not None
    assert newest.id == run_id


def test_an_actor_that_is_too_long(database: Database, domain_id: int) -> None:
    with database.begin() as conn:
        saved = changes.save(conn, domain_id, SETTINGS, NOW, Actor("a" * 500, "b" * 500))
        first = next(audit.of_change(conn, saved.change_id))
        assert (first.actor.name, first.actor.source) == ("a" * 200, "b" * 200)


def test_a_change_of_another_account_is_as_unknown_as_none(database: Database, domain_id: int) -> None:
    with database.begin() as conn:
        account_id, stranger = domains.account_of(conn, domain_id), domains.ensure_account(conn, "stranger")
        saved = changes.save(conn, domain_id, SETTINGS, NOW, ADA)

        assert changes.get(conn, account_id, saved.change_id).domain == "lab.example"
        assert runs.get(conn, account_id, saved.run_id).change_id == saved.change_id
        for change_id in (saved.change_id, "nothing"):
            with pytest.raises(Invalid, match=f"there is no change '{change_id}'"):
                changes.get(conn, stranger, change_id)
        for run_id in (saved.run_id, "nothing"):
            with pytest.raises(Invalid, match=f"there is no run '{run_id}'"):
                runs.get(conn, stranger, run_id)
