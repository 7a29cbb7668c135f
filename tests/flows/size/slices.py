"""How many mailboxes four health workers look after: domains whose mailboxes are all due, a slice at a time."""

import time
from pathlib import Path

import sqlalchemy as sa

from bench.meter import cpu_seconds
from settings_store import domains, schema
from settings_store.db import Database
from settings_store.secrets import Vault, new_key
from tests.flows.harness import settings_of
from tests.flows.size.large import Say
from tests.flows.size.schedule import environment_of, working
from tests.servers.dovecot import DovecotOptions
from tests.servers.lab import MailLab, mail_lab
from tests.servers.postgres import PostgresServer
from tests.servers.redis import RedisServer
from tests.servers.stores import migrate

DOMAINS, MAILBOXES, AT_ONCE = 3_000, 50, 16
_WARM_SECONDS, _SECONDS = 5.0, 60.0


def measure_slices(folder: Path, postgres: PostgresServer, say: Say) -> None:
    """`DOMAINS` of `MAILBOXES` each, on one server that takes as many logins at a time as it gets."""
    url, key = postgres.new_database(), new_key()
    migrate(url)
    database = Database(url)
    with (
        mail_lab(folder / "slices", 500, DovecotOptions(fast=True)) as lab,
        RedisServer(folder / "slices-redis") as redis,
    ):
        _plant(database, lab, Vault([key]))
        more = {"HEALTH_SLICES": str(AT_ONCE), "LOGINS_AT_ONCE": "200"}
        with working(folder / "slices", environment_of(url, redis.url, key, more)) as pids:
            time.sleep(_WARM_SECONDS)
            everybody = (*pids["workers"], *pids["beat"], postgres.pid, redis.pid)
            before, begun, cpu = _done(database), time.monotonic(), cpu_seconds(everybody)
            time.sleep(_SECONDS)
            done, took, cpu = _done(database) - before, time.monotonic() - begun, cpu_seconds(everybody) - cpu
    database.close()
    postgres.drop(url)
    say(f"  {AT_ONCE} slices at a time: {done:,} mailboxes in {took:.0f} s, {done / took:.0f} a second")
    say(f"  CPU of workers, beat, database and broker: {cpu:.0f} s, {1000 * cpu / max(1, done):.1f} ms a mailbox")


def _plant(database: Database, lab: MailLab, vault: Vault) -> None:
    settings, now = settings_of(lab), database.now()
    users = list(lab.users.items())
    sealed = [vault.seal(password) for _, password in users]
    with database.begin() as conn:
        account_id = domains.ensure_account(conn)
        for number in range(DOMAINS):
            domain_id = domains.ensure_domain(conn, account_id, f"d{number:04}.example")
            settings_id = domains.save_settings(conn, domain_id, settings, now)
            in_force = {"settings_id": settings_id, "checked_settings_id": settings_id}
            conn.execute(schema.domains.update().where(schema.domains.c.id == domain_id).values(in_force))
            rows = [
                {
                    "domain_id": domain_id,
                    "address": f"box{place:02}@d{number:04}.example",
                    "username": users[(number * MAILBOXES + place) % len(users)][0],
                    "credential": sealed[(number * MAILBOXES + place) % len(users)],
                    "state": "connected",
                    "state_since": now,
                }
                for place in range(MAILBOXES)
            ]
            conn.execute(schema.mailboxes.insert(), rows)
            _well(conn, domain_id, settings_id, now)
        if conn.dialect.name == "postgresql":
            conn.execute(sa.text("ANALYZE"))


def _well(conn: sa.Connection, domain_id: int, settings_id: int, now: float) -> None:
    """Its endpoints work, and are not due for a while; its mailboxes are due."""
    known = {"state": "ok", "verdict": "ok", "code": "ok", "seen": "", "fails": 0, "oks": 9, "silent": 0, "ms": 20.0}
    known |= {"since": now, "checked_at": now, "settings_id": settings_id, "server": "localhost:1", "source": ""}
    for protocol in ("imap", "smtp"):
        row = {"domain_id": domain_id, "protocol": protocol, "document": {}, "notices": [], "moved": False, **known}
        conn.execute(schema.health_endpoints.insert().values(**row))
    due = {"server": "localhost", "endpoints_due": now + 550, "mailboxes_due": now}
    conn.execute(schema.health_schedule.insert().values(domain_id=domain_id, **due))


def _done(database: Database) -> int:
    table = schema.run_mailboxes
    with database.read() as conn:
        met = sa.select(sa.func.count(), sa.func.count().filter(table.c.verdict != "ok")).where(
            table.c.verdict.is_not(None)
        )
        done, wrong = conn.execute(met).one()
    assert not wrong, f"{wrong} of {done} logins were not ok"
    return int(done)
