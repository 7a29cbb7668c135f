"""Events are kept in their order, come back as what they were, and are found by what they are of."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from checks.codes import Code, Verdict
from checks.model import MailboxState
from settings_store import domains, schema
from settings_store.actors import Actor
from settings_store.changes import applying, changes, lifecycle
from settings_store.db import Database
from settings_store.domains import ensure_account, ensure_domain
from settings_store.events import events
from settings_store.events.event import Event, OtherEvent
from settings_store.events.kinds import KINDS, STEPS, ChangeApplied, ChangeSaved, IncidentOpened, MailboxesDisconnected
from settings_store.incidents import effects, incidents
from settings_store.incidents.incidents import Opening, Scope, Severity
from settings_store.runs import outcomes, planning, runs
from tests.settings_store.in_force import NOW, add_mailboxes, mail_settings, put_in_force

ADA = Actor("ada", "192.0.2.7")


def kinds(found: list[Event]) -> list[str]:
    return [event.kind for event in found]


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_an_event_comes_back_as_it_was(database: Database, domain_id: int, kind: type[Event]) -> None:
    told = kind(subject="s", at=NOW, domain_id=domain_id, actor=ADA)
    with database.begin() as conn:
        account = domains.account_of(conn, domain_id)
        events.record(conn, told)
        (found,) = events.of_subject(conn, "s")
    assert found == replace(told, account_id=account, seq=found.seq)


def test_the_order_is_that_of_writing_whatever_the_clock_says(database: Database) -> None:
    with database.begin() as conn:
        events.record(conn, *(ChangeSaved(subject="c", at=NOW - number, detail=str(number)) for number in range(5)))
        found = list(events.of_subject(conn, "c"))
    assert [event.payload["detail"] for event in found] == list("01234")
    assert [event.seq for event in found] == sorted({event.seq for event in found})


def test_what_a_newer_version_wrote_can_be_read(database: Database) -> None:
    row = {"subject": "c", "at": NOW, "actor": "ada", "source": ""}
    with database.begin() as conn:
        added = {"detail": "as ever", "mood": "good"}
        conn.execute(schema.events.insert().values(**row, kind="change.saved", payload=added))
        conn.execute(schema.events.insert().values(**row, kind="change.praised", payload={"by": ["ann"]}))
        known, unknown = events.of_subject(conn, "c")
    assert isinstance(known, ChangeSaved) and known.detail == "as ever"
    assert isinstance(unknown, OtherEvent)
    assert (unknown.kind, unknown.payload) == ("change.praised", {"by": ["ann"]})


def test_an_account_is_read_in_portions_and_alone(database: Database) -> None:
    with database.begin() as conn:
        mine, other = ensure_account(conn, "mine"), ensure_account(conn, "other")
        told = [ChangeSaved(subject=f"c{n}", at=NOW, account_id=mine if n % 2 else other) for n in range(6)]
        events.record(conn, *told, IncidentOpened(subject="the operator's", at=NOW))
        first = events.of_account(conn, mine, limit=2)
        rest = events.of_account(conn, mine, after=first[-1].seq)
    assert [event.subject for event in [*first, *rest]] == ["c1", "c3", "c5"]


def test_a_domain_has_its_incidents_with_others_too(database: Database) -> None:
    with database.begin() as conn:
        account = ensure_account(conn)
        one, two, third = (ensure_domain(conn, account, f"{name}.example") for name in ("one", "two", "three"))
        opening = Opening(
            Scope.SERVER, "s", account, Severity.CRITICAL, Code.CONNECT_REFUSED, NOW, domain_ids=frozenset({one, two})
        )
        incident_id = incidents.open_one(conn, opening, NOW, None)
        events.record(conn, ChangeSaved(subject="c", at=NOW, domain_id=two))
        assert kinds(events.of_domain(conn, account, two)) == ["incident.opened", "change.saved"]
        assert kinds(events.of_domain(conn, account, one)) == ["incident.opened"]
        assert events.of_domain(conn, account, third) == []
        assert events.of_domain(conn, account + 1, two) == []
        assert [event.subject for event in events.of_domain(conn, account, one)] == [incident_id]


def test_a_change_that_is_applied_and_undone_tells_all_of_it(database: Database) -> None:
    """Given three mailboxes and a change one of which fails, then mailboxes are told of in one event a state."""
    with database.begin() as conn:
        domain_id = put_in_force(conn, "lab.example")
        boxes = add_mailboxes(conn, domain_id, 3, state=MailboxState.CONNECTED.value)
        saved = changes.save(conn, domain_id, mail_settings("new.example.com"), NOW, ADA)
        run = runs.load(conn, saved.run_id)
        assert run
        planning.plan(conn, run, 2, 25)
        failed = schema.run_mailboxes.c.mailbox_id == boxes[0]
        refused = {"verdict": Verdict.FAIL.value, "code": Code.AUTH_REJECTED.value, "baseline_verdict": "ok"}
        conn.execute(schema.run_mailboxes.update().where(failed).values(**refused))
        outcomes.settle(conn, run.id, Verdict.OK, Code.OK, None, "")
        runs.finish(conn, run.id, {"will_disconnect": 1}, "c0ffee", NOW)
        changes.mark_verified(conn, saved.change_id, NOW)
        applying.apply(conn, changes.load(conn, saved.change_id), 1, NOW, 60, actor=ADA)
        applying.roll_back(conn, changes.load(conn, saved.change_id), NOW + 1, ADA)
        account = domains.account_of(conn, domain_id)
        of_change = list(events.of_change(conn, account, saved.change_id))
        of_domain = events.of_domain(conn, account, domain_id)
        assert list(events.of_change(conn, account + 1, saved.change_id)) == []
    steps = ["saved", "verification_started", "verified", "applied", "rolled_back"]
    assert [kind for kind in kinds(of_change) if kind.startswith("change.")] == [f"change.{step}" for step in steps]
    assert "run.finished" in kinds(of_change)
    moved = [event for event in of_domain if event.kind.startswith("mailboxes.")]
    assert [(event.kind, event.payload["count"], event.actor) for event in moved] == [
        ("mailboxes.disconnected", 1, ADA),
        ("mailboxes.connected", 1, ADA),
    ]
    (down, _) = moved
    assert isinstance(down, MailboxesDisconnected)
    assert (down.codes, down.cause, down.cause_id) == ({"auth.rejected": 1}, "applied", saved.change_id)
    applied = next(event for event in of_change if isinstance(event, ChangeApplied))
    assert (applied.before, applied.after, applied.actor) == ("verified", "applied", ADA)


def test_a_run_that_is_broken_off_and_cancelled_says_so(database: Database) -> None:
    with database.begin() as conn:
        domain_id = put_in_force(conn, "lab.example")
        add_mailboxes(conn, domain_id, 3)
        saved = changes.save(conn, domain_id, mail_settings("new.example.com"), NOW)
        run = runs.load(conn, saved.run_id)
        assert run
        planning.plan(conn, run, 2, 25)
        outcomes.leave_untried(conn, run.id, Code.AUTH_REJECTED, NOW)
        changes.cancel(conn, changes.load(conn, saved.change_id), NOW)
        told = [(event.kind, event.payload) for event in events.of_subject(conn, run.id)]
    assert told == [
        ("run.broken_off", {"change_id": saved.change_id, "code": "auth.rejected", "left": 3}),
        ("run.cancelled", {"change_id": saved.change_id}),
    ]


def test_many_mailboxes_that_disconnect_are_one_event_a_domain(database: Database) -> None:
    with database.begin() as conn:
        ids = [put_in_force(conn, f"{name}.example") for name in ("one", "two", "empty")]
        for domain_id in ids[:2]:
            add_mailboxes(conn, domain_id, 200, state=MailboxState.CONNECTED.value)
        assert effects.disconnect(conn, ids, Code.CONNECT_REFUSED, NOW, "i", NOW) == 400
        assert effects.disconnect(conn, ids, Code.CONNECT_REFUSED, NOW, "i", NOW) == 0
        told = events.of_account(conn, ensure_account(conn))
        assert [(event.domain_id, event.payload["count"]) for event in told] == [(ids[0], 200), (ids[1], 200)]


def test_what_is_rolled_back_has_no_event(database: Database, domain_id: int) -> None:
    with pytest.raises(ZeroDivisionError), database.begin() as conn:
        changes.save(conn, domain_id, mail_settings(), NOW)
        raise ZeroDivisionError
    with database.read() as conn:
        assert conn.execute(sa.select(schema.events)).all() == []


def test_every_transition_has_an_event() -> None:
    assert set(STEPS) == {event.value for event in lifecycle.Event}


def test_the_documentation_has_every_kind() -> None:
    text = (Path(__file__).parents[3] / "docs" / "events.md").read_text()
    assert sorted(re.findall(r"^\| `([a-z._]+)` \|", text, re.MULTILINE)) == sorted(KINDS)
