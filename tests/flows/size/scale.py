"""A store of 100,000 domains beside one of 5,000: what use cases take in both, the migration, and retention.

Everything is in PostgreSQL, whose parameters are those of `docs/scale.md`; nothing is synced to disk.
"""

import json
import threading
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import sqlalchemy as sa
from alembic import command
from alembic.script import ScriptDirectory
from pydantic import SecretStr

from checks.codes import Verdict
from checks.context import CheckContext
from checks.network.address_policy import AddressPolicy
from checks.runner import check_endpoint
from checks.serialize import dump_endpoint_result
from checks.trust import Trust
from settings_store import domains, migrations
from settings_store.db import Database
from settings_store.secrets import new_key
from tests.flows.harness import account_of, settings_of
from tests.flows.size.asked import ask_all, domain_of
from tests.flows.size.cases import take
from tests.flows.size.large import Made, Plan, Say, fill_large, settle_large
from tests.flows.size.schedule import measure_schedule
from tests.flows.size.slices import measure_slices
from tests.flows.size.store import settings_number
from tests.servers.dovecot import DovecotOptions
from tests.servers.lab import mail_lab
from tests.servers.postgres import PostgresServer
from worker.config import Config
from worker.health.retention import forget_old
from worker.service.preflight import Preflight

SMALL = 5_000
POSTGRES = {
    "shared_buffers": "2GB",
    "effective_cache_size": "8GB",
    "work_mem": "16MB",
    "max_wal_size": "8GB",
    "random_page_cost": "1.1",
    "max_parallel_maintenance_workers": "2",
}


@dataclass(frozen=True, slots=True)
class Measured:
    """One store: what is in it, seconds to migrate it, and milliseconds by who asks and what for."""

    made: Made
    migration: float
    times: Mapping[str, Mapping[str, float]]
    scans: Mapping[str, str]


def measure_scale(folder: Path, count: int, say: Say) -> None:
    """Both stores in turn, and their ratios."""
    found = documents(folder)
    with PostgresServer(folder / "postgres", more=POSTGRES) as postgres:
        small = _measure(postgres, Plan(min(SMALL, count // 4), found), say)
        large = _measure(postgres, Plan(count, found), say, folder)
    say(f"-- {count:,} domains to {min(SMALL, count // 4):,}: ms, ms, ratio")
    for who, times in large.times.items():
        for name, milliseconds in times.items():
            before = small.times[who][name]
            mark = "" if milliseconds <= 2 * before else "  MISSED" if milliseconds - before > 2 else "  (within 2 ms)"
            say(f"{who:18} {name:30} {before:9.1f} {milliseconds:9.1f} {milliseconds / before:6.2f}{mark}")
    for statement, line in large.scans.items():
        say(f"reads a table of history: {line} <- {statement[:200]}")


def _measure(postgres: PostgresServer, plan: Plan, say: Say, folder: Path | None = None) -> Measured:
    """`folder`: its schedule is kept, too, by workers who find their servers there."""
    url, key = postgres.new_database(), new_key()
    say(f"-- {plan.domains:,} domains")
    migrate_to_the_last_but_one(url)
    made = fill_large(url, plan, say)
    for table, (rows, size) in list(made.tables.items())[:14]:
        say(f"  {table}: {rows:,} rows, {size / 1e6:,.0f} MB")
    say(f"  filled in {made.seconds:.0f} s, {sum(size for _, size in made.tables.values()) / 1e9:.1f} GB")
    migration = _migrate(url, say)
    settle_large(url)
    config = Config(
        database_url=SecretStr(url),
        broker_url=SecretStr("memory://size/"),
        secret_key=SecretStr(key),
        health_endpoint_minutes=10,
        web_rate_read=0,
        web_rate_sign_in=0,
        web_rate_expensive=0,
    )
    with Preflight.open(config) as preflight:
        times = dict(ask_all(preflight, url, key).of)
        taken = take(preflight, 5)
        measure_retention(preflight, say)
    if folder is not None:
        measure_schedule(folder, url, postgres.pid, key, plan.check_minutes, say)
        measure_slices(folder, postgres, say)
    postgres.drop(url)
    return Measured(made, migration, {**times, "change, step by step": taken.times}, taken.scans)


def documents(folder: Path) -> Mapping[str, str]:
    """What checks of two real servers find, by protocol: as large as such a result is."""
    with mail_lab(folder / "lab", 1, DovecotOptions(fast=True)) as lab:
        settings = settings_of(lab)
        context = CheckContext(Trust(settings.ca_pem), AddressPolicy(allow_all=True))
        results = [check_endpoint(endpoint, context) for endpoint in settings.endpoints]
    assert {result.verdict for result in results} == {Verdict.OK}
    return {result.endpoint.protocol.value: json.dumps(dump_endpoint_result(result)) for result in results}


def migrate_to_the_last_but_one(url: str) -> None:
    engine = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        config = migrations.alembic_config(connection)
        newest = ScriptDirectory.from_config(config).get_revision(migrations.HEAD)
        command.upgrade(config, str(newest.down_revision))
        domains.ensure_account(connection)
    engine.dispose()


def _migrate(url: str, say: Say) -> float:
    with closing(Database(url)) as database:
        begun = time.monotonic()
        database.migrate(lambda words: say(f"  {words}"))
        took = time.monotonic() - begun
    say(f"  migrated in {took:.1f} s")
    return took


# -- retention


def measure_retention(preflight: Preflight, say: Say) -> None:
    """How fast old checks go, and what it means for those who save changes meanwhile."""
    quiet = _saves(preflight, 20, 0)
    resources = replace(preflight.flow.resources, config=preflight.config.model_copy(update={"history_hours": 6.0}))
    over, gone, begun = threading.Event(), 0, time.monotonic()
    busy: list[float] = []
    beside = threading.Thread(target=lambda: busy.extend(_saves(preflight, 2000, 100, over)), daemon=True)
    beside.start()
    while (found := forget_old(resources)) and time.monotonic() - begun < 60:
        gone += found
    took = time.monotonic() - begun
    over.set()
    beside.join()
    say(f"  retention: {gone:,} rows in {took:.1f} s, {gone / took:,.0f} a second")
    say(f"    a save meanwhile: median {median(busy):.1f} ms, worst {max(busy):.1f} ms of {len(busy)};")
    say(f"    without it: median {median(quiet):.1f} ms, worst {max(quiet):.1f} ms")


def _saves(preflight: Preflight, most: int, start: int, over: threading.Event | None = None) -> list[float]:
    """Milliseconds of saves, one after the other, each of another domain."""
    taken = []
    for number in range(most):
        if over is not None and over.wait(0.02):
            break
        begun = time.perf_counter()
        account_of(preflight).changes.save(domain_of((start + number) % 24), settings_number(number))
        taken.append((time.perf_counter() - begun) * 1000)
    return taken
