"""The operator's commands: processes, database, mailboxes and keys."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from checks.settings import normalise_domain
from cli.account import open_account, open_preflight
from cli.options import Domain, Json

if TYPE_CHECKING:
    from checks.model import Endpoint
    from settings_store.domains import DomainSummary


class Queue(StrEnum):
    """`preflight`: someone is waiting; `health`: nobody is."""

    PREFLIGHT = "preflight"
    HEALTH = "health"


def serve() -> None:
    """Runs worker and beat in this process."""
    from worker import watchdog

    overruns = watchdog.begin()
    with open_preflight() as preflight:
        if overruns:
            preflight.quarantine(overruns)
        preflight.serve()


def worker(queue: Annotated[Queue, typer.Option(help="The queue to work on.")]) -> None:
    """Runs a worker for one queue of the distributed set-up."""
    from worker import watchdog

    overruns = watchdog.begin()
    with open_preflight() as preflight:
        if overruns:
            preflight.quarantine(overruns)
        preflight.work(queue.value)


def beat() -> None:
    """Runs the clock; exactly one is needed."""
    with open_preflight() as preflight:
        preflight.beat()


def migrate() -> None:
    """Brings the database to this version's schema."""
    from settings_store.db import Database
    from worker.config import load_config

    database = Database(load_config().database_url.get_secret_value())
    try:
        database.migrate()
    finally:
        database.close()
    typer.echo("The database is up to date.")


def import_mailboxes(
    domain: Domain,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV with address,password[,username][,kind].")],
) -> None:
    """Adds mailboxes to a domain, or gives known ones their new credentials, at once.

    To try credentials first: `verify DOMAIN ... --mailboxes FILE`.
    """
    with open_account() as account:
        counts = account.mailboxes.import_file(normalise_domain(domain), file)
    typer.echo(f"{counts.added} added, {counts.updated} updated, {counts.unchanged} unchanged.")
    if counts.updated:
        more = f" and {counts.updated - len(counts.named)} more" if counts.updated > len(counts.named) else ""
        typer.echo(f"Stored credentials replaced, and gone: {', '.join(counts.named)}{more}.")


def domains(context: typer.Context, as_json: Json = False) -> None:
    """Lists domains, their settings and mailboxes; `pause` and `resume` set whether one is watched."""
    if context.invoked_subcommand is not None:
        return
    with open_account() as account:
        known = account.domains.summaries()
    if as_json:
        from cli.reports.json_documents import write_document

        write_document([_document(domain) for domain in known], sys.stdout)
        return
    for domain in known:
        typer.echo(_line(domain))


def _document(domain: "DomainSummary") -> dict[str, object]:
    endpoints = domain.settings.endpoints if domain.settings else ()
    return {
        "domain": domain.name,
        "kind": domain.kind,
        "endpoints": [f"{endpoint} ({', '.join(_how(endpoint))})" for endpoint in endpoints],
        "mailboxes": dict(domain.mailboxes),
    }


def _how(endpoint: "Endpoint") -> tuple[str, ...]:
    no_login = ("no login",) if endpoint.authentication == "none" else ()
    return (endpoint.security, *no_login)


def _line(domain: "DomainSummary") -> str:
    endpoints = domain.settings.endpoints if domain.settings else ()
    told = (f"{endpoint} (no login)" if "no login" in _how(endpoint) else str(endpoint) for endpoint in endpoints)
    settings = ", ".join(told) or "no settings in force"
    states = ", ".join(f"{count} {state}" for state, count in domain.mailboxes.items())
    return f"{domain.name}: {settings}; mailboxes: {states or 'none'}"


def new_key() -> None:
    """Prints a fresh key for MAIL_PREFLIGHT_SECRET_KEY."""
    from settings_store.secrets import new_key as fresh

    typer.echo(fresh())


def rotate_keys() -> None:
    """Encrypts every stored credential with the first of the keys. Goes on where it was interrupted."""
    with open_preflight() as preflight:
        typer.echo(f"{preflight.rotate_keys()} credentials encrypted with the first key.")


def demo() -> None:
    """Verifies a sandbox domain with planted faults.

    Starts real protocol servers on this machine with about 60 mailboxes; nothing leaves it.
    """
    from cli.console import open_console
    from cli.demo import run_demo

    run_demo(open_console())
