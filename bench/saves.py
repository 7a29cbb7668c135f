"""What a save costs by the API beside its database transaction alone, while a long run is under way."""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import quantiles
from typing import Any

import requests

from bench.field import HOST, Field, say
from bench.latency import config_of
from bench.plan import Void
from bench.service import Backends, distributed
from checks.model import Endpoint, Protocol, Security
from checks.settings import ImapSettings
from settings_store import domains
from settings_store.access.api_keys import KeyRequest
from settings_store.audit import SERVICE
from settings_store.changes import changes
from settings_store.runs import runs
from web.server import answering
from worker.service.preflight import Preflight

TIMES = 1.5
_LEAST = 5
_BODY: Any = {
    "settings": {
        "kind": "imap",
        "imap": {"host": HOST, "port": 9, "security": "tls"},
        "smtp": {"host": HOST, "port": 9, "security": "tls"},
    }
}


@dataclass(frozen=True, slots=True)
class Saves:
    """Seconds at the 99th percentile of `number` saves each, beside a run of `count` mailboxes."""

    count: int
    number: int
    transaction: float
    answer: float


def measure_saves(area: Field, backends: Backends, count: int) -> Saves:
    """One transaction and one request in turn, until the run ends. Raises `Void` where that was too soon."""
    with contextlib.ExitStack() as stack:
        service = stack.enter_context(distributed(area.folder, backends))
        config = config_of(service, service.environment["MAIL_PREFLIGHT_SECRET_KEY"], backends.redis.url)
        preflight = stack.enter_context(Preflight.open(config))
        address = stack.enter_context(answering(preflight, HOST, 0))
        session = stack.enter_context(requests.Session())
        key = preflight.account(actor=SERVICE).access.create_key(KeyRequest("bench"))[1].text
        session.headers["Authorization"] = f"Bearer {key}"
        run_id = _begin(area, preflight, count)
        alone: list[float] = []
        asked: list[float] = []
        while _under_way(preflight, run_id):
            alone.append(_transaction(preflight, f"alone{len(alone)}.example"))
            asked.append(_request(session, f"{address}/v1/domains/asked{len(asked)}.example/changes"))
    if len(alone) < _LEAST:
        raise Void(f"the run ended after {len(alone)} saves")
    found = Saves(count, len(alone), *(quantiles(taken, n=100)[98] for taken in (alone, asked)))
    say(f"  p99 of {found.number}: {found.transaction * 1000:.1f} ms alone, {found.answer * 1000:.1f} ms by the API")
    return found


def _begin(area: Field, preflight: Preflight, count: int) -> str:
    mailboxes = area.folder / "saves.csv"
    area.lab.write_csv(mailboxes, count=count)
    imap = Endpoint(Protocol.IMAP, HOST, area.near.imap, Security.TLS)
    smtp = Endpoint(Protocol.SMTP, HOST, area.near.smtp, Security.TLS)
    settings = ImapSettings(imap, smtp, ca_pem=area.lab.ca_file.read_text())
    return preflight.account(actor=SERVICE).changes.save(area.lab.domain, settings, mailboxes).run_id


def _under_way(preflight: Preflight, run_id: str) -> bool:
    with preflight.database.read() as conn:
        run = runs.load(conn, run_id)
    return run is not None and run.stage not in runs.ENDED


def _transaction(preflight: Preflight, domain: str) -> float:
    imap, smtp = (Endpoint(protocol, HOST, 9, Security.TLS) for protocol in (Protocol.IMAP, Protocol.SMTP))
    begun = time.perf_counter()
    with preflight.database.begin() as conn:
        domain_id = domains.ensure_domain(conn, domains.ensure_account(conn), domain)
        changes.save(conn, domain_id, ImapSettings(imap, smtp), preflight.database.now(), SERVICE)
    return time.perf_counter() - begun


def _request(session: requests.Session, path: str) -> float:
    begun = time.perf_counter()
    answer = session.post(path, json=_BODY, timeout=60)
    took = time.perf_counter() - begun
    if answer.status_code != requests.codes.created:
        raise Void(f"a save is answered with {answer.status_code}")
    return took


def saves_table(found: Saves) -> Iterator[str]:
    """The lines of the table."""
    ratio = found.answer / found.transaction
    told = f"{ratio:.2f}" if ratio <= TIMES else f"**{ratio:.2f}, missed**"
    yield f"| a save beside a run of {found.count:,} mailboxes, p99 of {found.number} | took | ratio | target |"
    yield "|---|---:|---:|---|"
    yield f"| its database transaction alone | {found.transaction * 1000:.1f} ms | – |  |"
    yield f"| by the API, until it is answered | {found.answer * 1000:.1f} ms | {told} | ≤ {TIMES} |"
