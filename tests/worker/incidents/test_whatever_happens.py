"""What holds of incidents, whatever happens to the servers."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from checks.codes import Code
from settings_store import schema
from settings_store.alerts.outbox import kind_of
from settings_store.db import Database
from tests.servers.stores import sqlite_store
from tests.worker.health_world import (
    MINUTE,
    Fate,
    make_world,
    populate,
)

_CODES = (Code.OK, Code.OK, Code.CONNECT_REFUSED, Code.CONNECT_TIMEOUT, Code.SERVER_THROTTLED)
_SPELLS = st.lists(st.lists(st.sampled_from(_CODES), min_size=5, max_size=5), min_size=4, max_size=12)


@settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(_SPELLS)
def test_whatever_happens(monkeypatch: pytest.MonkeyPatch, spells: Sequence[Sequence[Code]]) -> None:
    """Spells of twenty minutes, each with some state of five servers."""
    with TemporaryDirectory() as folder, monkeypatch.context() as patch:
        database = Database(sqlite_store(Path(folder) / "any.db"))
        world = make_world(database, patch)
        account = populate(world, 0)

        def fate(number: int) -> Fate:
            return lambda at, *_: spells[min(int(at / 20 / MINUTE), len(spells) - 1)][number]

        for number in range(5):
            world.domain(account, f"d{number}.example", f"mail{number % 4}.example", fate(number % 4))
        world.servers["mail4.example"] = fate(4)
        world.domain(account, "e.example", "mail4.example")
        world.go(len(spells) * 20 * MINUTE)
        check_what_always_holds(database)
        database.close()


def check_what_always_holds(database: Database) -> None:
    """Each incident is told of once, and ends once; no customer's opens while everything fails."""
    incident, alert, event = schema.incidents, schema.alerts, schema.events
    with database.read() as conn:
        told = sa.select(alert.c.incident_id, event.c.kind).join_from(alert, event).order_by(alert.c.created_at)
        told_of = conn.execute(told).all()
        rows = conn.execute(sa.select(incident).order_by(incident.c.opened_at)).mappings().all()
    kinds: dict[str, list[str]] = {}
    for incident_id, kind in told_of:
        kinds.setdefault(incident_id, []).append(kind_of(kind))
    assert all(said in (["opened"], ["opened", "resolved"]) for said in kinds.values())
    assert set(kinds) == {row["id"] for row in rows}
    assert not {row["code"] for row in rows} & {Code.SERVER_THROTTLED.value, Code.OK.value}
    for row in rows:
        earlier = [item for item in rows if item["subject"] == row["subject"] and item["opened_at"] < row["opened_at"]]
        assert all(item["closed_at"] is not None and item["closed_at"] <= row["opened_at"] for item in earlier)
    for ours in (row for row in rows if row["scope"] == "service"):
        until = float("inf") if ours["closed_at"] is None else ours["closed_at"]
        opened = [row["opened_at"] for row in rows if row["account_id"] is not None]
        assert not any(ours["opened_at"] <= at < until for at in opened)
