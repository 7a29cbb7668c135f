"""The commands for when nobody is to watch a domain: announced maintenance, and pausing."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from cli.account import open_account
from cli.cleaning import clean
from cli.failures import inform
from cli.options import Domain, Json
from cli.times import local, parse_time

if TYPE_CHECKING:
    from settings_store.maintenance import Window

_TIME = "ISO 8601: 2026-03-01T22:00, local time unless it has an offset."


def add(
    start: Annotated[str, typer.Option("--from", metavar="TIME", help=_TIME)],
    until: Annotated[str, typer.Option(metavar="TIME", help="As --from.")],
    domain: Annotated[str | None, typer.Option(metavar="DOMAIN", help="Without it: every domain.")] = None,
    note: Annotated[str, typer.Option(metavar="TEXT", help="What is done, for those who read `health`.")] = "",
) -> None:
    """Announces maintenance: nothing is checked meanwhile, and nobody is told of anything."""
    starts_at, ends_at = parse_time(start, "--from"), parse_time(until, "--until")
    with open_account() as account:
        window = account.maintenance.announce(domain, starts_at, ends_at, " ".join(note.split()))
    typer.echo(f"Maintenance {_line(window)}")


def list_(as_json: Json = False) -> None:
    """Lists maintenance that is not over."""
    with open_account() as account:
        windows = account.maintenance.windows()
    if as_json:
        from cli.reports.json_documents import write_document
        from worker.health.wording import window_document

        write_document([window_document(window).as_json() for window in windows], sys.stdout)
        return
    for window in windows:
        typer.echo(clean(_line(window)))


def _line(window: "Window") -> str:
    note = f"; {window.note}" if window.note else ""
    return f"{window.id}: {window.domain or 'all domains'}, {local(window.starts_at)} to {local(window.ends_at)}{note}"


def remove(number: Annotated[int, typer.Argument(metavar="ID", help="As printed by `list`.")]) -> None:
    """Takes maintenance back; the domain is watched again at once."""
    with open_account() as account:
        account.maintenance.end(number)
    inform("Removed.")


def pause(domain: Domain) -> None:
    """Stops watching a domain's health until it is resumed; its incidents end."""
    from checks.settings import normalise_domain

    name = normalise_domain(domain)
    with open_account() as account:
        paused = account.maintenance.pause(name)
    inform("Paused: nobody watches it." if paused else "It was paused already.")
    inform(f"To watch it again: mail-preflight domains resume {name}")


def resume(domain: Domain) -> None:
    """Watches a paused domain's health again."""
    with open_account() as account:
        resumed = account.maintenance.resume(domain)
    inform("It is watched again." if resumed else "It was not paused.")
