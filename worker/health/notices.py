"""What is to be said of an endpoint ahead of time, while it works. Pure: what checks found in, notices out.

Retirement dates have their sources beside them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from cryptography import x509
from cryptography.x509.oid import NameOID

from checks.codes import Code, Verdict
from checks.messages.endpoints import endpoint_facts, warning_facts
from checks.model import Certificate, EndpointResult, Facts, Option, Protocol
from checks.protocols.exchange_online import is_online
from checks.settings import Settings
from checks.tls.accepted_chain import EXPIRES_SOON

SMTP_PASSWORDS_END = date(2026, 12, 31)
"""When Exchange Online switches passwords off for SMTP by default; the day on which nobody can switch them on again
is to be announced in the second half of 2027: Microsoft 365 Message Center MC786329, update of 27 January 2026."""
_SMTP_ONLINE = ("smtp.office365.com", "smtp.office365.us", "smtp.partner.outlook.cn")

_AS_WARNED = (Code.TLS_EXPIRES_SOON, Code.TLS_REVOKED, Code.EXCHANGE_ONLINE, Code.EXCHANGE_LEGACY_ENDPOINT)
_MOVING_FACTS = frozenset({"days"})  # another every day: a notice says the date


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that does not fail yet. `facts` are for the wording, and the same from check to check."""

    code: Code
    facts: Facts = field(default_factory=dict)


def notices_of(
    result: EndpointResult, before: EndpointResult | None, settings: Settings, password_mailboxes: int, now: float
) -> list[Notice]:
    """The notices that hold as of a check; those that held `before` (the last conclusive one) where this one failed.

    `password_mailboxes` is how many mailboxes of the domain log in with a password; `now` is in UTC seconds since 1970.
    """
    if result.verdict is not Verdict.OK:
        return [] if before is None else notices_of(before, None, settings, password_mailboxes, now)
    return [
        *_as_warned(result),
        *_pin(result, now),
        *_option(result, settings),
        *_smtp_password(result, password_mailboxes),
    ]


def key_change(before: EndpointResult | None, result: EndpointResult, now: float) -> dict[str, str] | None:
    """What a working server's certificate was and is, where that is a change to ask about. None where it is not.

    A name whose addresses send different certificates is left out: there it is another one at every check. So is a
    renewal that was due: lifetimes shrink (CA/Browser Forum ballot SC-081v3: 200, 100, 47 days), and nobody can act
    on what happens every week.
    """
    old, new = _leaf(before), _leaf(result)
    scattered = any(warn.code is Code.TLS_ADDRESSES_DIFFER for warn in result.warnings)
    if old is None or new is None or old.sha256 == new.sha256 or scattered or _renewed(old, new, now):
        return None
    was = {"issuer_before": old.issuer, "sha256_before": old.sha256}
    return {**was, "issuer": new.issuer, "sha256": new.sha256, "host": result.endpoint.host}


def _renewed(old: Certificate, new: Certificate, now: float) -> bool:
    """Whether the same authority replaced a certificate in the second half of its life.

    Clients of ACME renew with a third of it left, of lifetimes of six days with a half (RFC 9773, ARI, may say when).
    """
    begin, end = _seconds(old.not_before), _seconds(old.not_after)
    return _authority(old.issuer) == _authority(new.issuer) and now >= (begin + end) / 2


def _authority(issuer: str) -> str:
    """Whose certificate it is: one authority signs with several intermediates in turn."""
    try:
        names = x509.Name.from_rfc4514_string(issuer).get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    except ValueError:
        names = []
    return str(names[0].value) if names else issuer


def change_notice(change: Mapping[str, str]) -> Notice:
    """The notice of what `key_change` found."""
    return Notice(Code.TLS_CERTIFICATE_CHANGED, change)


def _as_warned(result: EndpointResult) -> Iterator[Notice]:
    """What the check itself warns of. Where the option let a certificate in, its end is the end of the pin."""
    for warn in result.warnings:
        if warn.code in _AS_WARNED and not (warn.code is Code.TLS_EXPIRES_SOON and result.insecure):
            facts = warning_facts(result, warn)
            yield Notice(warn.code, {name: value for name, value in facts.items() if name not in _MOVING_FACTS})


def _pin(result: EndpointResult, now: float) -> Iterator[Notice]:
    """A key that was let in will be replaced with its certificate; nobody can tell when, where that has ended."""
    leaf = _leaf(result) if result.insecure and result.pin else None
    if leaf is None:
        return
    begin, end = _seconds(leaf.not_before), _seconds(leaf.not_after)
    if 0 < end - now <= (end - begin) * EXPIRES_SOON:
        day = datetime.fromtimestamp(end, UTC).date().isoformat()
        yield Notice(Code.TLS_PIN_EXPIRES, {**endpoint_facts(result), "date": day})


def _option(result: EndpointResult, settings: Settings) -> Iterator[Notice]:
    if settings.allow_insecure_certificate and result.option is Option.NOT_NEEDED:
        yield Notice(Code.TLS_OPTION_NOT_NEEDED, endpoint_facts(result))


def _smtp_password(result: EndpointResult, mailboxes: int) -> Iterator[Notice]:
    host = result.endpoint.host
    if result.endpoint.protocol is Protocol.SMTP and mailboxes and (host in _SMTP_ONLINE or is_online(host)):
        facts = {"date": SMTP_PASSWORDS_END.isoformat(), "concerned": str(mailboxes)}
        yield Notice(Code.EXCHANGE_ONLINE_SMTP, {**endpoint_facts(result), **facts})


def _leaf(result: EndpointResult | None) -> Certificate | None:
    """The certificate of a server that works; another one met on the way to it is no news."""
    if result is None or result.verdict is not Verdict.OK or result.tls is None or not result.tls.chain:
        return None
    return result.tls.chain[0]


def _seconds(text: str) -> float:
    """A time of a certificate, which is in UTC even where it does not say so."""
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
