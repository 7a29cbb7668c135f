"""One endpoint for people: the steps in order up to the first red one, the cause, and what to do about it."""

from rich.console import Console

from checks.document import endpoint_facts, warning_facts
from checks.messages import Language, fix_detail, wording
from checks.model import Code, EndpointResult, Option, Step, Verdict
from cli.console import mark, say
from cli.phrases import phrase, step_name

_INDENT = 4
_SAID_BY_SERVER = ("greeting", "protocol", "server", "auth", "mailbox")  # else OpenSSL or the network said it


def render_endpoint(
    result: EndpointResult, console: Console, language: Language = Language.EN, *, chain: bool = True
) -> None:
    """Prints the result of one endpoint; with `chain` the certificates it presented as well."""
    endpoint = result.endpoint
    state = phrase(language, f"endpoint.{result.verdict}")
    say(console, mark(console, result.verdict), f" {endpoint.protocol.label} ", (_place(result), "bold"), f": {state}")
    if endpoint.typed:
        say(console, phrase(language, "exchange.typed", typed=endpoint.typed, url=endpoint.url), indent=_INDENT)
    for step in result.steps:
        _step(step, console, language)
    if result.code is not Code.OK:
        _cause(result, console, language)
    _certificate(result, console, language)
    if result.fix:
        say(console, phrase(language, "fix"), " ", fix_detail(result.fix, language), indent=_INDENT)
    if chain:
        _chain(result, console, language)


def _place(result: EndpointResult) -> str:
    endpoint = result.endpoint
    if endpoint.url:
        return endpoint.url
    host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
    return f"{host}:{endpoint.port} ({endpoint.security})"


def _step(step: Step, console: Console, language: Language) -> None:
    seen = f"  {step.seen}" if step.seen else ""
    name = step_name(language, step.name)
    say(console, mark(console, step.verdict), f" {name}", (f"  {step.ms:.0f} ms", "dim"), seen, indent=_INDENT)


def _cause(result: EndpointResult, console: Console, language: Language) -> None:
    words = wording(result.code, endpoint_facts(result), language)
    style = "bold red" if result.verdict is Verdict.FAIL else "bold yellow"
    say(console, (result.code, style), f": {words.sentence}", indent=_INDENT)
    seen = "seen.server" if result.code.partition(".")[0] in _SAID_BY_SERVER else "seen"
    for key, text in ((seen, result.seen), ("advice", words.advice), ("field", words.field)):
        if text:
            say(console, phrase(language, key), " ", text, indent=_INDENT)


def _certificate(result: EndpointResult, console: Console, language: Language) -> None:
    for warning in result.warnings:
        words = wording(warning.code, warning_facts(result, warning), language)
        parts = (f"! {phrase(language, 'warning')}", "bold yellow"), f" {warning.code}: {words.sentence}"
        say(console, *parts, indent=_INDENT)
    if result.option is Option.NEEDED:
        label = (f"! {phrase(language, 'certificate')}", "bold yellow")
        say(console, label, " ", phrase(language, "option.needed"), indent=_INDENT)
    elif result.option:
        say(console, (phrase(language, f"option.{result.option}"), "dim"), indent=_INDENT)
    if result.tls and result.tls.openssl:
        key = "chain.judged_strictly" if result.tls.x509_strict else "chain.judged"
        say(console, (phrase(language, key, openssl=result.tls.openssl), "dim"), indent=_INDENT)


def _chain(result: EndpointResult, console: Console, language: Language) -> None:
    if result.tls is None or not result.tls.chain:
        return
    if result.tls.large_hello == "not_tested":
        say(console, (phrase(language, "large_hello.not_tested", openssl=result.tls.openssl), "dim"), indent=_INDENT)
    agreed = ", ".join(filter(None, (result.tls.version, result.tls.cipher)))
    say(console, phrase(language, "heading.chain"), f" ({agreed})" if agreed else "", indent=_INDENT)
    for depth, certificate in enumerate(result.tls.chain):
        broken = depth == result.tls.broken
        sign = mark(console, result.verdict) if broken else "└"
        style = "bold red" if broken and result.verdict is Verdict.FAIL else ""
        words = (f" {certificate.subject}", style), (f"  {result.code}" if broken else "", style)
        say(console, sign, *words, indent=_INDENT + 2 * (depth + 1))
        below = _INDENT + 2 * (depth + 2)
        say(console, phrase(language, "chain.issuer", issuer=certificate.issuer), indent=below)
        dates = {"not_before": certificate.not_before, "not_after": certificate.not_after}
        say(console, phrase(language, "chain.valid", **dates), indent=below)
        say(console, (f"SHA-256 {certificate.sha256}", "dim"), indent=below)
