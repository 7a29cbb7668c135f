"""What is filled in for who connects a mailbox: a command, and what `connect` says before it asks for a password."""

import sys
from typing import TYPE_CHECKING

import typer

from checks.language import Language
from checks.model import Authentication
from cli.account import open_connecting
from cli.naming import as_typed
from cli.options import Domain, Json
from cli.wording import phrase

if TYPE_CHECKING:
    from checks.model import Endpoint
    from worker.service.domains.connecting import Prefill


def prefill(context: typer.Context, domain: Domain, as_json: Json = False) -> None:
    """Says what is filled in for who connects a mailbox of a domain: its servers, and what to type as the password."""
    with open_connecting() as connecting:
        found = connecting.prefill(domain)
    if as_json:
        from cli.reports.json_documents import write_document

        write_document(_document(found, context.obj), sys.stdout)
        return
    for line in prefill_lines(found, context.obj):
        typer.echo(as_typed(line))


def prefill_lines(found: "Prefill", language: Language) -> list[str]:
    """What is filled in, in words; the hint comes last."""
    lines = [phrase(language, "prefill.none", domain=found.domain)]
    if found.settings is not None:
        serves = language.listed(phrase(language, f"prefill.{service}") for service in _serves(found))
        servers = (_words(endpoint, language) for endpoint in found.settings.endpoints)
        lines = [phrase(language, "prefill.settings", serves=serves, servers=language.listed(servers))]
    return lines + [words for words in (_hint_words(found, language),) if words]


def _serves(found: "Prefill") -> list[str]:
    if found.settings is None:
        return []
    return ["mail", "calendar"] if found.settings.kind == "exchange" else ["mail"]


def _words(endpoint: "Endpoint", language: Language) -> str:
    without = endpoint.authentication is Authentication.NONE
    return phrase(language, "prefill.no_login", server=endpoint) if without else str(endpoint)


def _hint_words(found: "Prefill", language: Language) -> str:
    if found.hint is None:
        return ""
    from checks.messages.provider_hints import hint_words

    return hint_words(found.hint, language)


def _document(found: "Prefill", language: Language) -> dict[str, object]:
    hint = found.hint
    told = {"message": _hint_words(found, language), "url": hint.url or None} if hint else {}
    return {
        "domain": found.domain,
        "kind": found.settings.kind if found.settings else None,
        "serves": _serves(found),
        "servers": [_server(each) for each in found.settings.endpoints] if found.settings else [],
        "hint": {"provider": hint.provider, "wants": hint.wants.value, **told} if hint else None,
    }


def _server(endpoint: "Endpoint") -> dict[str, object]:
    if endpoint.url:
        return {"protocol": endpoint.protocol.value, "url": endpoint.url}
    how = {"security": endpoint.security.value, "authentication": endpoint.authentication.value}
    return {"protocol": endpoint.protocol.value, "host": endpoint.host, "port": endpoint.port, **how}
