"""Runs of slices: one lane each, states that follow at their end, and room for the next."""

from dataclasses import dataclass

import pytest
import sqlalchemy as sa

from checks.codes import Code, Verdict
from checks.model import LoginResult, Protocol
from settings_store import schema
from settings_store.db import Database
from settings_store.health import endpoints, schedule
from settings_store.runs import outcomes, pages, planning, runs
from settings_store.runs.outcomes import Done
from settings_store.runs.runs import CANDIDATE, Run
from settings_store.secrets import Vault, new_key
from tests.settings_store.in_force import NOW, add_mailboxes, both_ok, column, put_in_force, settings_id_of
from worker.config import Config
from worker.finished_runs import finish
from worker.health.mailbox_slices import AT_ONCE, begin_slices, pace_of
from worker.resources import Resources
from worker.runs.flow import Flow

DOMAINS = AT_ONCE + 2


@dataclass
class World:
    flow: Flow
    sent: list[tuple[str, str]]

    def plan(self, run_id: str) -> Run:
        """Lays a run out, up to where its mailboxes are tried."""
        with self.flow.resources.database.begin() as conn:
            run = runs.load(conn, run_id)
            assert run is not None
            planning.plan(conn, run, 5, 25)
            runs.move(conn, run_id, ("queued",), "mailboxes", NOW)
            return run

    def settle(self, run_id: str, code: Code) -> list[int]:
        """Every mailbox of the run came to this."""
        row = schema.run_mailboxes
        verdict = Verdict.OK if code is Code.OK else Verdict.FAIL
        with self.flow.resources.database.begin() as conn:
            ids = conn.execute(sa.select(row.c.mailbox_id).where(row.c.run_id == run_id)).scalars().all()
            done = [Done(one, LoginResult(verdict, code, Protocol.IMAP)) for one in ids]
            outcomes.save(conn, run_id, CANDIDATE, done)
            pages.close(conn, run_id, CANDIDATE)
        return list(ids)


@pytest.fixture
def world(database: Database) -> World:
    """Six domains with four mailboxes each, whose slices are due."""
    sent: list[tuple[str, str]] = []
    resources = Resources(
        database, Vault([new_key()]), Config(lanes=3), lambda name, run_id: sent.append((name, run_id)), lambda: NOW
    )
    with database.begin() as conn:
        for number in range(DOMAINS):
            domain_id = put_in_force(conn, f"d{number}.example")
            add_mailboxes(conn, domain_id, 4)
            endpoints.record(conn, both_ok(conn, domain_id))
        schedule.enrol(conn, NOW - 900, 300, 900)
    return World(Flow(resources, finish), sent)


def test_as_many_begin_as_there_is_room_for(world: World) -> None:
    assert begin_slices(world.flow.resources) == AT_ONCE
    assert begin_slices(world.flow.resources) == 0
    assert [name for name, _ in world.sent] == ["start_run"] * AT_ONCE


def test_the_end_of_one_makes_room_for_the_next(world: World) -> None:
    begin_slices(world.flow.resources)
    first = world.sent[0][1]
    world.plan(first)
    world.settle(first, Code.OK)

    world.flow.finish_run(first)

    assert len(world.sent) == AT_ONCE + 1
    assert world.sent[-1][0] == "start_run"


@pytest.mark.parametrize(("code", "state"), [(Code.OK, "connected"), (Code.AUTH_REJECTED, "disconnected")])
def test_states_follow_when_the_run_ends(world: World, code: Code, state: str) -> None:
    begin_slices(world.flow.resources)
    first = world.sent[0][1]
    world.plan(first)
    ids = world.settle(first, code)

    world.flow.finish_run(first)

    box = schema.mailboxes
    with world.flow.resources.database.read() as conn:
        found = conn.execute(sa.select(box.c.id).where(box.c.state == state)).scalars().all()
    assert set(found) == set(ids)


def test_once_however_often_the_message_comes(world: World) -> None:
    begin_slices(world.flow.resources)
    first = world.sent[0][1]
    world.plan(first)
    world.settle(first, Code.AUTH_LOCKED)

    for _ in range(3):
        world.flow.finish_run(first)

    with world.flow.resources.database.read() as conn:
        assert sorted(map(str, column(conn, schema.mailboxes, "health_fails")))[-2:] == ["0", "1"]


def test_a_slice_has_one_lane_and_a_preflight_several(world: World) -> None:
    begin_slices(world.flow.resources)
    first = world.sent[0][1]
    run = world.plan(first)
    with world.flow.resources.database.begin() as conn:
        subject = runs.Subject(run.domain_id, settings_id_of(conn, run.domain_id))
        run_id = runs.create(conn, "preflight", subject, NOW)
    preflight = world.plan(run_id)
    world.sent.clear()

    world.flow.advance(first)
    world.flow.advance(run_id)

    assert (run.is_slice, preflight.is_slice) == (True, False)
    assert world.sent == [("run_page", first)] + [("run_page", run_id)] * 3


def test_the_pace_is_the_configured_one() -> None:
    pace = pace_of(Config(health_mailbox_hours=2, health_slice_minutes=10, health_fails=4))

    assert (pace.round_seconds, pace.slice_seconds, pace.fails) == (7200, 600, 4)
