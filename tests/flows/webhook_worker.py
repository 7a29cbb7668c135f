"""A worker that sends events until it is killed, for `tests.flows.webhook_kills`. Importing it loads all it needs."""

import time
from multiprocessing.synchronize import Event

from settings_store.db import Database
from settings_store.secrets import Vault
from worker.config import Config
from worker.resources import Resources
from worker.webhooks import delivery, schedule

LEASE_SECONDS = 0.4


def work(url: str, key: str, begun: Event) -> None:
    """Sends what is due, again and again; a failure is tried again soon."""
    delivery.LEASE_SECONDS = LEASE_SECONDS
    schedule.DELAYS = (0.0, *(0.05 for _ in range(10_000)))
    schedule.ATTEMPTS = len(schedule.DELAYS)
    schedule.hold = lambda *_: 0.0
    database = Database(url)
    config = Config.model_validate({"secret_key": key})
    resources = Resources(database, Vault([key]), config, lambda *_: None, database.now)
    begun.set()
    while True:
        delivery.send_due(resources)
        time.sleep(0.005)
