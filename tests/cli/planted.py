"""Rows as health checks would leave them, put into a database directly."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from checks.codes import Code, Verdict
from checks.model import Endpoint, EndpointResult, Protocol, Security
from checks.serialize import dump_endpoint_result
from checks.settings import ExchangeSettings, ImapSettings, Settings
from cli import main
from settings_store import domains, schema
from settings_store.db import Database
from settings_store.secrets import load_or_create_key_file
from tests.servers.stores import sqlite_store

HOUR, DAY = 3600.0, 86400.0
SETTINGS = ImapSettings(
    Endpoint(Protocol.IMAP, "imap.demo.example", 993, Security.TLS),
    Endpoint(Protocol.SMTP, "smtp.demo.example", 465, Security.TLS),
)
EXCHANGE = ExchangeSettings("https://mail.demo.example/EWS/Exchange.asmx")


@dataclass(frozen=True, slots=True)
class Said:
    """What a command printed, and its exit status."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


class Planted:
    """A database that the command finds by its environment. `now` is when the test began, and stays so."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.url = sqlite_store(folder / "planted.db")
        self.key = load_or_create_key_file(folder / "planted.key")
        monkeypatch.setenv("MAIL_PREFLIGHT_DATABASE_URL", self.url)
        monkeypatch.setenv("MAIL_PREFLIGHT_SECRET_KEY", self.key)
        self._capsys = capsys
        self.database = Database(self.url)
        self.now = self.database.now()
        monkeypatch.setattr(Database, "now", lambda _self: self.now)  # or the hour might end meanwhile
        with self.database.begin() as conn:
            self.account_id = domains.ensure_account(conn)

    def run(self, *arguments: str) -> Said:
        """Runs a command in this process; its output is no terminal's."""
        self._capsys.readouterr()
        status = main.run(arguments)
        return Said(status, *self._capsys.readouterr())

    def insert(self, table: Any, **values: Any) -> Any:
        with self.database.begin() as conn:
            return conn.execute(table.insert().values(**values)).inserted_primary_key[0]  # type: ignore[index] # has one

    def domain(self, name: str = "demo.example", settings: Settings | None = SETTINGS, account: str = "default") -> int:
        """A domain with settings in force; with None it has none."""
        with self.database.begin() as conn:
            domain_id = domains.ensure_domain(conn, domains.ensure_account(conn, account), name)
            if settings is not None:
                settings_id = domains.save_settings(conn, domain_id, settings, self.now)
                mine = schema.domains.c.id == domain_id
                conn.execute(schema.domains.update().where(mine).values(settings_id=settings_id))
        return domain_id

    def endpoint(self, domain_id: int, protocol: str = "imap", state: str = "ok", **values: Any) -> None:
        """What is known of an endpoint of the settings in force: checked a minute ago, in its state since two days."""
        with self.database.read() as conn:
            query = schema.domains.select().where(schema.domains.c.id == domain_id)
            settings_id = conn.execute(query).one().settings_id
            (endpoint,) = (
                item for item in domains.load_settings(conn, settings_id).endpoints if item.protocol == protocol
            )
        code = values.pop("code", Code.OK if state == "ok" else Code.CONNECT_REFUSED)
        verdict = values.pop("verdict", Verdict.OK if code is Code.OK else Verdict.FAIL)
        result = EndpointResult(endpoint, verdict, code, facts=values.pop("facts", {}))
        row = {
            "domain_id": domain_id,
            "protocol": protocol,
            "settings_id": settings_id,
            "server": f"{endpoint.host}:{endpoint.port}",
            "source": "",
            "state": state,
            "since": self.now - 2 * DAY,
            "verdict": verdict,
            "code": code,
            "seen": "",
            "fails": 0 if verdict is Verdict.OK else 3,
            "oks": 5 if verdict is Verdict.OK else 0,
            "silent": 0,
            "checked_at": self.now - 60,
            "ms": 12.0,
            "document": dump_endpoint_result(result),
            "notices": [],
        }
        self.insert(schema.health_endpoints, **row | values)

    def healthy(self, name: str = "demo.example") -> int:
        """A domain with both of its endpoints working."""
        domain_id = self.domain(name)
        self.endpoint(domain_id, "imap")
        self.endpoint(domain_id, "smtp")
        return domain_id

    def hours(self, domain_id: int, ago: Sequence[int], protocol: str = "imap", **values: Any) -> None:
        row = {"ok": 12, "fail": 0, "inconclusive": 0, "ms_sum": 240.0, "ms_max": 31.0} | values
        this_hour = int(self.now // HOUR)
        with self.database.begin() as conn:
            keys = [{"domain_id": domain_id, "protocol": protocol, "hour": this_hour - number} for number in ago]
            conn.execute(schema.health_hours.insert(), [key | row for key in keys])

    def mailboxes(self, domain_id: int, count: int, state: str = "connected", **values: Any) -> None:
        with self.database.begin() as conn:
            rows = [
                {"domain_id": domain_id, "address": f"{state}{number:03}@demo.example", "username": "u", "state": state}
                for number in range(count)
            ]
            conn.execute(schema.mailboxes.insert(), [row | values for row in rows])

    def incident(self, domain_ids: Sequence[int], facts: Mapping[str, str] | None = None, **values: Any) -> str:
        """An open incident of an endpoint, of all these domains."""
        number = self.insert(schema.incidents, **self._incident(domain_ids, facts or {}) | values)
        for domain_id in domain_ids:
            self.insert(schema.incident_domains, incident_id=number, domain_id=domain_id)
        return str(number)

    def _incident(self, domain_ids: Sequence[int], facts: Mapping[str, str]) -> dict[str, Any]:
        with self.database.read() as conn:
            count = len(conn.execute(schema.incidents.select()).all())
        return {
            "id": f"inc{count}",
            "account_id": self.account_id,
            "scope": "endpoint",
            "subject": f"subject{count}",
            "domain_id": domain_ids[0] if len(domain_ids) == 1 else None,
            "severity": "critical",
            "code": "connect.refused",
            "facts": {"host": "imap.demo.example", "port": "993", "protocol": "IMAP"} | dict(facts),
            "seen": "",
            "since": self.now - HOUR,
            "opened_at": self.now - HOUR + 180,
        }

    def channel(self, name: str = "admins", **values: Any) -> None:
        row = {
            "account_id": self.account_id,
            "name": name,
            "url": b"sealed",
            "shown": "json://there/...",
            "severity": "info",
        }
        self.insert(schema.alert_channels, **row | {"language": "en", "created_at": self.now} | values)
