"""Webhooks whose senders are killed meanwhile."""

from pathlib import Path

import pytest

from tests.flows.webhook_kills import trial
from tests.servers.stores import sqlite_store


@pytest.mark.timeout(100)
@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
def test_workers_that_are_killed_lose_nothing_and_repeat_under_the_same_id(
    request: pytest.FixtureRequest, tmp_path: Path, store: str
) -> None:
    """The short form of `python -m tests.flows.webhook_kills`."""
    url = request.getfixturevalue("postgres_store") if store == "postgresql" else sqlite_store(tmp_path / "kills.db")
    outcome = trial(url, kills=12 if store == "sqlite" else 6, seed=2)
    assert not outcome.lost and not outcome.twice
    assert outcome.between > 0 and outcome.repeats > 0, "no kill hit the moment between sending and recording"
    assert outcome.expected > 30
