"""A world of accounts, domains and mail servers whose state is a function of a time that is told, never waited for.

The checks are made up; scheduling, recording, judging and announcing are the real ones, on a real database.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa

from checks.codes import Code, Verdict, verdict_of
from checks.context import CheckContext
from checks.model import Certificate, Credential, Endpoint, EndpointResult, LoginResult, Protocol, TlsFacts
from checks.settings import ImapSettings, Settings
from settings_store import domains, maintenance, schema
from settings_store.alerts import channels, outbox
from settings_store.alerts.channels import Subscription
from settings_store.db import Database
from settings_store.incidents.incidents import Severity
from settings_store.mailboxes.mailboxes import import_mailboxes
from settings_store.mailboxes.rows import MailboxRow
from settings_store.secrets import Vault, new_key
from worker.config import Config
from worker.finished_runs import finish
from worker.health import endpoint_lane
from worker.incidents.judge import judge
from worker.resources import Resources
from worker.runs.flow import Flow
from worker.runs.lane import Lane, RouteCache

START = 1_800_000_000.0
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
OPERATOR = "operator"

Fate = Callable[[float, Endpoint, CheckContext], "Code | EndpointResult"]
"""What a server does at a time, in seconds since the world began."""
Alert = tuple[str, str, str, str]
"""Whose it is, what it is about, its kind with the number of a reminder, and the code."""


def well(_at: float, _endpoint: Endpoint, _context: CheckContext) -> Code:
    return Code.OK


def down(*spans: tuple[float, float], code: Code = Code.CONNECT_REFUSED, only: Protocol | None = None) -> Fate:
    """Fails with a code within these spans of seconds."""

    def fate(at: float, endpoint: Endpoint, _context: CheckContext) -> Code:
        within = any(begin <= at < end for begin, end in spans)
        return code if within and only in (None, endpoint.protocol) else Code.OK

    return fate


def certificate(at: float, number: int, days: float, age: float, issuer: str = "CN=Lab CA") -> TlsFacts:
    """The facts of a certificate of so many days that is `age` days old at `at`."""
    begin, end = START + at - age * DAY, START + at + (days - age) * DAY
    leaf = Certificate("CN=mail", issuer, _iso(begin), _iso(end), f"{number:064x}")
    return TlsFacts("TLSv1.3", "AES", (leaf,))


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


@dataclass
class World:
    """`servers` maps a host to its fate. `blocked` says of a time and a connection IP whether nothing gets out."""

    database: Database
    config: Config
    now: float = START
    servers: dict[str, Fate] = field(default_factory=dict)
    passwords: dict[str, str] = field(default_factory=dict)
    blocked: Callable[[float, str], Code | None] = lambda _at, _source: None
    checks: int = 0
    logins: int = 0
    ticked: float = 0.0
    judging: bool = True

    def __post_init__(self) -> None:
        self.vault = Vault([new_key()])
        self.queue: list[tuple[str, str]] = []
        self.flow = self.another_worker(None)
        self.workers = [self.flow]
        random.seed(7)

    def another_worker(self, source: str | None) -> Flow:
        """A worker that connects from an address."""
        config = self.config.model_copy(update={"source_address": (source,) if source else ()})
        publish = lambda name, run_id: self.queue.append((name, run_id))  # noqa: E731 # a queue is all there is to it
        return Flow(Resources(self.database, self.vault, config, publish, now=lambda: self.now), finish)

    @property
    def at(self) -> float:
        """Seconds since the world began."""
        return self.now - START

    # -- what is there

    def account(self, name: str) -> int:
        """An account with one channel that hears everything."""
        with self.database.begin() as conn:
            account_id = domains.ensure_account(conn, name)
            subscription = Subscription(Severity.INFO, operator=name == OPERATOR)
            channels.add(
                conn, account_id, "all", self.vault.seal("json://localhost"), "json://", subscription, self.now
            )
        return account_id

    def domain(self, account_id: int, name: str, host: str, fate: Fate | None = None, mailboxes: int = 0) -> int:
        """A domain with settings in force, on a server."""
        with self.database.begin() as conn:
            domain_id = self.add_domain(conn, account_id, name, host, fate)
            boxes = [self._row(f"box{number}@{name}", f"right{number}", number) for number in range(mailboxes)]
            import_mailboxes(conn, domain_id, boxes, self.vault, self.now)
        return domain_id

    def add_domain(self, conn: sa.Connection, account_id: int, name: str, host: str, fate: Fate | None = None) -> int:
        """As `domain`, in somebody's transaction."""
        self.servers.setdefault(host, fate or well)
        domain_id = domains.ensure_domain(conn, account_id, name)
        self._put_in_force(conn, domain_id, mail(host))
        return domain_id

    def change_settings(self, domain_id: int, settings: Settings) -> None:
        with self.database.begin() as conn:
            self._put_in_force(conn, domain_id, settings)

    def _put_in_force(self, conn: sa.Connection, domain_id: int, settings: Settings) -> None:
        settings_id = domains.save_settings(conn, domain_id, settings, self.now)
        table = schema.domains
        conn.execute(table.update().where(table.c.id == domain_id).values(settings_id=settings_id))

    def _row(self, address: str, password: str, number: int) -> MailboxRow:
        self.passwords.setdefault(address, password)
        return MailboxRow(address, address, password, number)

    def import_again(self, domain_id: int, address: str) -> None:
        """With the password that the server takes."""
        with self.database.begin() as conn:
            row = MailboxRow(address, address, self.passwords[address], 1)
            import_mailboxes(conn, domain_id, [row], self.vault, self.now)

    def rest(self, account_id: int, domain: str, hours: float) -> None:
        with self.database.begin() as conn:
            maintenance.add(conn, account_id, domain, self.now, self.now + hours * HOUR, "", self.now)

    def pause(self, account_id: int, domain: str) -> None:
        with self.database.begin() as conn:
            maintenance.pause(conn, account_id, domain, self.now)

    def resume(self, account_id: int, domain: str) -> None:
        with self.database.begin() as conn:
            maintenance.resume(conn, account_id, domain, self.now)

    def states(self, domain_id: int) -> dict[str, int]:
        """How many of a domain's mailboxes are in which state."""
        table = schema.mailboxes
        query = sa.select(table.c.state, sa.func.count()).where(table.c.domain_id == domain_id).group_by(table.c.state)
        with self.database.read() as conn:
            return {str(state): int(count) for state, count in conn.execute(query)}

    # -- what is met

    def check(self, endpoint: Endpoint, context: CheckContext) -> EndpointResult:
        """What the check of an endpoint would say now."""
        self.checks += 1
        met = self.blocked(self.at, str(context.source)) or self.servers[endpoint.host](self.at, endpoint, context)
        if isinstance(met, EndpointResult):
            return met
        return EndpointResult(endpoint, verdict_of(met), met, seen="" if met is Code.OK else "said so")

    def log_in(self, route: Any, credential: Credential, _context: CheckContext, address: str) -> LoginResult:
        self.logins += 1
        right = self.passwords[address] == credential.secret
        code = Code.OK if right else Code.AUTH_REJECTED
        return LoginResult(verdict_of(code), code, route.endpoint.protocol)

    # -- time

    def go(self, seconds: float, step: float = 60.0, quiet: float = 300.0) -> None:
        """Lets time pass; what beat sets going comes every `step` seconds, every `quiet` where nothing is in doubt."""
        end = self.now + seconds
        while self.now < end:
            pause = step if self._in_doubt() else quiet
            self.now = min(end, self.now + pause)
            self.beat()

    def go_to(self, at: float, step: float = 60.0, quiet: float = 300.0) -> None:
        self.go(START + at - self.now, step, quiet)

    def _in_doubt(self) -> bool:
        """Whether an endpoint has begun to fail or to recover."""
        table = schema.health_endpoints
        failing = sa.and_(table.c.state.in_(("ok", "unknown")), table.c.fails + table.c.silent > 0)
        recovering = sa.and_(table.c.state.in_(("fail", "silent")), table.c.oks > 0)
        with self.database.read() as conn:
            doubtful = sa.select(table.c.domain_id).where(sa.or_(failing, recovering))
            return conn.execute(doubtful.limit(1)).first() is not None

    def beat(self) -> None:
        """One round of what beat sets going, on each worker."""
        if abs(self.now - self.ticked) >= 290:
            endpoint_lane.tick(self.flow.resources)
            self.ticked = self.now
        for flow in random.sample(self.workers, len(self.workers)):
            endpoint_lane.EndpointLane(flow.resources, check=self.check).run()
            self._work(flow)
        if self.judging:
            judge(self.flow.resources)
            self._deliver()

    def _work(self, flow: Flow) -> None:
        cache = RouteCache()
        while self.queue:
            name, run_id = self.queue.pop(0)
            if name == "run_page":
                Lane(flow, cache, run_id).run()
            else:
                getattr(flow, name)(run_id)

    def _deliver(self) -> None:
        """Every alert arrives at once."""
        table, sent = schema.alerts, schema.deliveries
        waiting = sa.select(table).where(table.c.delivery_id.is_(None), table.c.dropped.is_(None))
        with self.database.begin() as conn:
            for number, row in enumerate(conn.execute(waiting).mappings().all()):
                key = f"{self.now}-{number}"
                delivery = {"id": key, "channel_id": row["channel_id"], "state": "sent", "sent_at": self.now}
                conn.execute(sent.insert().values(**delivery, next_at=self.now, created_at=self.now))
                mine = [table.c[name] == row[name] for name in ("event_seq", "channel_id")]
                conn.execute(table.update().where(*mine).values(delivery_id=key))

    # -- what came of it

    def alerts(self) -> list[Alert]:
        """The alerts of all channels, in order: whose, about what, kind, code."""
        return [alert for _, alert in self.timed_alerts()]

    def timed_alerts(self) -> list[tuple[float, Alert]]:
        """The alerts with the seconds since the world began."""
        table, incident, account, event = schema.alerts, schema.incidents, schema.accounts, schema.events
        known = incident.c.scope, incident.c.code, incident.c.subject, account.c.name
        query = (
            sa.select(table, *known, event.c.kind, event.c.payload)
            .join(incident, incident.c.id == table.c.incident_id)
            .join(event, event.c.seq == table.c.event_seq)
            .outerjoin(account, account.c.id == incident.c.account_id)
            .order_by(table.c.created_at, account.c.name, incident.c.subject, event.c.kind)
        )
        with self.database.read() as conn:
            rows = conn.execute(query).mappings().all()
            return [(row["created_at"] - START, self._alert(conn, row)) for row in rows]

    def _alert(self, conn: sa.Connection, row: sa.RowMapping) -> Alert:
        listed, domain = schema.incident_domains, schema.domains
        query = sa.select(domain.c.name).join(listed, listed.c.domain_id == domain.c.id)
        names = conn.execute(query.where(listed.c.incident_id == row["incident_id"])).scalars().all()
        about = f"{row['scope']} {names[0]}" if len(names) == 1 else f"{row['scope']} of {len(names)}"
        kind: str = outbox.kind_of(row["kind"])
        kind = kind if kind != "reminder" else f"reminder {row['payload']['number']}"
        return row["name"] or OPERATOR, about if names else row["scope"], kind, row["code"]


def mail(host: str, *, option: bool = False) -> ImapSettings:
    """IMAP and SMTP on one host."""
    imap, smtp = Endpoint(Protocol.IMAP, host, 993), Endpoint(Protocol.SMTP, host, 465)
    return ImapSettings(imap, smtp, allow_insecure_certificate=option)


def make_world(database: Database, monkeypatch: pytest.MonkeyPatch, **values: object) -> World:
    """A world in which nothing is yet but time."""
    world = World(database, Config(**{"lanes": 1, "watch_minutes": 0, **values}))  # type: ignore[arg-type] # settings by name
    monkeypatch.setattr(
        "worker.pacing.endpoint_slot.check_in_turn", lambda endpoint, context, _pacer: world.check(endpoint, context)
    )
    monkeypatch.setattr("worker.runs.lane.check_mailbox", world.log_in)
    monkeypatch.setattr(
        "worker.runs.lane.open_route", lambda result, _context: SimpleNamespace(endpoint=result.endpoint, learned={})
    )
    return world


def told(who: str, about: str, code: Code, *kinds: str) -> list[Alert]:
    """What is told of one incident: that it opened and was resolved, where nothing else is said."""
    return [(who, about, kind, code.value) for kind in kinds or ("opened", "resolved")]


def of(alerts: Sequence[Alert], who: str) -> list[Alert]:
    return [alert for alert in alerts if alert[0] == who]


def result_with(endpoint: Endpoint, **values: Any) -> EndpointResult:
    """A server that works, of which there is something to say."""
    return replace(EndpointResult(endpoint, Verdict.OK, Code.OK), **values)


def populate(world: World, servers: int, mailboxes: int = 0) -> int:
    """An account with a domain on each of so many servers that work, and the operator. Returns the account."""
    account = world.account("ann")
    world.account(OPERATOR)
    for number in range(servers):
        world.domain(account, f"d{number}.example", f"mail{number}.example", mailboxes=mailboxes)
    return account
