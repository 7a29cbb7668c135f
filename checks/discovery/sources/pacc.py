"""PACC (draft-ietf-mailmaint-pacc-04): one JSON document of the domain, and its digest in the DNS.

The document is at `https://ua-auto-config.DOMAIN/.well-known/user-agent-configuration.json`; TXT
`_ua-auto-config.DOMAIN` has `v=UAAC1; a=sha256; d=BASE64` over its bytes. Ports are not part of it: TLS from the first
byte, at the ports of RFC 8314.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Iterable

from checks import redact
from checks.discovery.model import (
    Attempt,
    Candidate,
    Evidence,
    Finding,
    FindingKind,
    LoginName,
    Outcome,
    Password,
    Source,
    SourceReport,
)
from checks.discovery.reading import distinct, endpoint
from checks.discovery.sources.asking import Asked
from checks.discovery.web import Unpublished, document, get
from checks.model import Protocol, Security

_VERSION, _ALGORITHM = "uaac1", "sha256"


def ask(asked: Asked) -> SourceReport:
    """What the domain publishes. Only what has the right digest is proposed as published; a wrong one not at all."""
    domain = asked.subject.domain
    url = f"https://ua-auto-config.{domain}/.well-known/user-agent-configuration.json"
    page, txt = asked.pool.submit(_fetch, url, asked), f"_ua-auto-config.{domain}"
    answer, note = asked.records(Source.PACC, txt, "TXT")
    body, fetched = page.result()
    digests = tuple(digests_in(record.text for record in answer.records))
    return _judged(url, body, digests, (note, fetched), unknown=note.outcome is Outcome.NO_ANSWER)


def _fetch(url: str, asked: Asked) -> tuple[bytes | None, Attempt]:
    try:
        return document(get(url, asked.outside, asked.deadline)), Attempt(Source.PACC, url, Outcome.FOUND)
    except Unpublished as nothing:
        return None, Attempt(Source.PACC, url, nothing.outcome, redact.words(nothing.seen))


def _judged(
    url: str, body: bytes | None, digests: tuple[bytes, ...], attempts: tuple[Attempt, ...], *, unknown: bool
) -> SourceReport:
    facts = {"url": url}
    if body is None:
        missing = (Finding(FindingKind.PACC_DOCUMENT_MISSING, Source.PACC, facts),) if digests else ()
        return SourceReport(Source.PACC, (), attempts, missing)
    if digests and not any(hmac.compare_digest(each, hashlib.sha256(body).digest()) for each in digests):
        differs = Finding(FindingKind.PACC_DIGEST_DIFFERS, Source.PACC, facts)
        return SourceReport(Source.PACC, (), attempts, (differs,))
    evidence = Evidence.PUBLISHED if digests else Evidence.NO_DIGEST
    lacks = () if digests or unknown else (Finding(FindingKind.PACC_DIGEST_MISSING, Source.PACC, facts),)
    found = candidate_in(body, url, evidence)
    if found is None:
        attempts = (attempts[0], Attempt(Source.PACC, url, Outcome.UNUSABLE, "no servers for mail in it"))
    return SourceReport(Source.PACC, (found,) if found else (), attempts, lacks if found else ())


def digests_in(texts: Iterable[bytes]) -> Iterable[bytes]:
    """The digests that TXT records name; what is no such record is passed over."""
    for text in texts:
        tags = dict(_tags(text.decode("ascii", "replace")))
        if (tags.get("v", "").lower(), tags.get("a", "").lower()) == (_VERSION, _ALGORITHM):
            try:
                yield base64.b64decode(tags.get("d", ""), validate=True)
            except (binascii.Error, ValueError):
                yield b""  # a digest that nothing has


def _tags(text: str) -> Iterable[tuple[str, str]]:
    for part in text.split(";"):
        name, _, value = part.partition("=")
        yield name.strip().lower(), value.strip()


def candidate_in(body: bytes, url: str, evidence: Evidence) -> Candidate | None:
    """What a document proposes; None where it is none, or has no server for mail."""
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        return None
    protocols = _member(parsed, "protocols")
    imap = endpoint(Protocol.IMAP, _member(protocols, "imap").get("host"), 993, Security.TLS)
    smtp = endpoint(Protocol.SMTP, _member(protocols, "smtp").get("host"), 465, Security.TLS)
    if imap is None and smtp is None:
        return None
    provider = _member(_member(parsed, "info"), "provider").get("name")
    return Candidate(
        Source.PACC,
        evidence,
        url,
        distinct(imap),
        distinct(smtp),
        login=LoginName.ADDRESS,  # the draft knows no other user name
        password=_password(_member(parsed, "authentication")),
        provider=redact.words(provider) if isinstance(provider, str) else "",
    )


def _password(authentication: dict[str, object]) -> Password:
    if authentication.get("password") is True:
        return Password.NORMAL
    return Password.OAUTH2 if "oauth-public" in authentication else Password.UNKNOWN


def _member(parsed: object, name: str) -> dict[str, object]:
    value = parsed.get(name) if isinstance(parsed, dict) else None
    return value if isinstance(value, dict) else {}
