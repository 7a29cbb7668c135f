"""A stand-in Exchange beside a whole system, as the tests of this folder use the two."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from checks.protocols.exchange.url import normalise_url
from checks.settings import ExchangeSettings, Settings
from tests.flows.harness import Box, Outcome, System
from tests.servers.exchange.scenarios import MAILBOX_SCENARIOS
from tests.servers.exchange.server import ExchangeServer
from tests.servers.postgres import PostgresServer
from tests.servers.redis import RedisServer
from tests.servers.stores import sqlite_store

DOMAIN = "lab.example"
PASSWORD = "Planted-secret-4711"
ACTORS = {f"{name.replace('_', '-').lower()}@{DOMAIN}": name for name in MAILBOX_SCENARIOS}
WELL = tuple(f"well{number:02}@{DOMAIN}" for number in range(30))
# Hours are short here and runs many; some servers take the whole time that they get, which is less than a lease.
SETTINGS = {"login_seconds": 3.0, "endpoint_seconds": 2.5, "logins_per_hour": 100_000}
VARIABLES = {name.upper(): f"{value:g}" for name, value in SETTINGS.items()}


@contextlib.contextmanager
def exchange_system(
    mode: str, folder: Path, postgres: PostgresServer, variables: Mapping[str, str]
) -> Iterator[System]:
    """A system of one mode; the two workers of the distributed one run with `variables`."""
    if mode == "embedded":
        yield System("embedded", folder, sqlite_store(folder / "preflight.db"), "memory://localhost/")
        return
    with contextlib.ExitStack() as stack:
        redis = stack.enter_context(RedisServer(folder / "redis"))
        system = System("distributed", folder, postgres.new_store(), redis.url, log_level="DEBUG")
        system.workers = stack.enter_context(system.working(2, **variables))
        yield system


@dataclass
class Site:
    """An Exchange and a system whose workers know of it."""

    system: System
    server: ExchangeServer
    ca_pem: str
    ca_file: Path

    def settings(self, url: str = "", **changes: Any) -> ExchangeSettings:
        """As typed by an admin."""
        given = normalise_url(url or self.server.url)
        values = {"ca_pem": self.ca_pem, "typed": given.typed if given.changed else ""}
        return ExchangeSettings(given.url, **(values | changes))

    def load(self, *addresses: str, domain: str = DOMAIN, password: str = PASSWORD) -> None:
        self.system.load(domain, [Box(address, password, address) for address in addresses])

    def verify(self, settings: Settings | None = None, domain: str = DOMAIN, **changes: Any) -> Outcome:
        return self.system.verify(domain, settings or self.settings(), **(SETTINGS | changes))

    def forget_mailboxes(self) -> None:
        """An empty domain; changes and runs go with it."""
        with self.system.open() as preflight, preflight.database.begin() as conn:
            for table in ("rejections", "run_mailboxes", "mailboxes"):
                conn.exec_driver_sql(f"DELETE FROM {table}")  # noqa: S608 - our own names
            conn.exec_driver_sql("UPDATE domains SET settings_id = NULL")
