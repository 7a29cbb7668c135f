"""How many members a minute are told what is filled in, by the API in a process of its own on one core."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import local

import requests
from pydantic import SecretStr

from bench.field import say
from bench.meter import cpu_seconds
from bench.plan import Void
from bench.service import Backends
from checks.model import Endpoint, Protocol
from checks.settings import ImapSettings
from settings_store import domains, schema
from settings_store.access.api_keys import KeyRequest
from settings_store.access.roles import Role
from settings_store.audit import SERVICE
from settings_store.secrets import new_key
from worker.config import Config
from worker.service.preflight import Preflight

A_MINUTE = 10_000
"""The members that are to be told in a minute."""
_MEMBERS, _AT_ONCE = 50, 8
_DOMAIN = "prefill.example"
_SETTINGS = ImapSettings(
    Endpoint(Protocol.IMAP, "imap.gmail.com", 993),
    Endpoint(Protocol.SMTP, "smtp.gmail.com", 465),
)


@dataclass(frozen=True, slots=True)
class Prefills:
    """`count` prefills took so many seconds, and the process so many seconds of its core."""

    database: str
    count: int
    seconds: float
    cpu: float

    @property
    def a_minute(self) -> float:
        return 60 * self.count / self.seconds

    @property
    def a_minute_of_cpu(self) -> float:
        return 60 * self.count / self.cpu


def measure_prefill(folder: Path, backends: Backends, count: int) -> list[Prefills]:
    """In each database, each member with a key of their own. Raises `Void` where an answer is another."""
    urls = {"SQLite": f"sqlite:///{folder / 'prefill.db'}", "PostgreSQL": backends.postgres.new_database()}
    found = [_measured(name, url, count) for name, url in urls.items()]
    for each in found:
        say(f"  {each.database}: {each.a_minute:,.0f} a minute, {each.a_minute_of_cpu:,.0f} a minute of the core")
    return found


def _measured(name: str, url: str, count: int) -> Prefills:
    secret = new_key()
    with Preflight.open(Config(database_url=SecretStr(url), secret_key=SecretStr(secret))) as preflight:
        keys = _plant(preflight)
    with _serving(url, secret) as (address, process_id):
        _ask_all(address, keys, _MEMBERS)  # connections, plans and caches as they are in the long run
        begun, spent = time.perf_counter(), cpu_seconds([process_id])
        _ask_all(address, keys, count)
        return Prefills(name, count, time.perf_counter() - begun, cpu_seconds([process_id]) - spent)


def _plant(preflight: Preflight) -> list[str]:
    """A domain with settings in force and its members; their keys."""
    with preflight.database.begin() as conn:
        domain_id = domains.ensure_domain(conn, domains.ensure_account(conn), _DOMAIN)
        settings_id = domains.save_settings(conn, domain_id, _SETTINGS, 1.0)
        mine = schema.domains.c.id == domain_id
        conn.execute(schema.domains.update().where(mine).values(settings_id=settings_id))
    access = preflight.account(actor=SERVICE).access
    users = [access.add_user(f"member{number}@{_DOMAIN}", Role.MEMBER, _DOMAIN) for number in range(_MEMBERS)]
    return [access.create_key(KeyRequest("bench", user_id=user.id))[1].text for user in users]


@contextlib.contextmanager
def _serving(url: str, secret: str) -> Iterator[tuple[str, int]]:
    """An API on one core: where it answers, and the id of its process."""
    environment = os.environ | {f"MAIL_PREFLIGHT_WEB_RATE_{name}": "0" for name in ("READ", "WRITE", "FAILURES")}
    environment |= {"MAIL_PREFLIGHT_DATABASE_URL": url, "MAIL_PREFLIGHT_SECRET_KEY": secret}
    command = [sys.executable, "-m", "bench.web_program"]
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        os.sched_setaffinity(process.pid, {min(os.sched_getaffinity(0))})
        assert process.stdin and process.stdout  # noqa: S101 -- they were asked for
        yield process.stdout.readline().strip(), process.pid
        process.stdin.close()


def _ask_all(address: str, keys: list[str], count: int) -> None:
    mine = local()

    def ask(number: int) -> None:
        session = getattr(mine, "session", None)
        if session is None:
            session = mine.session = requests.Session()
        headers = {"Authorization": f"Bearer {keys[number % len(keys)]}"}
        answer = session.get(f"{address}/v1/domains/{_DOMAIN}/prefill", headers=headers, timeout=60).json()
        if answer.get("imap", {}).get("host") != "imap.gmail.com" or answer["hint"]["provider"] != "Google":
            raise Void(f"a prefill is another: {answer}")

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(ask, range(count)))


def prefill_table(found: list[Prefills]) -> Iterator[str]:
    """The lines of the table."""
    yield f"| prefills by the API, {found[0].count:,} members, one core | a minute | a minute of the core | target |"
    yield "|---|---:|---:|---|"
    for each in found:
        told = f"{each.a_minute:,.0f}"
        told = told if each.a_minute_of_cpu >= A_MINUTE else f"**{told}, missed**"
        yield f"| {each.database} | {told} | {each.a_minute_of_cpu:,.0f} | ≥ {A_MINUTE:,} |"
