"""The operator's commands for accounts."""

import sys
from typing import Annotated

import typer

from cli.account import actor, open_preflight
from cli.cleaning import clean
from cli.failures import inform, inform_of_more
from cli.options import After, Json, Limit

Name = Annotated[str, typer.Argument(metavar="NAME", help="As it is given to --account.")]


def add(name: Name) -> None:
    """Makes an account: its domains, changes and alert channels are apart from those of others."""
    with open_preflight() as preflight:
        preflight.add_account(name, actor())
    inform(f"Added. To work in it: mail-preflight --account {name} ...")


def list_(limit: Limit = 1000, after: After = "", as_json: Json = False) -> None:
    """Lists accounts, with how many domains and mailboxes they have."""
    with open_preflight() as preflight:
        found = preflight.accounts(after or None, limit + 1)
    known = inform_of_more(found, limit, "accounts list", lambda each: each.name)
    if as_json:
        from cli.reports.json_documents import write_document

        documents = [{"name": each.name, "domains": each.domains, "mailboxes": each.mailboxes} for each in known]
        write_document(documents, sys.stdout)
        return
    for each in known:
        typer.echo(clean(f"{each.name}: {each.domains} domains, {each.mailboxes} mailboxes"))


def remove(name: Name) -> None:
    """Removes an account that has no domains any more."""
    with open_preflight() as preflight:
        preflight.remove_account(name, actor())
    inform("Removed.")
