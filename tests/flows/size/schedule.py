"""Whether health checks keep up: endpoints of a large store, all due in turn, and four workers that check them.

The servers are real and near, and share the machine with those who check: each domain has its own address or port in
its settings as far as loopback has them, so that nearly every endpoint is checked by itself.
"""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import psycopg
import sqlalchemy as sa
from redis import Redis as Client

from bench.meter import cpu_seconds, peak_megabytes
from settings_store import schema
from settings_store.db import Database
from settings_store.health import totals
from tests.flows.harness import NETWORKS, ROOT
from tests.flows.size.large import Say
from tests.servers.certificates import CertificateLab
from tests.servers.dovecot import DovecotOptions, DovecotServer
from tests.servers.postfix import PostfixServer
from tests.servers.redis import RedisServer

WORKERS = 4
ADDRESSES = 250
WARM_SECONDS, SECONDS = 60.0, 300.0
_LOOK_SECONDS = 5.0
_CONNECTIONS = sa.text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")


@dataclass(frozen=True, slots=True)
class Kept:
    """What was checked in the time, and how late the longest overdue domain was: at the worst, and in the middle."""

    endpoints: int
    seconds: float
    late: Sequence[float]
    cpu: Mapping[str, float]
    peak: float


@dataclass(frozen=True, slots=True)
class _Servers:
    addresses: Sequence[str]
    imap: int
    smtp: int
    ca_pem: str


def measure_schedule(folder: Path, url: str, postgres_pid: int, key: str, minutes: float, say: Say) -> Kept:
    """All domains of a store, each due once in so many minutes."""
    with (
        _servers(folder / "health") as servers,
        RedisServer(folder / "redis") as redis,
        contextlib.closing(Database(url)) as database,
    ):
        _make_due(url, servers, minutes * 60)
        environment = environment_of(url, redis.url, key, {"HEALTH_ENDPOINT_MINUTES": str(minutes)})
        with working(folder, environment) as pids:
            everybody = {**pids, "postgres": (postgres_pid,), "redis": (redis.pid,)}
            kept = _watch(database, everybody, say)
            with Client.from_url(redis.url) as client:
                say(f"  Redis had {client.info('memory')['used_memory_peak'] / 1e6:.1f} MB at its peak")
            return kept


def environment_of(url: str, broker_url: str, key: str, more: Mapping[str, str]) -> dict[str, str]:
    """Of a process of the distributed mode, with no settings of whoever measures."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MAIL_PREFLIGHT_")}
    given = {"DATABASE_URL": url, "BROKER_URL": broker_url, "SECRET_KEY": key, "ALLOW_NETWORKS": NETWORKS, **more}
    return inherited | {f"MAIL_PREFLIGHT_{name}": value for name, value in given.items()}


@contextlib.contextmanager
def _servers(folder: Path) -> Iterator[_Servers]:
    folder.mkdir(mode=0o755)
    addresses = ["127.0.0.1", *(f"127.0.1.{number}" for number in range(1, ADDRESSES))]
    certificates = CertificateLab(folder / "certificates")
    leaf = certificates.issue("localhost", *addresses)
    options = DovecotOptions(fast=True, listen=", ".join(addresses))
    with (
        DovecotServer(folder / "dovecot", leaf, {"user@lab.example": "unused"}, options) as dovecot,
        PostfixServer(folder / "postfix", leaf, dovecot.sasl_socket, aliases=addresses[1:]) as postfix,
    ):
        yield _Servers(addresses, dovecot.imaps_port, postfix.smtps_port, certificates.ca_pem)


def _make_due(url: str, servers: _Servers, seconds: float) -> None:
    """The settings in force name these servers, and the domains are due one after the other."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")  # the trigger that keeps settings as they are
        connection.execute(
            """UPDATE settings AS s SET imap_host = a, smtp_host = a, imap_port = %(imap)s, smtp_port = %(smtp)s,
                ca_pem = %(ca)s
            FROM (SELECT d.settings_id, (%(addresses)s::text[])[1 + d.id %% %(count)s] AS a FROM domains AS d) AS every
            WHERE s.id = every.settings_id""",
            {
                "imap": servers.imap,
                "smtp": servers.smtp,
                "ca": servers.ca_pem,
                "addresses": list(servers.addresses),
                "count": len(servers.addresses),
            },
        )
        connection.execute(
            "UPDATE health_endpoints SET state = 'ok', verdict = 'ok', code = 'ok', fails = 0, silent = 0"
        )
        # By name: the schedule brings those of one server up together, and equal ones are checked once.
        connection.execute(
            """UPDATE health_schedule SET server = domain_id::text, mailboxes_due = %(never)s,
                endpoints_due = %(now)s + random() * %(seconds)s""",
            {"now": time.time(), "seconds": seconds, "never": time.time() + 7200},
        )
        connection.execute("VACUUM (ANALYZE) health_endpoints")
        connection.execute("VACUUM (ANALYZE) health_schedule")


@contextlib.contextmanager
def working(folder: Path, environment: Mapping[str, str]) -> Iterator[Mapping[str, tuple[int, ...]]]:
    """Four health workers and beat: their process ids."""
    command = [sys.executable, "-c", "from mail_preflight import main; main()"]
    with contextlib.ExitStack() as stack:

        def start(name: str, *arguments: str) -> int:
            output = stack.enter_context((folder / f"{name}.log").open("wb"))
            process = subprocess.Popen(
                [*command, *arguments], cwd=ROOT, env=dict(environment), stdout=output, stderr=output
            )
            stack.callback(_end, process)
            return process.pid

        workers = [start(f"worker-{number}", "worker", "--queue", "health") for number in range(WORKERS)]
        beat = start("beat", "beat")
        time.sleep(8.0)
        yield {"workers": tuple(workers), "beat": (beat,)}


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(50)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _whole_machine() -> float:
    """Seconds of CPU that everybody here has taken, the mail servers and other work too (proc(5), stat)."""
    fields = [int(each) for each in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
    return (sum(fields[:8]) - fields[3] - fields[4]) / os.sysconf("SC_CLK_TCK")


def _watch(database: Database, pids: Mapping[str, tuple[int, ...]], say: Say) -> Kept:
    late: list[float] = []
    connections = 0
    time.sleep(WARM_SECONDS)
    before, whole = {name: cpu_seconds(each) for name, each in pids.items()}, _whole_machine()
    begun, first = time.monotonic(), database.now()
    while (passed := time.monotonic() - begun) < SECONDS:
        time.sleep(_LOOK_SECONDS)
        with database.read() as conn:
            count, oldest = totals.overdue_checks(conn, database.now())
            connections = max(connections, conn.execute(_CONNECTIONS).scalar_one())
        late.append(oldest)
        say(f"  {passed:4.0f} s: {count} domains due, the longest for {oldest:.1f} s")
    cpu = {name: cpu_seconds(each) - before[name] for name, each in pids.items()}
    cpu["all on this machine"] = _whole_machine() - whole
    table = schema.health_results
    with database.read() as conn:
        query = sa.select(sa.func.count(), sa.func.count().filter(table.c.verdict != "ok")).where(table.c.at > first)
        done, wrong = conn.execute(query).one()
    took = time.monotonic() - begun
    assert not wrong, f"{wrong} of {done} checks were not ok"
    kept = Kept(done, took, late, cpu, peak_megabytes(pids["workers"]))
    say(f"  {done:,} endpoints in {took:.0f} s, {done / took:.0f} a second")
    say(f"  the longest overdue was late by {median(late):.1f} s (median), {max(late):.1f} s at the worst")
    words = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in cpu.items())
    say(f"  CPU: {words}; a worker's peak {kept.peak:.0f} MB; {connections} connections to PostgreSQL at most")
    return kept
