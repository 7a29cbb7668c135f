"""One endpoint for people: the steps in order up to the first red one, the cause, and what to do about it."""

from rich.console import Console

from checks.document import AdmissionDocument, EndpointDocument, StepDocument
from cli.console import mark, say
from cli.wording import phrase

_INDENT = 4


def render_endpoint(endpoint: EndpointDocument, console: Console, *, chain: bool = True) -> None:
    """Prints what came of one endpoint; with `chain` the certificates it presented as well."""
    place = (endpoint.place, "bold")
    say(console, mark(console, endpoint.verdict), f" {endpoint.label} ", place, f": {endpoint.state}")
    if endpoint.typed:
        say(console, endpoint.typed, indent=_INDENT)
    for step in endpoint.steps:
        _step(step, console)
    for admission in endpoint.admissions:
        _admission(admission, console)
    if endpoint.code != "ok":
        _cause(endpoint, console)
    _certificate(endpoint, console)
    if endpoint.fix:
        say(console, phrase(endpoint.language, "fix"), " ", endpoint.fix.detail, indent=_INDENT)
    if chain:
        _chain(endpoint, console)


def _step(step: StepDocument, console: Console) -> None:
    seen = f"  {step.seen}" if step.seen else ""
    say(console, mark(console, step.verdict), f" {step.label}", (f"  {step.ms:.0f} ms", "dim"), seen, indent=_INDENT)


def _admission(admission: AdmissionDocument, console: Console) -> None:
    seen = f"  {admission.seen}" if admission.seen else ""
    sign = mark(console, admission.sign)
    say(console, sign, " ", (admission.label, "bold"), f"  {admission.sentence}", seen, indent=_INDENT)


def _cause(endpoint: EndpointDocument, console: Console) -> None:
    style = "bold red" if endpoint.verdict == "fail" else "bold yellow"
    say(console, (endpoint.code, style), f": {endpoint.sentence}", indent=_INDENT)
    seen = "seen.server" if endpoint.server_said else "seen"
    for key, text in ((seen, endpoint.seen), ("advice", endpoint.advice), ("field", endpoint.field)):
        if text:
            say(console, phrase(endpoint.language, key), " ", text, indent=_INDENT)


def _certificate(endpoint: EndpointDocument, console: Console) -> None:
    language = endpoint.language
    for warning in endpoint.warnings:
        head = f"! {phrase(language, 'warning')}", "bold yellow"
        say(console, head, f" {warning.code}: {warning.sentence}", indent=_INDENT)
    if endpoint.option == "needed":
        head = f"! {phrase(language, 'certificate')}", "bold yellow"
        say(console, head, " ", endpoint.option_sentence, indent=_INDENT)
    elif endpoint.option_sentence:
        say(console, (endpoint.option_sentence, "dim"), indent=_INDENT)
    if endpoint.judged:
        say(console, (endpoint.judged, "dim"), indent=_INDENT)


def _chain(endpoint: EndpointDocument, console: Console) -> None:
    tls, language = endpoint.tls, endpoint.language
    if tls is None or not tls.chain:
        return
    if endpoint.untested:
        say(console, (endpoint.untested, "dim"), indent=_INDENT)
    agreed = ", ".join(filter(None, (tls.version, tls.cipher)))
    say(console, phrase(language, "heading.chain"), f" ({agreed})" if agreed else "", indent=_INDENT)
    for depth, certificate in enumerate(tls.chain):
        broken = depth == tls.broken
        sign = mark(console, endpoint.verdict) if broken else "└"
        style = "bold red" if broken and endpoint.verdict == "fail" else ""
        words = (f" {certificate.subject}", style), (f"  {endpoint.code}" if broken else "", style)
        say(console, sign, *words, indent=_INDENT + 2 * (depth + 1))
        below = _INDENT + 2 * (depth + 2)
        say(console, phrase(language, "chain.issuer", issuer=certificate.issuer), indent=below)
        dates = {"not_before": certificate.not_before, "not_after": certificate.not_after}
        say(console, phrase(language, "chain.valid", **dates), indent=below)
        say(console, (f"SHA-256 {certificate.sha256}", "dim"), indent=below)
