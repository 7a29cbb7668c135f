"""Incidents and channels for tests of who is told what."""

from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy import Connection

from checks.codes import Code
from checks.model import MailboxState
from settings_store import schema
from settings_store.alerts import channels, outbox
from settings_store.alerts.channels import Channel, Subscription
from settings_store.alerts.outbox import Kind
from settings_store.db import Database
from settings_store.domains import ensure_account, ensure_domain
from settings_store.incidents import incidents
from settings_store.incidents.incidents import Opening, Scope, Severity
from settings_store.secrets import Vault, new_key

NOW = 1_800_000_000.0  # 2027-01-15, 08:00 UTC


@dataclass
class Office:
    """An account with domains and channels, on a database."""

    database: Database
    vault: Vault = field(default_factory=lambda: Vault([new_key()]))
    now: float = NOW

    def account(self, name: str = "default") -> int:
        with self.database.begin() as conn:
            return ensure_account(conn, name)

    def domain(self, name: str = "lab.example", account: str = "default") -> int:
        with self.database.begin() as conn:
            return ensure_domain(conn, ensure_account(conn, account), name)

    def channel(
        self,
        name: str = "admins",
        subscription: Subscription = Subscription(),  # noqa: B008 - it is frozen
        url: str = "json://127.0.0.1:1/",
        account: str = "default",
        shown: str = "json://127.0.0.1/...",
    ) -> Channel:
        with self.database.begin() as conn:
            return channels.add(
                conn, ensure_account(conn, account), name, self.vault.seal(url), shown, subscription, self.now
            )

    def incident(
        self,
        subject: str = "endpoint:1",
        severity: Severity = Severity.CRITICAL,
        domains: tuple[str, ...] = ("lab.example",),
        *,
        scope: Scope = Scope.ENDPOINT,
        account: str | None = "default",
        host: str = "mail.lab.example",
        code: Code = Code.CONNECT_REFUSED,
        kind: Kind | None = "opened",
    ) -> str:
        """An open incident that is announced, unless `kind` is None."""
        ids = frozenset(self.domain(name, account or "default") for name in domains)
        opening = Opening(
            scope,
            subject,
            None if account is None else self.account(account),
            severity,
            code,
            self.now - 180,
            {"host": host, "port": "993", "protocol": "IMAP"},
            "Connection refused",
            ids,
            None,
            3,
        )
        with self.database.begin() as conn:
            incident_id = incidents.open_one(conn, opening, self.now, None)
            assert incident_id
            if kind:
                outbox.announce(conn, incident_id, kind, 0, self.now)
        return incident_id

    def announce(self, incident_id: str, kind: Kind, number: int = 0) -> int:
        with self.database.begin() as conn:
            if kind == "reminder":
                incidents.remind(conn, incident_id, number, self.now + 1, self.now)
            return outbox.announce(conn, incident_id, kind, number, self.now)

    def resolve(self, incident_id: str) -> int:
        """It is over, and that is announced."""
        with self.database.begin() as conn:
            incidents.recover(conn, incident_id, self.now)
            incidents.close(conn, incident_id, self.now)
            return outbox.announce(conn, incident_id, "resolved", 0, self.now)

    def mailboxes(self, count: int, domain: str = "lab.example", code: Code = Code.CONNECT_REFUSED) -> None:
        """So many that are disconnected."""
        domain_id = self.domain(domain)
        with self.database.begin() as conn:
            for number in range(count):
                address = f"user{number:02}@{domain}"
                values = {"state": MailboxState.DISCONNECTED.value, "state_code": code.value, "state_since": self.now}
                row = {"domain_id": domain_id, "address": address, "username": address, **values}
                conn.execute(schema.mailboxes.insert().values(row))

    def alerts(self) -> list[tuple[str, str, int, str | None]]:
        """Channel, kind, number, and why it is dropped, of every alert."""
        with self.database.read() as conn:
            rows = _alerts(conn)
            return [(row.name, outbox.kind_of(row.kind), row.payload.get("number", 0), row.dropped) for row in rows]

    def due(self) -> dict[str, float]:
        """When the alerts are due, by channel."""
        with self.database.read() as conn:
            return {row.name: row.due_at for row in _alerts(conn)}

    def deliveries(self) -> list[sa.RowMapping]:
        with self.database.read() as conn:
            query = sa.select(schema.deliveries).order_by(schema.deliveries.c.created_at, schema.deliveries.c.id)
            return list(conn.execute(query).mappings())


def _alerts(conn: Connection) -> sa.CursorResult[tuple[object, ...]]:
    rows, channel, event = schema.alerts, schema.alert_channels, schema.events
    query = sa.select(rows, channel.c.name, event.c.kind, event.c.payload).join_from(rows, channel)
    query = query.join(event, event.c.seq == rows.c.event_seq)
    return conn.execute(query.order_by(channel.c.name, event.c.kind, event.c.seq, rows.c.incident_id))
