"""What every step of the work is given: the database, the keys, the clock, the pacer, and the way to ask for a task."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from threading import Event
from typing import Literal

from settings_store.db import Database
from settings_store.runs.runs import Run
from settings_store.secrets import Vault
from worker.config import Config
from worker.news import News
from worker.pacing.pacer import LocalPacer, Pacer

TaskName = Literal["start_run", "run_page", "finish_run"]
Publish = Callable[[TaskName, str], None]


@dataclass
class Resources:
    """`publish` sends a task's name and a run's id; `now` is UTC seconds since 1970; `stopping` ends lanes early."""

    database: Database
    vault: Vault
    config: Config
    publish: Publish
    now: Callable[[], float] = time.time
    stopping: Event = field(default_factory=Event)
    shared_pacer: Pacer | None = None
    publish_health: Publish | None = None
    news: News = field(default_factory=News)
    """Of runs that have ended in this process."""

    @cached_property
    def pacer(self) -> Pacer:
        """How many logins at once: shared with other processes, or this one's own."""
        return self.shared_pacer or LocalPacer(self.config.logins_at_once)

    def send(self, name: TaskName, run: Run) -> None:
        """Publishes a task for a run, where somebody waits for it or where nobody does."""
        preflight = run.kind == "preflight" or self.publish_health is None
        (self.publish if preflight else self.publish_health)(name, run.id)  # type: ignore[misc] # None is preflight
