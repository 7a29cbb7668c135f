"""What the pages of the bench show: many domains, and the sandbox domain of the demo behind real servers."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import sqlalchemy as sa

from bench.field import HOST
from bench.plan import ROUND_TRIP
from cli.demo import settings_of
from cli.demo.cast import DOMAIN as DEMO
from cli.demo.cast import make_cast
from cli.demo.sandbox import MailServer, running_sandbox
from settings_store import domains, schema
from settings_store.audit import SERVICE
from tests.servers.delay import DelayProxy
from worker.service.preflight import Preflight

__all__ = ["DEMO", "PLACES", "Sandbox", "plant_domains", "sandbox_domain"]
PLACES = ("beside it", f"round trip {ROUND_TRIP * 1000:.0f} ms")
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


@dataclass(frozen=True, slots=True)
class Sandbox:
    """The demo's domain, and the old server of it as it is, and far away."""

    preflight: Preflight
    places: Mapping[str, MailServer]

    def put_in_force(self, place: str) -> None:
        """The settings of the server in that place, `PLACES`."""
        account, server = self.preflight.account(actor=SERVICE), self.places[place]
        settings = settings_of(server, allow_insecure_certificate=False, ca_pem=server.ca_pem)
        with self.preflight.processes.working():
            saved = account.changes.save(DEMO, settings)
            for _ in account.runs.follow(saved.run_id):
                pass
            account.changes.apply(saved.change_id, account.changes.report(saved.change_id).counts["will_disconnect"])


@contextlib.contextmanager
def sandbox_domain(preflight: Preflight, folder: Path) -> Iterator[Sandbox]:
    """The demo's domain with its mailboxes. Its servers are up meanwhile."""
    cast = make_cast()
    mailboxes = folder / "cast.csv"
    cast.write_csv(mailboxes)
    preflight.account(actor=SERVICE).mailboxes.import_file(DEMO, mailboxes)
    with running_sandbox(cast.old_directory(), cast.new_directory()) as sandbox, contextlib.ExitStack() as stack:
        ports = (sandbox.old.imap_port, sandbox.old.smtp_port)
        imap, smtp = (stack.enter_context(DelayProxy(folder / "delay", port, ROUND_TRIP / 2)).port for port in ports)
        far = replace(sandbox.old, imap_port=imap, smtp_port=smtp)
        yield Sandbox(preflight, dict(zip(PLACES, (sandbox.old, far), strict=True)))
