"""What came of an endpoint, put into words: its document in a language, and the facts that such words need.

The texts themselves are in the `endpoints.py` of each language; cause and advice are those of the code.
"""

from datetime import datetime, timedelta

from checks.codes import CODES, Code, Verdict
from checks.document import AdmissionDocument, EndpointDocument, FixDocument, StepDocument, WarningDocument
from checks.language import Language, Phrases, in_every_language
from checks.messages import blame_word, fix_detail, wording
from checks.model import (
    ALLOWED_BY_OPTION,
    Admission,
    Authentication,
    Endpoint,
    EndpointResult,
    Facts,
    Option,
    Outcome,
    Step,
    TlsFacts,
    Warn,
)

PHRASES = Phrases(in_every_language("checks.messages", "WORDS", "endpoints"))

_RENEWED_WITHIN = timedelta(days=825)
"""A longer life is no plan to renew: public certificates never had more since 2018 (CA/Browser Forum, ballot 193)."""
_SAID_BY_SERVER = ("greeting", "protocol", "server", "auth", "smtp", "mailbox")  # else OpenSSL or the network said it


def said_by_server(code: Code) -> bool:
    """Whether a cause is told in the server's own words, else in those of the network or the library."""
    return code.partition(".")[0] in _SAID_BY_SERVER


def place_facts(endpoint: Endpoint) -> Facts:
    """The facts for the wording that every code of an endpoint has: where it was."""
    return {
        "host": endpoint.host,
        "port": str(endpoint.port),
        "protocol": endpoint.protocol.label,
        "security": endpoint.security.value,
    }


def endpoint_facts(result: EndpointResult) -> Facts:
    """The facts for the wording of a result: where it was, and what was found."""
    return {**place_facts(result.endpoint), **result.facts}


def warning_facts(result: EndpointResult, warning: Warn) -> Facts:
    """The facts for the wording of one of the result's warnings."""
    return {**endpoint_facts(result), **warning.facts}


def endpoint_document(
    result: EndpointResult, language: Language = Language.EN, *, ticked: bool = False, elsewhere: bool = False
) -> EndpointDocument:
    """The result, worded in `language`. `ticked`: the settings have "allow insecure certificate" on.

    What that would do is said where it matters: where it is on, or needed. `elsewhere`: some server of these settings
    needs it.
    """
    words, blame = wording(result.code, endpoint_facts(result), language), CODES[result.code].blame
    return EndpointDocument(
        language=language,
        endpoint=result.endpoint,
        address=result.address,
        label=result.endpoint.protocol.label,
        place=place_words(result.endpoint, language),
        state=verdict_words(result.verdict, language),
        typed=_typed(result.endpoint, language),
        verdict=result.verdict,
        code=result.code,
        sentence=words.sentence,
        advice=words.advice,
        blame=blame,
        who_acts=blame_word(blame, language),
        field=words.field,
        seen=result.seen if result.code is not Code.OK else "",
        server_said=said_by_server(result.code),
        option=result.option,
        option_sentence=_option(result, language, ticked=ticked, elsewhere=elsewhere),
        fix=FixDocument(result.fix.kind, fix_detail(result.fix, language)) if result.fix else None,
        warnings=tuple(_warning(result, warning, language) for warning in result.warnings),
        steps=tuple(_step(step, language) for step in result.steps),
        tls=result.tls,
        judged=_judged(result.tls, language),
        untested=_untested(result.tls, language),
        client=result.client,
        admissions=tuple(_admission(each, language) for each in result.admissions),
    )


def _admission(admission: Admission, language: Language) -> AdmissionDocument:
    outcome = admission.outcome
    label = admission.source
    if admission.shared:
        label = PHRASES(language, "source.shared_as" if label else "source.shared", source=label)
    return AdmissionDocument(
        admission.source,
        admission.shared,
        outcome,
        _SIGNS.get(outcome, Verdict.FAIL),
        label,
        PHRASES(language, f"admission.{outcome}"),
        admission.seen if outcome in _TOLD else "",
    )


_SIGNS = {
    Outcome.ADMITTED: Verdict.OK,
    Outcome.BUSY: Verdict.INCONCLUSIVE,
    Outcome.NO_FAMILY: Verdict.INCONCLUSIVE,
    Outcome.NOT_HERE: Verdict.INCONCLUSIVE,
    Outcome.UNREACHABLE: Verdict.INCONCLUSIVE,
}
_TOLD = frozenset({Outcome.BLOCKED, Outcome.BUSY, Outcome.BANNED})
"""Where the server's own words tell more than the outcome does."""


def _option(result: EndpointResult, language: Language, *, ticked: bool, elsewhere: bool) -> str:
    option = result.option
    if option is None or not (ticked or option is Option.NEEDED):
        return ""
    if option is Option.NOT_NEEDED and elsewhere:
        return PHRASES(language, "option.needed_elsewhere")
    sentence, until = PHRASES(language, f"option.{option}"), _replaced_by(result)
    if option is not Option.NEEDED or not until:
        return sentence
    return sentence + PHRASES(language, "option.until", date=until)


def _replaced_by(result: EndpointResult) -> str:
    """The day by which the server will have another key; '' where its certificate tells nothing about that.

    One that has ended may stay for years, and so may one that was made for many of them.
    """
    chain = result.tls.chain if result.tls else ()
    found = {result.code, *(warning.code for warning in result.warnings)}
    if not chain or found & {Code.TLS_EXPIRED, Code.TLS_NOT_YET_VALID}:
        return ""
    begin, end = (datetime.fromisoformat(moment) for moment in (chain[0].not_before, chain[0].not_after))
    return end.date().isoformat() if end - begin <= _RENEWED_WITHIN else ""


def place_words(endpoint: Endpoint, language: Language) -> str:
    """Where an endpoint is, for people: the URL of Exchange, else host, port, security, and that nobody logs in."""
    if endpoint.url:
        return endpoint.url
    host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
    how: list[str] = [endpoint.security]
    if endpoint.authentication is Authentication.NONE:
        how.append(PHRASES(language, "place.no_login"))
    return f"{host}:{endpoint.port} ({', '.join(how)})"


def verdict_words(verdict: Verdict, language: Language) -> str:
    """Whether an endpoint works."""
    return PHRASES(language, f"endpoint.{verdict}")


def step_label(name: str, language: Language) -> str:
    """A step's name for people; the name itself where there is no other word for it."""
    return PHRASES.texts[language].get(f"step.{name}", name)


def _judged(tls: TlsFacts | None, language: Language) -> str:
    if tls is None or not tls.openssl:
        return ""
    return PHRASES(language, "judged.strictly" if tls.x509_strict else "judged", openssl=tls.openssl)


def _untested(tls: TlsFacts | None, language: Language) -> str:
    if tls is None or not tls.chain or tls.large_hello != "not_tested":
        return ""
    return PHRASES(language, "large_hello.not_tested", openssl=tls.openssl)


def _typed(endpoint: Endpoint, language: Language) -> str:
    return PHRASES(language, "exchange.typed", typed=endpoint.typed, url=endpoint.url) if endpoint.typed else ""


def _warning(result: EndpointResult, warning: Warn, language: Language) -> WarningDocument:
    return WarningDocument(warning.code, wording(warning.code, warning_facts(result, warning), language).sentence)


def _step(step: Step, language: Language) -> StepDocument:
    seen = step.seen
    if seen.endswith(ALLOWED_BY_OPTION):
        seen = seen.removesuffix(ALLOWED_BY_OPTION) + PHRASES(language, "step.allowed")
    return StepDocument(step.name, step_label(step.name, language), step.verdict, step.ms, seen)
