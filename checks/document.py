"""The `check` document: one endpoint's result as the JSON that the command, the HTTP API and the report share.

Its schema is `docs/schema/check.schema.json`.
"""

from dataclasses import asdict

from checks.messages import Language, fix_detail, wording
from checks.model import Endpoint, EndpointResult, Facts, Warn


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


def endpoint_document(result: EndpointResult, language: Language = Language.EN) -> dict[str, object]:
    """The result as JSON values. `ms` are milliseconds, times ISO 8601 in UTC; `message` and `advice` in `language`."""
    words = wording(result.code, endpoint_facts(result), language)
    return {
        "endpoint": _endpoint(result),
        "verdict": result.verdict.value,
        "code": result.code.value,
        "message": words.sentence,
        "advice": words.advice,
        "allow_insecure_certificate": result.option.value if result.option else None,
        "fix": {"kind": result.fix.kind, "detail": fix_detail(result.fix, language)} if result.fix else None,
        "warnings": [_warning(result, warning, language) for warning in result.warnings],
        "steps": [
            {"name": step.name, "verdict": step.verdict.value, "ms": round(step.ms, 1), "seen": step.seen}
            for step in result.steps
        ],
        "tls": _tls(result),
    }


def warning_facts(result: EndpointResult, warning: Warn) -> Facts:
    """The facts for the wording of one of the result's warnings."""
    return {**endpoint_facts(result), **warning.facts}


def _endpoint(result: EndpointResult) -> dict[str, object]:
    endpoint = result.endpoint
    place: dict[str, object] = {
        "protocol": endpoint.protocol.value,
        "host": endpoint.host,
        "port": endpoint.port,
        "security": endpoint.security.value,
        "address": result.address,
    }
    # Exchange's URL, and what was typed for it: the same text where nothing had to be changed.
    return place | ({"url": endpoint.url, "typed": endpoint.typed or endpoint.url} if endpoint.url else {})


def _warning(result: EndpointResult, warning: Warn, language: Language) -> dict[str, str]:
    sentence = wording(warning.code, warning_facts(result, warning), language).sentence
    return {"code": warning.code.value, "message": sentence}


def _tls(result: EndpointResult) -> dict[str, object] | None:
    if result.tls is None:
        return None
    tls = result.tls
    return {
        "version": tls.version,
        "cipher": tls.cipher,
        "chain": [asdict(certificate) for certificate in tls.chain],
        "openssl": tls.openssl or None,
        "x509_strict": tls.x509_strict,
        "large_hello": tls.large_hello or None,
    }
