"""An account with webhook endpoints, and events that happen in it."""

from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from settings_store import schema
from settings_store.actors import Actor
from settings_store.db import Database
from settings_store.domains import ensure_account, ensure_domain
from settings_store.events import events
from settings_store.events.event import Event
from settings_store.events.kinds import ChangeApplied
from settings_store.secrets import Vault, new_key
from settings_store.webhooks import deliveries
from settings_store.webhooks.deliveries import Delivery
from tests.servers.receivers import Hook
from worker.config import Config
from worker.resources import Resources
from worker.service.bound_to import Binding
from worker.service.webhooks import EndpointRequest, Seen, Webhooks
from worker.webhooks import delivery

NOW = 1_800_000_000.0  # 2027-01-15, 08:00 UTC
ANNA = Actor("anna", "local")


@dataclass
class World:
    """Its clock stands still until `now` is set."""

    database: Database
    vault: Vault = field(default_factory=lambda: Vault([new_key()]))
    now: float = NOW
    config: Config = field(default_factory=lambda: Config.model_validate({"secret_key": "x"}))

    def webhooks(self, account: str = "default") -> Webhooks:
        with self.database.begin() as conn:
            account_id = ensure_account(conn, account)
        nothing: Any = lambda *_: None  # noqa: E731 - none of these is asked for
        return Webhooks(Binding(self.database, self.config, self.vault, account_id, ANNA, *([nothing] * 9)))

    @property
    def account_id(self) -> int:
        with self.database.begin() as conn:
            return ensure_account(conn)

    def endpoint(self, web: Hook | int, account: str = "default", **wanted: Any) -> Seen:
        port = web if isinstance(web, int) else web.port
        return self.webhooks(account).add(EndpointRequest(url=f"http://127.0.0.1:{port}/h", **wanted))

    def happens(self, *names: str, account: str = "default", domain: str | None = None) -> None:
        """A change of each name is applied, in that order."""
        with self.database.begin() as conn:
            account_id = ensure_account(conn, account)
            domain_id = ensure_domain(conn, account_id, domain) if domain else None
            told: dict[str, Any] = {"at": self.now, "account_id": account_id, "domain_id": domain_id}
            events.record(conn, *(ChangeApplied(subject=name, **told) for name in names))

    def record(self, *told: Event) -> None:
        with self.database.begin() as conn:
            events.record(conn, *told)

    def send(self) -> int:
        """Sends what is due."""
        return delivery.send_due(self.resources)

    @property
    def resources(self) -> Resources:
        return Resources(self.database, self.vault, self.config, lambda *_: None, now=lambda: self.now)

    def deliveries(self, seen: Seen) -> list[Delivery]:
        """The oldest first."""
        with self.database.read() as conn:
            return deliveries.of_endpoint(conn, seen.endpoint.id, 1000)[::-1]

    def kinds(self) -> list[str]:
        """Of all events, in order."""
        with self.database.read() as conn:
            return list(conn.execute(sa.select(schema.events.c.kind).order_by(schema.events.c.seq)).scalars())


def subjects(web: Hook) -> list[str]:
    """What a receiver was told of, in the order in which it came."""
    return [web.document(number)["subject"].removeprefix("chg_") for number in range(len(web.calls))]
