"""What a page of a long report costs by the API, at its beginning and at its end."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import requests
import sqlalchemy as sa
from pydantic import SecretStr

from bench.field import HOST, say
from bench.plan import Void
from bench.service import Backends
from checks.codes import Code
from checks.model import Endpoint, Protocol
from checks.settings import ImapSettings
from settings_store import domains, schema
from settings_store.access.api_keys import KeyRequest
from settings_store.audit import SERVICE
from settings_store.changes import changes
from settings_store.runs import outcomes, runs
from settings_store.secrets import new_key
from web.api.cursor import cursor_after
from web.server import answering
from worker.changes.report import summarise
from worker.config import Config
from worker.service.preflight import Preflight

TIMES = 1.2
_PAGE = 100
_ASKED = 30
_DOMAIN = "pages.example"


@dataclass(frozen=True, slots=True)
class Pages:
    """Seconds of a page of a report of `count` mailboxes: medians, first and last asked in turn."""

    database: str
    count: int
    first: float
    last: float


def measure_pages(folder: Path, backends: Backends, count: int) -> list[Pages]:
    """In each database. Raises `Void` where a page has other mailboxes than it is to have."""
    urls = {"SQLite": f"sqlite:///{folder / 'pages.db'}", "PostgreSQL": backends.postgres.new_database()}
    found = [_measured(name, url, count) for name, url in urls.items()]
    for pages in found:
        say(f"  {pages.database}: first {pages.first * 1000:.1f} ms, last {pages.last * 1000:.1f} ms")
    return found


def _measured(name: str, url: str, count: int) -> Pages:
    config = Config(database_url=SecretStr(url), secret_key=SecretStr(new_key()))
    with Preflight.open(config) as preflight, answering(preflight, HOST, 0) as address:
        key = preflight.account(actor=SERVICE).access.create_key(KeyRequest("bench"))[1].text
        path = f"{address}/v1/changes/chg_{plant(preflight, _DOMAIN, count)}/report/mailboxes"
        with requests.Session() as session:
            session.headers["Authorization"] = f"Bearer {key}"
            ways = {"first": path, "last": f"{path}?cursor={cursor_after(_address(count - _PAGE - 1))}"}
            begins = {"first": _address(0), "last": _address(count - _PAGE)}
            taken: dict[str, list[float]] = {"first": [], "last": []}
            for _ in range(_ASKED):
                for place, way in ways.items():
                    taken[place].append(_ask(session, way, begins[place]))
    return Pages(name, count, median(taken["first"]), median(taken["last"]))


def _ask(session: requests.Session, path: str, begins: str) -> float:
    begun = time.perf_counter()
    items = session.get(path, timeout=60).json()["items"]
    took = time.perf_counter() - begun
    if len(items) != _PAGE or items[0]["address"] != begins:
        raise Void("a page of the report has other mailboxes")
    return took


def _address(number: int, domain: str = _DOMAIN) -> str:
    return f"mailbox{number:06}@{domain}"


def plant(preflight: Preflight, domain: str, count: int, failing: int = 0) -> str:
    """A change of a domain whose report has so many mailboxes, `failing` of which would disconnect; its id."""
    imap, smtp = (Endpoint(protocol, HOST, 9) for protocol in (Protocol.IMAP, Protocol.SMTP))
    box, row = schema.mailboxes, schema.run_mailboxes
    with preflight.database.begin() as conn:
        now = preflight.database.now()
        domain_id = domains.ensure_domain(conn, domains.ensure_account(conn), domain)
        saved = changes.save(conn, domain_id, ImapSettings(imap, smtp), now)
        conn.execute(
            box.insert(),
            [{"domain_id": domain_id, "address": _address(n, domain), "username": "u"} for n in range(count)],
        )
        fails = box.c.address < _address(failing, domain)
        verdict, code = (sa.case((fails, bad), else_="ok") for bad in ("fail", Code.AUTH_REJECTED.value))
        met = [sa.literal(1), sa.literal("connected"), verdict, code, sa.literal("imap")]
        source = sa.select(sa.literal(saved.run_id), box.c.id, *met).where(box.c.domain_id == domain_id)
        names = ["run_id", "mailbox_id", "page", "before", "verdict", "code", "protocol"]
        conn.execute(row.insert().from_select(names, source))
        runs.finish(conn, saved.run_id, *summarise(outcomes.rows(conn, saved.run_id), ()), now)
        changes.mark_verified(conn, saved.change_id, now)
        conn.execute(sa.text("ANALYZE"))  # as PostgreSQL does by itself in a while
    return saved.change_id


def pages_table(found: list[Pages]) -> Iterator[str]:
    """The lines of the table."""
    yield f"| a page of {_PAGE} of {found[0].count:,} mailboxes of a report | first | last | ratio | target |"
    yield "|---|---:|---:|---:|---|"
    for pages in found:
        ratio = pages.last / pages.first
        told = f"{ratio:.2f}" if ratio <= TIMES else f"**{ratio:.2f}, missed**"
        yield f"| {pages.database} | {pages.first * 1000:.1f} ms | {pages.last * 1000:.1f} ms | {told} | ≤ {TIMES} |"
