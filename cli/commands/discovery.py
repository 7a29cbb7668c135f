"""The command that finds settings out: `discover`."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from checks.model import Endpoint, Invalid, Protocol
from checks.settings import normalise_host, parse_endpoint
from cli.account import open_account
from cli.failures import Status
from cli.options import Json

if TYPE_CHECKING:
    from checks.discovery.model import SourceReport

_STATUS = {"ok": Status.SAFE, "fail": Status.UNSAFE, "inconclusive": Status.CANNOT_TELL}


def discover(
    context: typer.Context,
    target: Annotated[str, typer.Argument(metavar="DOMAIN|ADDRESS", help="A domain, or an address of it.")],
    imap: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="An IMAP server you have in mind: checked, and repaired.")
    ] = None,
    smtp: Annotated[str | None, typer.Option(metavar="HOST:PORT", help="The same for SMTP.")] = None,
    accept_host: Annotated[
        list[str] | None,
        typer.Option(metavar="HOST", help="A host that nothing vouches for, and that you know; may be given again."),
    ] = None,
    as_json: Json = False,
) -> int:
    """Finds out the settings of a domain: asks what it publishes, checks every server, logs in nowhere.

    Exit status: 0 settings were found that work, 1 none were, 3 could not tell.
    """
    accepted = [normalise_host(host) for host in accept_host or ()]
    typed = _given("--imap", imap, Protocol.IMAP), _given("--smtp", smtp, Protocol.SMTP)
    from checks.discovery.document import discovery_document, source_document
    from cli.console import open_console
    from cli.reports.discovery_report import render_discovery, render_source

    progress = open_console(stderr=True)

    def tell(report: "SourceReport") -> None:
        if not as_json:
            render_source(source_document(report, context.obj), context.obj, progress)

    with open_account() as account:
        found = account.discoveries.discover(target, *typed, tell=tell)
    document = discovery_document(found, context.obj, accepted)
    if as_json:
        from cli.reports.json_documents import write_document

        write_document(document.as_json(), sys.stdout)
    else:
        render_discovery(document, open_console())
    return _STATUS[document.verdict]


def _given(option: str, text: str | None, protocol: Protocol) -> Endpoint | None:
    if text is None:
        return None
    try:
        return parse_endpoint(text, protocol)
    except Invalid as error:
        raise Invalid(f"{option}: {error}", error.field) from None
