"""The result of an endpoint check whose finding is scripted: complete, as the real check would tell it."""

import hashlib
import ssl
from collections.abc import Iterator
from dataclasses import replace

from checks.codes import Code, Verdict, verdict_of
from checks.context import CheckContext
from checks.messages.endpoints import place_facts
from checks.model import (
    ALLOWED_BY_OPTION,
    Endpoint,
    EndpointResult,
    Facts,
    Fix,
    Option,
    Pin,
    Protocol,
    Security,
    Step,
    TlsFacts,
    Warn,
)
from checks.sandbox.certificates import DAY, Shown, day, fingerprint
from checks.sandbox.facts import FACTS, FIXES, VERIFICATION, said
from checks.sandbox.names import SLOW, WARNINGS, Named
from checks.tls.accepted_chain import EXPIRES_SOON
from checks.tls.handshake import pin_fault
from checks.tls.repairs import repair

_TLS_PORTS = (993, 465, 443)
_MILLISECONDS = {"resolve": 3.0, "connect": 11.0, "starttls": 12.0, "tls": 24.0, "greeting": 12.0, "capabilities": 12.0}
_SLOW_MILLISECONDS = 4000.0
_OF_STARTTLS = (Code.TLS_PREAUTH, Code.TLS_IMPLICIT_PORT)
_CAPABILITIES = {
    Protocol.IMAP: ("IMAP4REV1", "SASL-IR", "AUTH=PLAIN"),
    Protocol.SMTP: ("8BITMIME", "AUTH PLAIN LOGIN"),
    Protocol.HTTPS: ("AUTH=BASIC", "AUTH=NTLM", "AUTH=BEARER"),
}
_DATED = {Code.TLS_EXPIRED, Code.TLS_EXPIRES_SOON}


def result_of(endpoint: Endpoint, named: Named, shown: Shown, context: CheckContext, now: float) -> EndpointResult:
    """What the check of an endpoint comes to, at `now` in UTC seconds. `shown` is the chain that it meets."""
    code = _aged(named, shown, now)
    place = replace(endpoint, security=_security(endpoint, code))
    facts = {**place_facts(place), **({"url": place.url} if place.url else {})}
    if code in VERIFICATION:
        return _refused(place, code, facts, shown, context)
    if code in WARNINGS or code is Code.OK:
        warnings = tuple(_warnings(place, code, facts, shown, now))
        works = _result(place, Code.OK, facts, steps=_steps(place, named), tls=_tls(shown), warnings=warnings)
        capabilities = ("AUTH=BEARER",) if code is Code.EXCHANGE_ONLINE else _CAPABILITIES[place.protocol]
        return replace(works, option=Option.NOT_NEEDED, capabilities=capabilities)
    steps = _steps(place, named, failed=code)
    met_tls = any(step.name == "tls" and step.verdict is Verdict.OK for step in steps)
    lasting = verdict_of(code) is Verdict.FAIL
    result = _result(place, code, {**facts, **FACTS.get(code, {})}, steps=steps, tls=_tls(shown) if met_tls else None)
    return replace(result, option=Option.WOULD_NOT_HELP if lasting else None, fix=_fix(code, place, shown))


def _aged(named: Named, shown: Shown, now: float) -> Code:
    """A certificate that has ended in the meantime."""
    works = named.code is Code.OK or named.code in WARNINGS
    return Code.TLS_EXPIRED if works and now >= shown.ends else named.code


def _security(endpoint: Endpoint, code: Code) -> Security:
    if code in _OF_STARTTLS or code.startswith("tls.starttls"):
        return Security.STARTTLS
    if endpoint.security is not Security.AUTO:
        return endpoint.security
    return Security.TLS if endpoint.port in _TLS_PORTS else Security.STARTTLS


def _result(
    endpoint: Endpoint,
    code: Code,
    facts: Facts,
    *,
    steps: tuple[Step, ...],
    tls: TlsFacts | None,
    warnings: tuple[Warn, ...] = (),
) -> EndpointResult:
    address = None if code.startswith(("dns.", "address.")) else address_of(endpoint.host)
    words = said(code, endpoint.protocol)
    return EndpointResult(
        endpoint, verdict_of(code), code, address, facts, words, warnings=warnings, steps=steps, tls=tls
    )


def address_of(host: str) -> str:
    """An address of the block for documentation (RFC 5737), which leads nowhere."""
    return f"192.0.2.{1 + hashlib.sha256(host.encode()).digest()[0] % 250}"


def _refused(
    endpoint: Endpoint, code: Code, facts: dict[str, str], shown: Shown, context: CheckContext
) -> EndpointResult:
    """A chain that a strict client refuses: what the option would do, and did where it is on."""
    own = {**FACTS.get(code, {}), **_date(code, shown)}
    words = VERIFICATION[code]
    tls = replace(_tls(shown), broken=1 if code is Code.TLS_INTERMEDIATE_EXPIRED else 0)
    if not context.allow_insecure_certificate:
        steps = _steps(endpoint, Named(code), failed=code, at="tls")
        tls = replace(tls, version=None, cipher=None)
        result = _result(endpoint, code, {**facts, **own}, steps=steps, tls=tls)
        return replace(result, option=Option.NEEDED, fix=_fix(code, endpoint, shown))
    pin = Pin(fingerprint(f"key {shown.chain[0].sha256}"))
    expected = context.pins.get(str(endpoint), pin)
    if expected.leaf != pin.leaf:
        fault = pin_fault(pin.leaf, expected)
        steps = _steps(endpoint, Named(fault.code), failed=fault.code)
        failed = _result(endpoint, fault.code, {**facts, **fault.facts}, steps=steps, tls=tls)
        return replace(failed, option=Option.NEEDED, seen=fault.seen)
    steps = tuple(
        replace(step, seen=words + ALLOWED_BY_OPTION) if step.name == "tls" else step
        for step in _steps(endpoint, Named(Code.OK))
    )
    warning = Warn(code, {**facts, **own})
    result = _result(endpoint, Code.OK, facts, steps=steps, tls=tls, warnings=(warning,))
    fix, capabilities = _fix(code, endpoint, shown), _CAPABILITIES[endpoint.protocol]
    return replace(result, option=Option.NEEDED, insecure=True, pin=pin, fix=fix, capabilities=capabilities)


def _date(code: Code, shown: Shown) -> dict[str, str]:
    if code is Code.TLS_NOT_YET_VALID:
        return {"date": day(shown.begins)}
    if code is Code.TLS_INTERMEDIATE_EXPIRED:
        return {"date": shown.chain[1].not_after[:10]}
    return {"date": day(shown.ends)} if code in _DATED else {}


def _warnings(endpoint: Endpoint, code: Code, facts: dict[str, str], shown: Shown, now: float) -> Iterator[Warn]:
    if endpoint.typed:
        yield Warn(Code.EXCHANGE_URL_CHANGED, {**facts, "typed": endpoint.typed})
    if shown.ends - now <= shown.lifetime * EXPIRES_SOON:
        left = str(int((shown.ends - now) // DAY))
        subject = shown.chain[0].subject
        yield Warn(Code.TLS_EXPIRES_SOON, {**facts, "subject": subject, "date": day(shown.ends), "days": left})
    if code is Code.TLS_REVOKED:
        yield Warn(code, {**facts, "subject": shown.chain[0].subject, "date": day(shown.begins + 5 * DAY)})
    elif code not in (Code.OK, Code.TLS_EXPIRES_SOON):
        yield Warn(code, {**facts, **FACTS.get(code, {})})


def _tls(shown: Shown) -> TlsFacts:
    return TlsFacts("TLSv1.3", "TLS_AES_256_GCM_SHA384", shown.chain, None, ssl.OPENSSL_VERSION)


def _fix(code: Code, endpoint: Endpoint, shown: Shown) -> Fix | None:
    if code in (Code.EXCHANGE_REDIRECTED, Code.EXCHANGE_REDIRECTED_ELSEWHERE):
        return Fix("use_url", FACTS[code]["target"])
    kind = FIXES.get(code)
    if kind is None:
        return None
    about = shown.chain[0]
    facts = {"subject": FACTS.get(code, {}).get("subject", about.subject), "sha256": about.sha256}
    return repair(kind, (), **facts, **_date(code, shown), host=endpoint.host, name="www.ok.test", resolves="yes")


# -- the steps


def _steps(endpoint: Endpoint, named: Named, *, failed: Code | None = None, at: str = "") -> tuple[Step, ...]:
    """All steps up to the one that failed, which is told by the code."""
    names = _names(endpoint)
    last = at or _where(failed, names) if failed else names[-1]
    taken = names[: names.index(last) + 1]
    verdict = verdict_of(failed) if failed else Verdict.OK
    return tuple(_step(name, verdict if name == last else Verdict.OK, endpoint, named, failed) for name in taken)


def _names(endpoint: Endpoint) -> tuple[str, ...]:
    if endpoint.protocol is Protocol.HTTPS:
        return ("resolve", "connect", "tls", "request", "authentication")
    if endpoint.security is Security.STARTTLS:
        return ("resolve", "connect", "greeting", "starttls", "tls", "capabilities")
    return ("resolve", "connect", "tls", "greeting", "capabilities")


def _where(code: Code, names: tuple[str, ...]) -> str:
    """The step at which a code strikes; for Exchange the one that stands for it."""
    group = code.partition(".")[0]
    if group in ("dns", "address"):
        return "resolve"
    if group == "connect" and code is not Code.CONNECT_CLOSED:
        return "connect"
    if code.startswith("tls.starttls") or code in _OF_STARTTLS:
        return "starttls" if "starttls" in names else "tls"
    if group == "tls":
        return "tls"
    if group in ("greeting", "server", "connect") or code in (Code.PROTOCOL_MISMATCH, Code.PROTOCOL_OVERSIZE):
        return "greeting" if "greeting" in names else "request"
    if names[-1] == "authentication":
        return "authentication" if group == "auth" or code.startswith("exchange.auth") else "request"
    return names[-1]


def _step(name: str, verdict: Verdict, endpoint: Endpoint, named: Named, failed: Code | None) -> Step:
    ms = _SLOW_MILLISECONDS if named.label == SLOW and name == "connect" else _MILLISECONDS.get(name, 15.0)
    if verdict is not Verdict.OK and failed is not None:
        return Step(name, verdict, ms, said(failed, endpoint.protocol))
    seen = {
        "resolve": address_of(endpoint.host),
        "connect": address_of(endpoint.host),
        "tls": "TLSv1.3 TLS_AES_256_GCM_SHA384",
        "greeting": "* OK sandbox ready" if endpoint.protocol is Protocol.IMAP else "220 sandbox ESMTP",
        "capabilities": ", ".join(_CAPABILITIES[endpoint.protocol]),
        "request": "HTTP/1.1 401 Unauthorized",
        "authentication": ", ".join(item.removeprefix("AUTH=") for item in _CAPABILITIES[endpoint.protocol]),
    }
    return Step(name, Verdict.OK, ms, seen.get(name, ""))
