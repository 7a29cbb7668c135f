"""The commands for a domain's mailboxes: imported, listed, removed, tried again."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from checks.settings import normalise_domain
from cli.account import open_account
from cli.cleaning import clean
from cli.failures import inform, inform_of_more
from cli.options import After, Domain, Json, Limit, given_file

if TYPE_CHECKING:
    from settings_store.mailboxes.listing import Stored

Addresses = Annotated[list[str], typer.Argument(metavar="ADDRESS...", help="As `mailboxes list` prints them.")]


def import_mailboxes(
    domain: Domain,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="CSV with address,password[,username][,kind]; -: standard input.")
    ],
) -> None:
    """Adds mailboxes to a domain, or gives known ones their new credentials, at once.

    To try credentials first: `verify DOMAIN ... --mailboxes FILE`.
    """
    with open_account() as account:
        counts = account.mailboxes.import_file(normalise_domain(domain), given_file(file))
    inform(f"{counts.added} added, {counts.updated} updated, {counts.unchanged} unchanged.")
    if counts.updated:
        more = f" and {counts.updated - len(counts.named)} more" if counts.updated > len(counts.named) else ""
        inform(f"Stored credentials replaced, and gone: {', '.join(counts.named)}{more}.")


def list_(domain: Domain, limit: Limit = 1000, after: After = "", as_json: Json = False) -> None:
    """Lists a domain's mailboxes and how they are, without their credentials."""
    from settings_store.mailboxes.listing import Filter

    with open_account() as account:
        found = account.mailboxes.page(domain, Filter(), after, limit + 1)
    known = inform_of_more(found, limit, f"mailboxes list {normalise_domain(domain)}", lambda each: each.address)
    if as_json:
        from cli.reports.json_documents import write_document

        write_document([_document(box) for box in known], sys.stdout)
        return
    for box in known:
        typer.echo(clean(_line(box)))
    if not known:
        inform(f"No mailbox. To add some: mail-preflight mailboxes import {normalise_domain(domain)} FILE")


def _document(box: "Stored") -> dict[str, object]:
    return {
        "address": box.address,
        "username": box.username,
        "credential": box.credential_kind,
        "state": box.state,
        "code": box.code,
        "since": box.state_since,
    }


def _line(box: "Stored") -> str:
    from cli.times import local

    parts = [box.state.value + (f" ({box.code})" if box.code and box.code != "ok" else "")]
    parts += [f"since {local(box.state_since)}"] if box.state_since is not None else []
    parts += [f"logs in as {box.username}"] if box.username != box.address else []
    parts += [box.credential_kind or "no credential"]
    return f"{box.address}: {', '.join(parts)}"


def remove(domain: Domain, addresses: Addresses) -> None:
    """Removes mailboxes from a domain, and their credentials; it is written down who did it."""
    with open_account() as account:
        count = account.mailboxes.remove(domain, addresses)
    inform(f"Removed, and their credentials are gone: {count}.")


def retry(domain: Domain) -> None:
    """Lets credentials be tried again that a server has rejected.

    For when the server was at fault: normally they are sent again only after another password was imported.
    """
    with open_account() as account:
        count = account.mailboxes.forget_rejections(normalise_domain(domain))
    inform(f"{count} rejections forgotten; the next verification tries these mailboxes again.")
