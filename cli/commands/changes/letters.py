"""The command that writes the letters of a report: to owners, to who runs servers and firewalls, and for a ticket."""

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from checks.language import Language
from cli.account import open_account
from cli.cleaning import clean
from cli.options import ChangeId, Json
from cli.wording import phrase

if TYPE_CHECKING:
    from worker.letters.document import Letter


class To(StrEnum):
    """Recipients as they are typed."""

    OWNERS = "owners"
    MAIL_ADMIN = "mail-admin"
    FIREWALL = "firewall"
    TICKET = "ticket"


def letters(
    context: typer.Context,
    change_id: ChangeId,
    to: Annotated[To | None, typer.Option(help="To these only.")] = None,
    language: Annotated[
        Language | None, typer.Option(help="The language of the letters; that of reports unless given.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Writes what to send to whom, so that a change can be applied. It sends nothing.

    To the owners of mailboxes (a text for each cause, with their addresses), to whoever runs the mail server or the
    firewall, and a text for a ticket.
    """
    from worker.letters.document import Recipient

    wanted = Recipient(to.value.replace("-", "_")) if to else None
    with open_account() as account:
        found = account.letters.of_change(change_id, language or context.obj, wanted, listed=sys.maxsize)
    if as_json:
        from cli.reports.json_documents import write_document

        write_document([letter.as_json() for letter in found], sys.stdout)
    elif not found:
        typer.echo(phrase(context.obj, "letters.none"))
    for letter in found if not as_json else ():
        _print(letter, context.obj)


def _print(letter: "Letter", language: Language) -> None:
    typer.echo(f"--- {phrase(language, f'letters.{letter.to}', count=letter.count)}")
    if letter.caution:
        typer.echo(f"{phrase(language, 'letters.caution')} {letter.caution}")
    if letter.addresses:
        typer.echo(f"{phrase(language, 'letters.bcc')} {clean(', '.join(letter.addresses))}")
    typer.echo(f"{phrase(language, 'letters.subject')} {clean(letter.subject)}\n")
    for line in letter.body.splitlines():
        typer.echo(clean(line))
    typer.echo("")
