"""How long a worker takes over domains that are all due at once, and what a preflight waits for meanwhile.

The servers are real and near, so this shows the cost of our side: at distant ones checks mostly wait, side by side.
"""

import contextlib
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import sqlalchemy as sa

from bench.endpoint import bare_handshake
from bench.field import HOST, say
from bench.latency import Door, config_of, seconds_to_connect
from bench.meter import cpu_seconds, peak_megabytes
from bench.plan import Void
from bench.service import Backends, Service, beating, distributed
from checks.trust import Trust
from settings_store import domains, schema
from settings_store.db import Database
from tests.servers.certificates import CertificateLab
from tests.servers.dovecot import DovecotOptions, DovecotServer
from tests.servers.postfix import PostfixServer
from worker.health.endpoint_lane import LANES
from worker.health_tasks import publish_lanes
from worker.service.preflight import Preflight

LIMIT_SECONDS = 1.0
SPREAD = 200
"""Servers, in the case where each has few domains."""
_PATIENCE = 900.0
_ASK_SECONDS = 0.2
_IDLE_SAVES = 10
_BARE = 200
CPU_LIMIT = 2.0
"""Of the CPU of an endpoint that is checked by itself, to that of a bare handshake."""


@dataclass(frozen=True, slots=True)
class Load:
    """One case. `shared`: equal endpoints came up together, and were checked once for all.

    `seconds` until the last domain was recorded; `cpu` and `peak` (MB) are those of the health worker. `delays` are
    the seconds from saves to the first connection meanwhile.
    """

    servers: int
    shared: bool
    seconds: float
    cpu: float
    peak: float
    delays: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class HealthCosts:
    """`bare` is the CPU of a handshake that reads the greeting, in seconds; `idle` are the delays with nothing due."""

    count: int
    bare: float
    idle: tuple[float, ...]
    loads: tuple[Load, ...]


@dataclass(frozen=True, slots=True)
class _Case:
    count: int
    servers: int
    shared: bool


@dataclass(frozen=True, slots=True)
class _Servers:
    """A Dovecot and a Postfix that answer at many addresses of loopback."""

    addresses: Sequence[str]
    imap: int
    smtp: int
    ca_pem: str


def measure_health(folder: Path, backends: Backends, count: int) -> HealthCosts:
    """All domains on one server, then spread over `SPREAD`, then each checked by itself.

    Raises `Void` where one is not found to work.
    """
    loads: list[Load] = []
    idle: tuple[float, ...] = ()
    with _servers(folder / "health", min(SPREAD, count)) as servers:
        for number, shared in ((1, True), (len(servers.addresses), True), (len(servers.addresses), False)):
            with distributed(folder, backends, ("preflight", "health")) as service:
                found, quiet = _measure(service, backends, servers, _Case(count, number, shared))
            loads.append(found)
            idle += quiet
            say(f"  {_name(found)}: {found.seconds:.1f} s, {found.peak:.0f} MB, worst delay {max(found.delays):.3f} s")
        bare = _bare(servers)
    return HealthCosts(count, bare, idle, tuple(loads))


def _bare(servers: _Servers) -> float:
    """CPU of a bare handshake, in seconds: the mean of both protocols."""
    context = Trust(servers.ca_pem).strict
    begun = time.process_time()
    for _ in range(_BARE):
        bare_handshake(servers.imap, context, b"* OK")
        bare_handshake(servers.smtp, context, b"220")
    return (time.process_time() - begun) / (2 * _BARE)


@contextlib.contextmanager
def _servers(folder: Path, count: int) -> Iterator[_Servers]:
    folder.mkdir(mode=0o755)
    addresses = [HOST, *(f"127.0.1.{number}" for number in range(1, count))]
    certificates = CertificateLab(folder / "certificates")
    leaf = certificates.issue("localhost", *addresses)
    options = DovecotOptions(fast=True, listen=", ".join(addresses))
    with (
        DovecotServer(folder / "dovecot", leaf, {"user@lab.example": "unused"}, options) as dovecot,
        PostfixServer(folder / "postfix", leaf, dovecot.sasl_socket, aliases=addresses[1:]) as postfix,
    ):
        yield _Servers(addresses, dovecot.imaps_port, postfix.smtps_port, certificates.ca_pem)


def _measure(service: Service, backends: Backends, servers: _Servers, case: _Case) -> tuple[Load, tuple[float, ...]]:
    health_worker = service.workers[1:]
    config = config_of(service, service.environment["MAIL_PREFLIGHT_SECRET_KEY"], backends.redis.url)
    with contextlib.closing(Door()) as door, Preflight.open(config) as preflight:
        idle = tuple(seconds_to_connect(preflight, door) for _ in range(_IDLE_SAVES))
        with preflight.database.begin() as conn:
            _put_in_force(conn, preflight, servers, case)
        cpu, begun = cpu_seconds(health_worker), time.monotonic()
        with beating(service):
            publish_lanes(preflight.processes.app, LANES)
            watch, delays = _Watch(preflight.database, case.count), [seconds_to_connect(preflight, door)]
            while watch.going_on():
                delays.append(seconds_to_connect(preflight, door))
            used = cpu_seconds(health_worker) - cpu
        _check(preflight.database)
        seconds = (watch.ended or time.monotonic()) - begun
        return Load(case.servers, case.shared, seconds, used, peak_megabytes(health_worker), tuple(delays)), idle


def _put_in_force(conn: sa.Connection, preflight: Preflight, servers: _Servers, case: _Case) -> None:
    """Domains with settings in force that are all due.

    The schedule brings domains of one server up together. Where nothing is to be shared, each has another in it.
    """
    now, account = preflight.database.now(), domains.ensure_account(conn)
    names = [f"d{place:05}.example" for place in range(case.count)]
    conn.execute(schema.domains.insert(), [{"account_id": account, "name": name} for name in names])
    of_bench = schema.domains.c.name.in_(names)
    ids = conn.execute(sa.select(schema.domains.c.id).where(of_bench).order_by(schema.domains.c.id)).scalars().all()
    hosts = [servers.addresses[place % case.servers] for place in range(case.count)]
    conn.execute(
        schema.settings.insert(), [_row(key, host, servers, now) for key, host in zip(ids, hosts, strict=True)]
    )
    newest = sa.select(sa.func.max(schema.settings.c.id)).where(schema.settings.c.domain_id == schema.domains.c.id)
    conn.execute(schema.domains.update().where(of_bench).values(settings_id=newest.scalar_subquery()))
    later = now + _PATIENCE
    conn.execute(
        schema.health_schedule.insert(),
        [
            {"domain_id": key, "server": host if case.shared else name, "endpoints_due": now, "mailboxes_due": later}
            for key, host, name in zip(ids, hosts, names, strict=True)
        ],
    )


def _row(domain_id: int, host: str, servers: _Servers, now: float) -> dict[str, Any]:
    return {
        "domain_id": domain_id,
        "kind": "imap",
        "imap_host": host,
        "imap_port": servers.imap,
        "imap_security": "tls",
        "smtp_host": host,
        "smtp_port": servers.smtp,
        "smtp_security": "tls",
        "allow_insecure_certificate": False,
        "ca_pem": servers.ca_pem,
        "created_at": now,
    }


class _Watch:
    """Notes when the last domain was checked."""

    def __init__(self, database: Database, count: int) -> None:
        self._database = database
        self._count = count
        self._end = time.monotonic() + _PATIENCE
        self.ended: float | None = None
        self._thread = threading.Thread(target=self._watch, name="watch", daemon=True)
        self._thread.start()

    def going_on(self) -> bool:
        """Raises `Void` when it takes too long."""
        if self.ended is None and time.monotonic() > self._end:
            raise Void(f"not all domains were checked within {_PATIENCE:.0f} seconds")
        return self.ended is None

    def _watch(self) -> None:
        while time.monotonic() < self._end:
            with self._database.read() as conn:
                checked = conn.execute(sa.select(sa.func.count()).select_from(schema.health_endpoints)).scalar_one()
            if checked >= 2 * self._count:
                self.ended = time.monotonic()
                return
            time.sleep(_ASK_SECONDS)


def _check(database: Database) -> None:
    """Every endpoint works, so nothing else may have been found."""
    table = schema.health_endpoints
    with database.read() as conn:
        wrong = conn.execute(sa.select(table.c.code, table.c.seen).where(table.c.state != "ok").limit(1)).first()
    if wrong:
        raise Void(f"a health check says {wrong.code}: {wrong.seen}")


def health_table(costs: HealthCosts) -> Iterator[str]:
    """The lines of the table."""
    yield (
        f"| {costs.count:,} domains due at once, one health worker | to the last one | endpoints a second | its CPU "
        "| CPU an endpoint, to a bare handshake | its peak memory | save to first connection meanwhile: median, worst "
        "| target |"
    )
    yield "|---|---:|---:|---:|---:|---:|---:|---|"
    for load in costs.loads:
        cells = (
            _name(load),
            f"{load.seconds:.1f} s",
            f"{2 * costs.count / load.seconds:.0f}",
            f"{load.cpu:.1f} s",
            _cost(load, costs),
            f"{load.peak:.0f} MB",
            _delays(load.delays),
            f"< {LIMIT_SECONDS:.0f} s",
        )
        yield f"| {' | '.join(cells)} |"
    yield ""
    yield f"With nothing due, a save's first connection comes after {_delays(costs.idle)} (median, worst)."


def _cost(load: Load, costs: HealthCosts) -> str:
    each = load.cpu / (2 * costs.count)
    ratio = each / costs.bare
    missed = not load.shared and ratio > CPU_LIMIT
    return f"{each * 1000:.2f} ms, " + (f"**{ratio:.1f}, missed**" if missed else f"{ratio:.1f}")


def _name(load: Load) -> str:
    if not load.shared:
        return "each checked by itself"
    return "all on one server" if load.servers == 1 else f"spread over {load.servers} servers"


def _delays(found: Sequence[float]) -> str:
    worst = f"{max(found) * 1000:.0f} ms"
    return f"{median(found) * 1000:.0f} ms, " + (worst if max(found) < LIMIT_SECONDS else f"**{worst}, missed**")
