"""What the pages of the bench show: many domains, and the sandbox domain of the demo behind real servers."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa

from bench.field import HOST
from cli.demo import prepare
from cli.demo.cast import DOMAIN as DEMO
from cli.demo.cast import make_cast
from cli.demo.sandbox import running_sandbox
from settings_store import domains, schema
from settings_store.audit import SERVICE
from worker.service.preflight import Preflight

__all__ = ["DEMO", "plant_domains", "sandbox_domain"]
_MAILBOXES = 12


def plant_domains(preflight: Preflight, count: int) -> None:
    """So many domains with settings in force, each with some mailboxes and a check that went well."""
    now = preflight.database.now()
    with preflight.database.begin() as conn:
        account_id = domains.ensure_account(conn)
        for number in range(count):
            _plant(conn, domains.ensure_domain(conn, account_id, f"customer{number:03}.example"), now)


def _plant(conn: sa.Connection, domain_id: int, now: float) -> None:
    address = {"imap_host": HOST, "imap_port": 993, "smtp_host": HOST, "smtp_port": 465}
    common = {"domain_id": domain_id, "kind": "imap", "imap_security": "tls", "smtp_security": "tls"}
    inserted = schema.settings.insert().values(
        **common, **address, allow_insecure_certificate=False, ca_pem="", created_at=now
    )
    settings_id = conn.execute(inserted).inserted_primary_key[0]  # type: ignore[index] # it has one
    mine = schema.domains.c.id == domain_id
    conn.execute(schema.domains.update().where(mine).values(settings_id=settings_id))
    boxes = [{"domain_id": domain_id, "address": f"box{n}@{domain_id}", "username": "u"} for n in range(_MAILBOXES)]
    conn.execute(schema.mailboxes.insert().values(state="connected"), boxes)
    tls = {"chain": [{"not_after": "2027-03-01T00:00:00+00:00"}]}
    checked = {"state": "ok", "verdict": "ok", "code": "ok", "seen": "", "fails": 0, "oks": 9, "silent": 0, "ms": 20.0}
    checked |= {"since": now, "checked_at": now, "settings_id": settings_id, "server": f"{HOST}:993", "source": ""}
    for protocol in ("imap", "smtp"):
        row = {"domain_id": domain_id, "protocol": protocol, "document": {"tls": tls}, "notices": [], **checked}
        conn.execute(schema.health_endpoints.insert().values(**row))


@contextlib.contextmanager
def sandbox_domain(preflight: Preflight, folder: Path) -> Iterator[None]:
    """The demo's domain, with the settings of its old server in force; the server is up meanwhile."""
    cast = make_cast()
    with running_sandbox(cast.old_directory(), cast.new_directory()) as sandbox:
        with preflight.working():
            prepare(preflight.account(actor=SERVICE), cast, sandbox.old, folder)
        yield
