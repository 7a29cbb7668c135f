"""`python -m tests.flows.webhook_kills [--kills N] [--seed N] [--postgres]`: workers die while they send webhooks.

A worker process sends to two real HTTP servers, one of which refuses now and then, and is killed (SIGKILL) at a random
moment, or just as one of them takes an event: then it was sent, and nobody recorded it. At the end every event has to
be there, with its `webhook-id` at every repeat and no other one. Exit status: 0 so it is, 1 it is not, or no kill hit
that moment.
"""

import contextlib
import multiprocessing
import os
import random
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path

import sqlalchemy as sa

from settings_store import schema
from settings_store.db import Database
from settings_store.secrets import Vault, new_key
from tests.flows import webhook_worker
from tests.flows.kill_command import main
from tests.servers.receivers import Hook, hook, wait_until
from tests.worker.webhooks.world import World

PATIENCE = 60.0
_KILL_ON_RECEIPT, _REFUSES = 0.65, 0.15
_AFTER_RECEIPT_SECONDS, _AFTER_START_SECONDS = 0.002, 0.12
_MAX_NEW = 8


@dataclass
class Outcome:
    """What came of it. `between`: kills after a receiver had an event, before anybody recorded it as sent."""

    kills: int = 0
    between: int = 0
    calls: int = 0
    repeats: int = 0
    expected: int = 0
    lost: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Nothing lost, nothing under two ids, and it was tried in earnest."""
        return not self.lost and not self.twice and self.between > 0 and self.repeats > 0

    def __str__(self) -> str:
        return (
            f"{self.kills} kills, {self.between} of them between sending and recording; {self.expected} events in "
            f"{self.calls} requests, {self.repeats} of these repeats with the same id; {len(self.lost)} lost, "
            f"{len(self.twice)} that a receiver would see as two"
        )


class Trial:
    """One database, two receivers, and workers that die."""

    def __init__(self, url: str, seed: int, receivers: Sequence[Hook]) -> None:
        self.url, self.key = url, new_key()
        self.chance = random.Random(seed)  # noqa: S311 - to be repeatable
        self.receivers = receivers
        self.received = threading.Event()
        for web in receivers:
            web.on_call = self.received.set
        database = Database(url)
        database.migrate()
        self.world = World(database, Vault([self.key]), time.time())
        for web in receivers:
            self.world.endpoint(web, types=["change.applied"])
        self.processes = multiprocessing.get_context("forkserver")
        self.processes.set_forkserver_preload([webhook_worker.__name__])
        self.told: list[str] = []
        self.outcome = Outcome()

    def run(self, kills: int) -> Outcome:
        for _ in range(kills):
            self._make_news()
            self._kill_one()
        self.receivers[0].status = 200
        with self._worker():
            wait_until(self._all_sent, PATIENCE)
        self._judge()
        self.world.database.close()
        return self.outcome

    def _make_news(self) -> None:
        names = [f"c{len(self.told) + number}" for number in range(self.chance.randint(1, _MAX_NEW))]
        self.world.happens(*names)
        self.told += names
        self.receivers[0].status = 500 if self.chance.random() < _REFUSES else 200

    def _kill_one(self) -> None:
        known, self.outcome.kills = len(self._ids()), self.outcome.kills + 1
        on_receipt = self.chance.random() < _KILL_ON_RECEIPT
        with self._worker() as worker:
            self.received.clear()
            if on_receipt and self.received.wait(5):
                time.sleep(self.chance.uniform(0, _AFTER_RECEIPT_SECONDS))
            elif not on_receipt:
                time.sleep(self.chance.uniform(0, _AFTER_START_SECONDS))
            worker.kill()
            worker.join()
        self.outcome.between += bool(set(self._ids()[known:]) - self._recorded())

    @contextlib.contextmanager
    def _worker(self) -> Iterator[BaseProcess]:
        begun = self.processes.Event()
        worker = self.processes.Process(target=webhook_worker.work, args=(self.url, self.key, begun), daemon=True)
        worker.start()
        try:
            assert begun.wait(PATIENCE), "the worker did not begin"
            yield worker
        finally:
            worker.kill()
            worker.join()

    def _all_sent(self) -> bool:
        return len(self._recorded()) == len(self.told) * len(self.receivers)

    def _recorded(self) -> set[str]:
        rows = schema.webhook_deliveries.c
        with self.world.database.read() as conn:
            sent = conn.execute(sa.select(rows.id).where(rows.state == "sent")).scalars()
            return {f"whd_{each}" for each in sent}

    def _ids(self) -> list[str]:
        return [each for web in self.receivers for each in web.ids]

    def _judge(self) -> None:
        ids = self._ids()
        self.outcome.calls, self.outcome.repeats = len(ids), len(ids) - len(set(ids))
        self.outcome.expected = len(self.told) * len(self.receivers)
        for place, web in enumerate(self.receivers):
            found = defaultdict[str, set[str]](set)
            for number, call in enumerate(web.calls):
                found[web.document(number)["subject"].removeprefix("chg_")].add(call.headers["webhook-id"])
            self.outcome.lost += [f"{place}: {name}" for name in self.told if not found[name]]
            self.outcome.twice += [f"{place}: {name}" for name, seen in found.items() if len(seen) > 1]


def trial(url: str, kills: int, seed: int) -> Outcome:
    """So many kills on an empty database."""
    with hook() as one, hook() as other:
        return Trial(url, seed, (one, other)).run(kills)


if __name__ == "__main__":
    os.chdir(Path(__file__).parents[2])  # where the forked workers find their modules
    sys.exit(main("webhook_kills", __doc__ or "", trial, sys.argv[1:]))
