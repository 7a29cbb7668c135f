"""One `mail-preflight verify`, measured, and its report held against what is true."""

import json
from pathlib import Path

import sqlalchemy as sa

from bench.field import HOST, Field, Ports
from bench.meter import Usage, measure
from bench.plan import Void
from bench.sample import Sample
from bench.service import COMMAND, Service
from settings_store import schema
from settings_store.db import Database


def run_verify(field: Field, service: Service, ports: Ports, count: int) -> Sample:
    """Verifies the first `count` mailboxes. Raises `Void` when a login is missing or the report is wrong."""
    mailboxes = field.folder / "mailboxes.csv"
    field.lab.write_csv(mailboxes, count=count)
    before = service.cpu()
    with field.witnessed(count):
        usage = measure(_command(field, ports, mailboxes), field.folder, service.environment)
        behind = service.cpu() - before
    check_report(usage, count)
    run = run_seconds(service, field.lab.domain)
    slowest = slowest_login(service)
    if service.embedded:
        return Sample(run, usage.wall, usage.cpu, 0.0, usage.peak, slowest)
    return Sample(run, usage.wall, behind, usage.cpu, service.peak(), slowest)


def _command(field: Field, ports: Ports, mailboxes: Path) -> list[str]:
    servers = ["--imap", f"{HOST}:{ports.imap}", "--smtp", f"{HOST}:{ports.smtp}"]
    security = ["--imap-security", "tls", "--smtp-security", "tls"]
    files = ["--ca-file", str(field.lab.ca_file), "--mailboxes", str(mailboxes)]
    return [str(COMMAND), "verify", field.lab.domain, *servers, *security, *files, "--json"]


def check_report(usage: Usage, count: int) -> None:
    """Every mailbox works, so nobody would disconnect."""
    if usage.status:
        raise Void(f"verify exits with {usage.status}: {usage.errors.strip()[-500:]}")
    report = json.loads(usage.output)
    working = sum(line["impact"] == "keeps_working" for line in report["mailboxes"])
    if report["verdict"] != "safe" or not working == report["counts"]["keeps_working"] == count:
        raise Void(f"verify says {report['verdict']} and counts {report['counts']}, of {count} that all work")


def run_seconds(service: Service, domain: str) -> float:
    """From the save to the finished report of a domain's only run, as the database has it."""
    database = Database(service.database_url)
    try:
        with database.read() as conn:
            query = sa.select(schema.runs.c.created_at, schema.runs.c.finished_at).join(
                schema.domains, schema.domains.c.id == schema.runs.c.domain_id
            )
            row = conn.execute(query.where(schema.domains.c.name == domain)).one()
    finally:
        database.close()
    return float(row.finished_at - row.created_at)


def slowest_login(service: Service) -> float:
    """In ms: of all logins in the database."""
    database = Database(service.database_url)
    try:
        with database.read() as conn:
            return float(conn.execute(sa.select(sa.func.max(schema.run_mailboxes.c.ms))).scalar_one() or 0.0)
    finally:
        database.close()
