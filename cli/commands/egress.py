"""The commands for connection IPs: which there are, what to ask of a firewall's people, and the switch of a domain."""

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from checks.language import Language
from cli.account import open_account
from cli.commands.verification import tell, verify_change
from cli.options import Domain, Json
from cli.wording import phrase

if TYPE_CHECKING:
    from worker.service.domains.egress import ConnectionIps


class Switch(StrEnum):
    ON = "on"
    OFF = "off"


def connection_ips(context: typer.Context, as_json: Json = False) -> None:
    """Lists the addresses that connections come from; `request` and `use` are about those of a domain."""
    if context.invoked_subcommand is not None:
        return
    with open_account() as account:
        known = account.egress.connection_ips()
    if as_json:
        from cli.reports.json_documents import write_document

        write_document(_document(known), sys.stdout)
        return
    for line in _lines(known, context.obj):
        typer.echo(line)


def _document(known: "ConnectionIps") -> dict[str, object]:
    return {
        "shared": list(known.shared),
        "static": list(known.static),
        "complete": not known.system_chooses,
        "static_available": known.static_exist,
        "static_domains": list(known.domains),
    }


def _lines(known: "ConnectionIps", language: Language) -> list[str]:
    lines = [f"{each}  {phrase(language, 'egress.shared')}" for each in known.shared]
    lines += [f"{each}  {phrase(language, 'egress.static')}" for each in known.static]
    if known.system_chooses:
        lines.append(phrase(language, "egress.others"))
    if known.domains:
        lines.append(phrase(language, "egress.domains", domains=language.listed(known.domains)))
    elif known.static_exist and not known.static:
        lines.append(phrase(language, "egress.unused"))
    return lines


def request(context: typer.Context, domain: Domain, as_json: Json = False) -> None:
    """Prints the request to let our addresses in, for the people who run a domain's firewall."""
    with open_account() as account:
        found = account.egress.request(domain)
    if as_json:
        from cli.reports.json_documents import write_document

        servers = [{"protocol": each.protocol.value, "host": each.host, "port": each.port} for each in found.servers]
        words = {
            language.value: {"subject": each.subject, "explanation": each.explanation, "text": each.text}
            for language, each in found.words.items()
        }
        head = {"domain": found.domain, "static": found.static, "addresses": list(found.addresses)}
        write_document({**head, "servers": servers, "blocked": list(found.blocked), "words": words}, sys.stdout)
        return
    words_here = found.words[context.obj]
    for part in (words_here.subject, words_here.explanation, words_here.text):
        typer.echo(f"{part}\n")


def use(
    context: typer.Context,
    domain: Domain,
    switch: Annotated[Switch, typer.Argument(metavar="on|off", help="Whether connections leave from them.")],
    as_json: Json = False,
) -> int:
    """Verifies a domain's settings in force with static addresses on or off.

    It is a change like any other: the report says who would disconnect, and `apply` puts it in force. Exit status: as
    of `verify`.
    """
    with open_account() as account:
        settings = account.egress.with_static_addresses(domain, on=switch is Switch.ON)
        change_id = verify_change(account, domain, settings, None, context.obj)
        return tell(account.changes.report(change_id, context.obj), as_json=as_json)
