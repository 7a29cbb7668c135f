"""What a letter tells of servers: each finding with where it was, what was seen there, and what to change."""

from collections.abc import Iterator, Mapping

from checks.codes import Code
from checks.document import EndpointDocument
from checks.messages.endpoints import said_by_server
from checks.model import Certificate
from worker.changes.document import CauseDocument
from worker.letters.material import Material


def findings(about: Material, changes: Mapping[Code, str]) -> list[list[str]]:
    """The lines of each finding that somebody can do something about: `changes` says what, by code.

    Servers first, then what is said of them besides, then what mailboxes met there.
    """
    endpoints = about.report.endpoints
    found = [_of_endpoint(about, each, changes) for each in endpoints if each.code in changes]
    found += [
        _lines(about, each, warning.sentence, changes[warning.code], warning.code)
        for each in endpoints
        for warning in each.warnings
        if warning.code in changes
    ]
    return found + [_of_cause(about, cause, changes) for cause in _causes(about, changes)]


def _causes(about: Material, changes: Mapping[Code, str]) -> Iterator[CauseDocument]:
    """Those that are not told with their endpoint already, each once whatever its impact."""
    told = {(each.endpoint.protocol.value, each.code) for each in about.report.endpoints}
    told |= {(each.endpoint.protocol.value, warn.code) for each in about.report.endpoints for warn in each.warnings}
    for cause in about.report.urgent_causes:
        if cause.code in changes and (cause.protocol or "", cause.code) not in told:
            told.add((cause.protocol or "", cause.code))
            yield cause


def _of_endpoint(about: Material, each: EndpointDocument, changes: Mapping[Code, str]) -> list[str]:
    lines = _lines(about, each, each.sentence, changes[each.code], each.code)
    if each.seen:
        lines.insert(2, about.say("said" if each.server_said else "met", text=each.seen))
    if each.tls and each.tls.chain and each.code.startswith("tls."):
        lines.insert(-2, _certificate(about, each.tls.chain[each.tls.broken or 0]))
    if each.fix:
        lines.insert(-1, about.say("repair", text=each.fix.detail))
    return [*lines, about.say("steps", text=steps(about, each))]


def _of_cause(about: Material, cause: CauseDocument, changes: Mapping[Code, str]) -> list[str]:
    met = about.of(cause)
    lines = _lines(about, about.endpoint(cause.protocol), cause.sentence, changes[cause.code], cause.code)
    if met.seen:
        lines.insert(2, about.say("said" if said_by_server(cause.code) else "met", text=met.seen))
    same = cause.code, cause.protocol
    count = sum(each.count for each in about.report.causes if (each.code, each.protocol) == same)
    examples = about.language.listed(met.examples)
    return [*lines, about.say("concerned", count=count, examples=examples)]


def _lines(about: Material, each: EndpointDocument | None, seen: str, change: str, code: Code) -> list[str]:
    """Where, what was seen, what to change, and the code for whoever looks it up."""
    return [
        place(about, each) if each else about.report.domain,
        about.say("seen", text=seen),
        about.say("change", text=change),
        about.say("code", code=code),
    ]


def place(about: Material, each: EndpointDocument) -> str:
    """Which server, whether it works, and the address that answered."""
    return about.say("place", headline=each.headline, address=each.address) if each.address else each.headline


def steps(about: Material, each: EndpointDocument) -> str:
    """The steps of its check in one line."""
    return about.language.listed(
        about.say("step", label=step.label, verdict=about.say(f"step.{step.verdict}"), ms=f"{step.ms:.0f}")
        for step in each.steps
    )


def _certificate(about: Material, certificate: Certificate) -> str:
    return about.say(
        "certificate",
        subject=certificate.subject,
        issuer=certificate.issuer,
        not_before=certificate.not_before[:10],
        not_after=certificate.not_after[:10],
        sha256=certificate.sha256,
    )
