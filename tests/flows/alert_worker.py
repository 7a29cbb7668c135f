"""A worker that sends alerts until it is killed, for `tests.flows.alert_kills`. Importing it loads all it needs."""

import time
from multiprocessing.synchronize import Event

from settings_store.db import Database
from settings_store.secrets import Vault
from worker.alerts import apprise_sender, delivery
from worker.config import Config
from worker.resources import Resources

LEASE_SECONDS = 0.4

apprise_sender.accept("json://127.0.0.1/")  # loads the services, which takes longer than all else


def work(url: str, key: str, begun: Event) -> None:
    """Sends what is due, again and again."""
    delivery.LEASE_SECONDS = LEASE_SECONDS
    resources = Resources(Database(url), Vault([key]), Config.model_validate({"secret_key": key}), lambda *_: None)
    begun.set()
    while True:
        delivery.send_due(resources)
        time.sleep(0.005)
