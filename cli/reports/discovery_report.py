"""A discovery for people: what was found, whether it works, who vouches for it, and the command that goes on."""

from rich.console import Console

from checks.discovery.document import DiscoveryDocument, ProposalDocument, ServerDocument, SourceDocument
from checks.language import Language
from cli.console import mark, say, say_command
from cli.reports.endpoint_report import render_endpoint
from cli.wording import phrase

_INDENT = 2


def render_source(source: SourceDocument, language: Language, console: Console) -> None:
    """One line, when a source has ended."""
    what = phrase(language, "discovery.found" if source.found else "discovery.nothing")
    words = phrase(language, "discovery.source", source=source.label, what=what, seconds=f"{source.seconds:.1f}")
    say(console, (words, "dim"))


def render_discovery(found: DiscoveryDocument, console: Console) -> None:
    """Prints the whole of it."""
    say(console, mark(console, found.verdict), " ", (found.headline, "bold"))
    for proposal in found.proposals:
        _proposal(proposal, found.language, console)
    if found.findings:
        say(console)
        say(console, (phrase(found.language, "heading.findings"), "bold"))
        for finding in found.findings:
            say(console, "! ", str(finding["message"]), indent=_INDENT)
    if found.unfinished:
        say(console, phrase(found.language, "discovery.unfinished", sources=found.language.listed(found.unfinished)))
    _next(found, console)


def _proposal(proposal: ProposalDocument, language: Language, console: Console) -> None:
    said = phrase(language, "discovery.proposal", source=proposal.source, confidence=proposal.confidence)
    say(console)
    say(console, (said, "bold"))
    if proposal.also:
        sources = language.listed(proposal.also)
        say(console, phrase(language, "discovery.also", sources=sources), indent=_INDENT)
    for key, text in (
        ("place", proposal.proposal.candidate.place),
        ("login", proposal.username or proposal.login),
        ("password", proposal.password),
        ("help", proposal.proposal.candidate.help_url),
    ):
        if text:
            say(console, phrase(language, f"discovery.{key}"), " ", text, indent=_INDENT)
    for server in proposal.servers:
        _server(server, language, console)


def _server(server: ServerDocument, language: Language, console: Console) -> None:
    """In one line where it works: nobody asks then how it came to that."""
    check = server.check
    if check.verdict == "ok":
        place = (check.place, "bold")
        say(console, mark(console, check.verdict), f" {check.label} ", place, f": {check.state}", indent=_INDENT)
    else:
        render_endpoint(check, console, chain=False)
    sign = mark(console, "ok" if server.trusted else "inconclusive")
    say(console, sign, " ", server.reason, indent=2 * _INDENT)
    if server.repair:
        say(console, phrase(language, "discovery.repaired"), " ", server.repair, indent=2 * _INDENT)


def _next(found: DiscoveryDocument, console: Console) -> None:
    """The command that verifies the best proposal, or that accepts its hosts first."""
    best = next((each for each in found.proposals if each.proposal.works and each.proposal.complete), None)
    if best is None:
        return
    say(console)
    say(console, (phrase(found.language, "heading.next_discovery"), "bold"))
    if best.settings is None:
        say(console, phrase(found.language, "discovery.accept"), indent=_INDENT)
        accepted = " ".join(f"--accept-host {host}" for host in best.proposal.hosts_to_accept)
        target = found.address or found.domain
        say_command(console, f"mail-preflight discover {target} {accepted}", 2 * _INDENT)
        return
    say_command(console, f"mail-preflight verify {found.domain} {_options(best)} --mailboxes FILE", 2 * _INDENT)


def _options(best: ProposalDocument) -> str:
    if best.settings is not None and "exchange_url" in best.settings:
        return f"--exchange {best.settings['exchange_url']}"
    options = []
    for offer in best.proposal.offers:
        place = offer.endpoint
        host = f"[{place.host}]" if ":" in place.host else place.host
        name = place.protocol.value
        options.append(f"--{name} {host}:{place.port} --{name}-security {place.security.value}")
        if place.authentication.value == "none":
            options.append("--smtp-authentication none")
    return " ".join(options)
