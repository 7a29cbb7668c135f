"""Codes put into words, in one place: a sentence with fact, host and date, what to do, the form field to look at.

A new code needs one entry in `causes.py` of each language and, if a form field is to blame, one in `FIELDS`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from checks.codes import Blame, Code
from checks.language import Language, in_every_language
from checks.model import Facts, Fix

__all__ = ["FIELDS", "Wording", "blame_word", "fix_detail", "wording"]


@dataclass(frozen=True, slots=True)
class Wording:
    """`field` is the form field to look at (`imap.port`, `mailbox.password`), or None."""

    sentence: str
    advice: str
    field: str | None


_WORDS: Mapping[Language, Mapping[Code, tuple[str, str]]] = in_every_language(__name__, "WORDS", "causes")
_NEUTRAL: Mapping[Language, Mapping[str, str]] = in_every_language(__name__, "NEUTRAL", "causes")
_FIXES: Mapping[Language, Mapping[str, str]] = in_every_language(__name__, "FIXES", "certificates")
_CLIENTS: Mapping[Language, Mapping[Code, tuple[str, str]]] = in_every_language(__name__, "CLIENTS", "causes")
_EVIDENCE: Mapping[Language, Mapping[str, str]] = in_every_language(__name__, "EVIDENCE", "causes")
_BECAUSE: Mapping[Language, Mapping[str, str]] = in_every_language(__name__, "BECAUSE", "causes")
_BLAME: Mapping[Language, Mapping[Blame, str]] = in_every_language(__name__, "BLAME", "causes")

_WORKED: Mapping[str, Mapping[Language, str]] = {
    "yes": in_every_language(__name__, "IN_FORCE", "causes"),
    "just now": in_every_language(__name__, "ANSWERED", "causes"),
}
_OF_THE_SERVER = frozenset(
    (Code.CONNECT_SOME_ADDRESSES, Code.TLS_EXPIRED, Code.TLS_NOT_YET_VALID, Code.TLS_INTERMEDIATE_EXPIRED)
)

FIELDS: Mapping[Code, str] = {
    Code.CONNECT_NOT_ADMITTED: "static_addresses",
    **dict.fromkeys(
        (
            Code.DNS_NOT_FOUND,
            Code.DNS_NO_ADDRESS,
            Code.ADDRESS_NOT_ALLOWED,
            Code.CONNECT_SOME_ADDRESSES,
            Code.TLS_NAME_MISMATCH,
            Code.TLS_UNKNOWN_SNI,
            # Is it the right server? If so, it needs another certificate: no option makes one valid again.
            Code.TLS_EXPIRED,
            Code.TLS_NOT_YET_VALID,
            Code.TLS_INTERMEDIATE_EXPIRED,
            Code.PROTOCOL_OVERSIZE,
            Code.MAILBOX_ELSEWHERE,
            Code.EXCHANGE_URL_CHANGED,
            Code.EXCHANGE_AUTODISCOVER_DIFFERS,
            Code.EXCHANGE_PLAIN_HTTP,
            Code.EXCHANGE_REDIRECTED,
            Code.EXCHANGE_REDIRECTED_ELSEWHERE,
            Code.EXCHANGE_NOT_FOUND,
            Code.EXCHANGE_NOT_ALLOWED,
            Code.EXCHANGE_NOT_EWS,
            Code.EXCHANGE_OTHER_SERVICE,
            Code.EXCHANGE_ONLINE,
            Code.EXCHANGE_ONLINE_RETIRED,
            Code.EXCHANGE_ONLINE_PASSWORD,
            Code.EXCHANGE_ONLINE_SMTP,
            Code.EXCHANGE_LEGACY_ENDPOINT,
            Code.EXCHANGE_CONSUMER,
        ),
        "host",
    ),
    **dict.fromkeys(
        (
            Code.ADDRESS_PORT,
            Code.CONNECT_REFUSED,
            Code.CONNECT_TIMEOUT,
            Code.PROTOCOL_MISMATCH,
            Code.TLS_STARTTLS_NOT_OFFERED,
            Code.AUTH_NOT_OFFERED,
        ),
        "port",
    ),
    **dict.fromkeys(
        (
            Code.TLS_PLAINTEXT_PORT,
            Code.TLS_IMPLICIT_PORT,
            Code.TLS_STARTTLS_REFUSED,
            Code.TLS_STARTTLS_INJECTION,
            Code.TLS_PREAUTH,
            Code.TLS_HANDSHAKE,
            Code.GREETING_TIMEOUT,
            Code.AUTH_ENCRYPTION_REQUIRED,
        ),
        "security",
    ),
    **dict.fromkeys(
        (
            Code.TLS_SELF_SIGNED,
            Code.TLS_UNTRUSTED_ROOT,
            Code.TLS_INCOMPLETE_CHAIN,
            Code.TLS_CHAIN_UNCLEAR,
            Code.TLS_WRONG_INTERMEDIATE,
            Code.TLS_WEAK_KEY,
            Code.TLS_WEAK_SIGNATURE,
            Code.TLS_WRONG_PURPOSE,
            Code.TLS_NOT_A_CA,
            Code.TLS_PATH_LENGTH,
            Code.TLS_NAME_CONSTRAINTS,
            Code.TLS_CRITICAL_EXTENSION,
            Code.TLS_BAD_SIGNATURE,
            Code.TLS_BAD_CERTIFICATE,
            Code.TLS_PIN_CHANGED,
            Code.TLS_OPTION_NOT_NEEDED,
        ),
        "allow_insecure_certificate",
    ),
    **dict.fromkeys(
        (
            Code.AUTH_REJECTED,
            Code.AUTH_APP_PASSWORD,
            Code.AUTH_TOKEN_REJECTED,
            Code.AUTH_CLIENT_REJECTED,
            Code.AUTH_EXPIRED,
            Code.AUTH_UNSENDABLE,
            Code.CREDENTIAL_MISSING,
            Code.CREDENTIAL_UNREADABLE,
        ),
        "password",
    ),
    Code.SMTP_LOGIN_REQUIRED: "authentication",
    Code.SMTP_SENDER_REFUSED: "username",
    Code.MAILBOX_NOT_CONNECTED: "username",
    Code.MAILBOX_NO_INBOX: "username",
    **dict.fromkeys(
        (
            Code.EXCHANGE_MAILBOX_NOT_FOUND,
            Code.EXCHANGE_PRIMARY_ADDRESS,
            Code.EXCHANGE_ACCESS_DENIED,
            Code.EXCHANGE_MAIL_DENIED,
            Code.EXCHANGE_CALENDAR_DENIED,
            Code.EXCHANGE_CALENDAR_MISSING,
        ),
        "username",
    ),
}
"""The form field to look at, without its prefix. A code that is not here has none."""

_AS_TYPED = frozenset(
    code for code, name in FIELDS.items() if name in ("host", "port", "security") and code not in _OF_THE_SERVER
)
"""Whose advice is to look at what was typed."""


def wording(code: Code, facts: Facts, language: Language = Language.EN) -> Wording:
    """The words for a code. `facts` are values by name; one that is missing becomes a neutral word.

    Dates come as ISO 8601 and are written out. Facts are put in as they are: the caller redacts and escapes. Where the
    fact `worked` says that the settings did before (`yes`) or a moment ago (`just now`) and are the same, nobody is
    told to look at what was typed.
    """
    sentence, advice = _WORDS[language][code]
    worked = facts.get("worked", "") if code in _AS_TYPED else ""
    advice = _WORKED[worked][language] if worked else advice
    values = _Values(facts, language)
    if code in _CLIENTS[language] and facts.get("library"):
        gap = "" if language is Language.JA else " "
        sentence += gap + _CLIENTS[language][code][bool(facts.get("others"))]
    filled = _smoothed(sentence.format_map(values), language), _smoothed(advice.format_map(values), language)
    return Wording(*filled, field=None if worked else _field(code, facts))


def fix_detail(fix: Fix, language: Language = Language.EN) -> str:
    """The words for a repair; its own detail where its kind has none in the tables."""
    kind = "use_host.elsewhere" if fix.kind == "use_host" and fix.facts.get("resolves") == "no" else fix.kind
    template = _FIXES[language].get(kind)
    if template is None or (not fix.facts and "{" in template):
        return fix.detail
    return template.format_map(_Values(fix.facts, language))


def blame_word(blame: Blame, language: Language = Language.EN) -> str:
    """Who must act, as a noun phrase."""
    return _BLAME[language][blame]


class _Values(dict[str, str]):
    def __init__(self, facts: Facts, language: Language) -> None:
        super().__init__({**_NEUTRAL[language], **{name: value for name, value in facts.items() if value}})
        self["evidence"] = _EVIDENCE[language].get(self["evidence"], self["evidence"])
        self["because"] = _BECAUSE[language].get(self["because"], "")
        self["date"] = _written_out(self["date"], language)

    def __missing__(self, name: str) -> str:
        return ""


def _written_out(text: str, language: Language) -> str:
    """`2026-03-03` or a time on that day as a date for people; anything else as it is."""
    try:
        day = date.fromisoformat(text[:10])
    except ValueError:
        return text
    if language is Language.JA:
        return f"{day.year}年{day.month}月{day.day}日"
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


_BETWEEN_JAPANESE = re.compile(r"(?<=[\u3000-\u9fff\uff00-\uffef]) (?=[\u3000-\u9fff\uff00-\uffef])")


def _smoothed(text: str, language: Language) -> str:
    """Neutral words set in like any other: a capital at the beginning (host names keep theirs), no gap in Japanese."""
    if language is Language.JA:
        return _BETWEEN_JAPANESE.sub("", text)
    starts_neutral = text.startswith((_NEUTRAL[Language.EN]["host"], _NEUTRAL[Language.EN]["protocol"] + " "))
    return text[0].upper() + text[1:] if starts_neutral else text


def _field(code: Code, facts: Facts) -> str | None:
    name = FIELDS.get(code)
    if name is None or name in ("allow_insecure_certificate", "static_addresses"):
        return name
    if name in ("password", "username"):
        return f"mailbox.{name}"
    protocol = facts.get("protocol", "").lower()
    if protocol == "exchange":
        return "exchange.url"  # Exchange has one field for host, port and security
    return f"{protocol}.{name}" if protocol else name
