"""All examples, asked of a service that works."""

from pathlib import Path
from typing import Any

from tests.servers.receivers import hook
from tests.web.api import running
from tests.web.examples.play import Play
from tests.web.examples.scenes import play_all


def asked(folder: Path) -> dict[str, dict[str, Any]]:
    """By operation and outcome: what was asked, and what was answered."""
    ours: dict[str, Any] = {"web_rate_expensive": 0, "shared_addresses": "203.0.113.7"}
    with hook() as receiver, running(folder, working=True, **ours) as api:
        play = Play(api, receiver)
        play_all(play)
        return play.examples
