"""Changes of one domain in the hands of two admins, in any order, against a model of a few lines."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule

from checks.model import Endpoint, Protocol
from checks.settings import ImapSettings
from settings_store import audit, domains, schema
from settings_store.audit import Actor
from settings_store.changes import applying, changes
from settings_store.changes.changes import Change
from settings_store.changes.lifecycle import Refused
from settings_store.db import Database
from settings_store.runs import runs
from tests.servers.stores import sqlite_store

NO_COUNTS = ("keeps_working", "will_disconnect", "will_reconnect", "already_disconnected", "cannot_tell")
ADMINS = st.sampled_from([Actor("ada"), Actor("bob")])
UNAPPLIED = {"draft", "verifying", "verified"}


def settings_of(number: int) -> ImapSettings:
    smtp = Endpoint(Protocol.SMTP, "smtp.example.com", 465)
    return ImapSettings(Endpoint(Protocol.IMAP, f"imap{number}.example.com", 993), smtp)


class Life(RuleBasedStateMachine):
    """The model: the state of each change, what was in force when it was verified, and what is in force now."""

    ids = Bundle("ids")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.database = Database(sqlite_store(Path(self.folder.name) / "store.db"))
        with self.database.begin() as conn:
            self.domain_id = domains.ensure_domain(conn, domains.ensure_account(conn), "lab.example")
        self.now = 1_000_000.0
        self.states: dict[str, str] = {}
        self.base: dict[str, str | None] = {}
        self.age: dict[str, float] = {}
        self.by: dict[str, Actor] = {}
        self.events: dict[str, int] = {}
        self.in_force: str | None = None

    def teardown(self) -> None:
        self.database.close()
        self.folder.cleanup()

    def _supersede(self) -> str | None:
        open_ones = [one for one, state in self.states.items() if state in UNAPPLIED]
        for one in open_ones:
            self._to(one, "superseded")
        return open_ones[0] if open_ones else None

    def _to(self, change_id: str, state: str) -> None:
        self.states[change_id] = state
        self.events[change_id] += 1

    def _attempt(
        self, allowed: bool, act: Callable[..., Change], change_id: str, *arguments: Any, **keywords: Any
    ) -> bool:
        """Does it, and finds it refused exactly where the model says so."""
        try:
            with self.database.begin() as conn:
                act(conn, changes.load(conn, change_id), *arguments, **keywords)
        except Refused:
            assert not allowed, f"{act.__name__} of a change that is {self.states[change_id]} was refused"
            return False
        assert allowed, f"{act.__name__} of a change that is {self.states[change_id]} was not refused"
        return True

    def _change(self, change_id: str) -> Change:
        with self.database.read() as conn:
            return changes.load(conn, change_id)

    @rule(target=ids, number=st.integers(0, 3), admin=ADMINS)
    def save(self, number: int, admin: Actor) -> Any:
        self.now += 1
        replaced = self._supersede()
        with self.database.begin() as conn:
            saved = changes.save(conn, self.domain_id, settings_of(number), self.now, admin)
        assert saved.superseded == replaced
        assert saved.superseded_by == (self.by[replaced] if replaced else None)
        self.states[saved.change_id], self.by[saved.change_id] = "verifying", admin
        self.base[saved.change_id], self.events[saved.change_id] = self.in_force, 2
        return saved.change_id if saved.change_id else multiple()

    @rule(change_id=ids, admin=ADMINS)
    def verify(self, change_id: str, admin: Actor) -> None:
        self.now += 1
        allowed = self.states[change_id] in {"draft", "verified"}
        change = self._change(change_id)
        try:
            with self.database.begin() as conn:
                changes.verify(conn, change, self.now, admin)
        except Refused:
            assert not allowed
        else:
            assert allowed
            self.base[change_id] = self.in_force
            self._to(change_id, "verifying")

    @rule(change_id=ids)
    def finish(self, change_id: str) -> None:
        """The run's end, which may come late, for a change that is given up or verified anew."""
        self.now += 1
        with self.database.begin() as conn:
            run = runs.of_change(conn, change_id)
            assert run is not None
            ended = runs.finish(conn, run.id, dict.fromkeys(NO_COUNTS, 0), f"sum-{run.id}", self.now)
            if ended:
                changes.mark_verified(conn, change_id, self.now)
        assert ended is (self.states[change_id] == "verifying")
        if ended:
            self.age[change_id] = self.now
            self._to(change_id, "verified")

    @rule(change_id=ids, admin=ADMINS, reviewed=st.booleans(), wait=st.sampled_from([0, 50, 200]))
    def apply(self, change_id: str, admin: Actor, reviewed: bool, wait: int) -> None:
        self.now += wait
        fresh = self.now - self.age.get(change_id, 0) <= 100
        moved = self.base[change_id] != self.in_force
        with self.database.read() as conn:
            run = runs.of_change(conn, change_id)
        checksum = run.checksum if run and run.checksum and reviewed else "another"
        allowed = self.states[change_id] == "verified" and fresh and not moved and reviewed
        try:
            with self.database.begin() as conn:
                applying.apply(conn, changes.load(conn, change_id), None, self.now, 100, checksum=checksum, actor=admin)
        except Refused:
            assert not allowed
        else:
            assert allowed
            self.in_force = change_id
            self._to(change_id, "applied")

    @rule(change_id=ids, admin=ADMINS)
    def roll_back(self, change_id: str, admin: Actor) -> None:
        allowed = self.states[change_id] == "applied" and self.in_force == change_id
        if self._attempt(allowed, applying.roll_back, change_id, self.now, admin):
            self.in_force = self.base[change_id]
            self._to(change_id, "rolled_back")

    @rule(change_id=ids, admin=ADMINS)
    def discard(self, change_id: str, admin: Actor) -> None:
        if self._attempt(self.states[change_id] in UNAPPLIED, changes.discard, change_id, self.now, admin):
            self._to(change_id, "discarded")

    @rule(change_id=ids, admin=ADMINS)
    def cancel(self, change_id: str, admin: Actor) -> None:
        if self._attempt(self.states[change_id] == "verifying", changes.cancel, change_id, self.now, admin):
            self._to(change_id, "draft")

    @rule(change_id=ids, admin=ADMINS)
    def reopen(self, change_id: str, admin: Actor) -> None:
        if self._attempt(
            self.states[change_id] in {"discarded", "superseded"}, changes.reopen, change_id, self.now, admin
        ):
            self._supersede()
            self._to(change_id, "draft")

    @invariant()
    def the_store_says_what_the_model_says(self) -> None:
        with self.database.read() as conn:
            stored = {row.id: row.state for row in conn.execute(sa.select(schema.changes))}
            version = conn.execute(sa.select(schema.domains.c.settings_id)).scalar_one()
            expected = changes.load(conn, self.in_force).settings_id if self.in_force else None
            counted = {change_id: len(list(audit.of_change(conn, change_id))) for change_id in stored}
            open_runs = sa.select(schema.runs.c.change_id).where(schema.runs.c.stage.not_in(runs.ENDED))
            verified_now = list(conn.execute(open_runs).scalars())
        assert stored == self.states
        assert version == expected
        assert counted == self.events
        assert sum(state in UNAPPLIED for state in stored.values()) <= 1
        assert verified_now == [one for one, state in stored.items() if state == "verifying"]


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
