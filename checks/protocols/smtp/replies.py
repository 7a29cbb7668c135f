"""SMTP replies as codes: enhanced status codes (RFC 3463, RFC 5248) and reply codes, then the words, last the stage.

A reply of class 4 is temporary by definition (RFC 5321 section 4.2.1) and never becomes a lasting cause. In class 5 the
codes that name their cause settle it; the general ones (535, 5.7.8, 5.7.139) wait until the words have been read,
because Exchange Online, Yahoo and QQ put every cause behind them.
"""

import re
from collections.abc import Mapping
from typing import Literal

from checks.codes import Code
from checks.protocols.words.replies import LOGIN_TEXTS, LONGEST, NAME_TEXTS, SERVER_TEXTS, first_match, fold, rules

SmtpStage = Literal["greeting", "ehlo", "auth", "mail"]

_ENHANCED = re.compile(r"^[ -]{0,4}([245]\.\d{1,3}\.\d{1,3})\b", re.MULTILINE)

# (reply code or None for any, enhanced status code or None for any) -> cause; asked before the words
_TELLING: Mapping[tuple[int | None, str | None], Code] = {
    (None, "5.7.11"): Code.AUTH_ENCRYPTION_REQUIRED,  # RFC 4954 section 6
    (538, None): Code.AUTH_ENCRYPTION_REQUIRED,
    (None, "5.7.13"): Code.AUTH_ACCOUNT_DISABLED,  # RFC 5248 section 3.1
    (None, "5.7.10"): Code.AUTH_ENCRYPTION_REQUIRED,  # RFC 5248
    (None, "5.2.1"): Code.AUTH_ACCOUNT_DISABLED,  # RFC 3463, 3.3: mailbox disabled
    (None, "5.2.2"): Code.MAILBOX_FULL,
    (None, "5.7.25"): Code.SERVER_REVERSE_DNS,  # RFC 7372
    (None, "5.7.28"): Code.SERVER_THROTTLED,  # RFC 3463 registry: mail flood detected
    (None, "5.7.30"): Code.AUTH_BASIC_DISABLED,  # Exchange Online, client submission retired
    (None, "5.7.57"): Code.AUTH_PROTOCOL_DISABLED,  # Exchange: authenticated SMTP is off for the mailbox
    (534, "5.7.14"): Code.AUTH_WEB_LOGIN,  # Gmail; elsewhere 5.7.14 means a missing trust relationship
}

# Asked after the words, most specific first.
_GENERAL: Mapping[tuple[int | None, str | None], Code] = {
    (None, "5.7.139"): Code.AUTH_POLICY,  # Exchange Online with a sub-reason that we do not know yet
    (535, None): Code.AUTH_REJECTED,
    (534, None): Code.AUTH_NO_MECHANISM,  # RFC 4954: the mechanism is too weak
    (530, None): Code.AUTH_ENCRYPTION_REQUIRED,  # RFC 3207 section 4; "authentication required" is caught by its words
    (504, None): Code.AUTH_NO_MECHANISM,
    (502, None): Code.AUTH_NOT_OFFERED,
    # What the server says of itself (RFC 3463, 3.4 and 3.5), whatever status stands before it.
    **dict.fromkeys(
        (
            (None, f"5.{detail}")
            for detail in ("3.0", "3.1", "3.2", "3.5", "4.0", "4.1", "4.2", "4.3", "4.4", "4.5", "4.6")
        ),
        Code.AUTH_TEMPORARY,
    ),
    (None, "5.5.6"): Code.PROTOCOL_ERROR,  # RFC 4954: the exchange line is too long
    (None, "5.7.5"): Code.PROTOCOL_ERROR,  # RFC 3463: cryptographic failure
    **dict.fromkeys(((None, "5.7.4"), (None, "5.7.6"), (None, "5.7.9"), (None, "5.7.12")), Code.AUTH_NO_MECHANISM),
    (None, "5.7.14"): Code.AUTH_POLICY,  # RFC 5248: a trust relationship is required
    (None, "5.7.8"): Code.AUTH_REJECTED,
    (550, "5.7.1"): Code.AUTH_POLICY,
    (554, "5.7.1"): Code.AUTH_POLICY,
}

_AUTH_TEXTS = (
    # The server did not take our AUTH as an attempt to log in. It says nothing of the password. Cyrus SASL puts its
    # words for a mechanism that it lacks behind Postfix's "authentication failed".
    rules(
        (r"authentication (is )?required", Code.PROTOCOL_ERROR),
        (
            r"no mechanism available|invalid (authentication|auth|sasl) mechanism"
            r"|mechanism( \S+){0,2} (is )?(disabled|unavailable|unknown|unsupported|invalid|not \w+)",
            Code.AUTH_NO_MECHANISM,
        ),
    )
    + LOGIN_TEXTS
    # for a 501 of GroupWise and for 5.7.139; behind a plain 535 it is the default anyway
    + rules((r"authentication failed|credentials were incorrect|invalid (login|user|password)", Code.AUTH_REJECTED))
)


def translate_smtp(status: int, text: str, stage: SmtpStage) -> Code:
    """The cause in a refusal. `text` has no reply code, its lines are joined by newlines, the enhanced code is in it.

    A status that is no refusal (2xx, 3xx) gives `protocol.error`. Never raises.
    """
    text = text[:LONGEST]
    enhanced = _ENHANCED.search(text)
    found = enhanced[1] if enhanced else None
    if 400 <= status < 500 or (found or "").startswith("4."):
        return _TEMPORARY.get(found or "") or _temporary(status, fold(text), stage)
    if 500 <= status < 600:
        return _lasting(status, found, fold(text), stage)
    return Code.PROTOCOL_ERROR


def refuses_mechanism(status: int, text: str, code: Code) -> bool:
    """Whether a refusal of AUTH, read as `code`, is about the mechanism alone and no word about the credential.

    500 to 504 say so (RFC 5321, 4.2.2; RFC 4954, 4), unless their words name another cause.
    """
    if code in (Code.AUTH_NO_MECHANISM, Code.AUTH_NOT_OFFERED) or status == 538:
        return True
    return 500 <= status <= 504 and status != 503 and code is Code.PROTOCOL_ERROR and not _LOCAL.search(text[:LONGEST])


def says_logged_in(text: str) -> bool:
    """Whether a 503 says that the connection has a login already (Postfix, Exim), and not that AUTH is out of place."""
    return bool(_ALREADY.search(text[:LONGEST]))


_ALREADY = re.compile(r"already (been )?(authenticated|logged[ -]?in)", re.IGNORECASE)
_LOCAL = re.compile(r"already authenticated|nested auth", re.IGNORECASE)
_LOGIN_WANTED = re.compile(
    r"auth\w* (is )?(required|first)|not logged in|must (first )?(log ?in|auth)|turn on smtp auth|smtp auth required"
    r"|relay|client host|access denied|not (allowed|permitted|authori[sz]ed) to connect",
    re.IGNORECASE,
)
# To the sender in particular; other refusals of MAIL (500, 502, 503, 555) are about the command.
_OF_SENDER = frozenset({501, 550, 551, 552, 553, 554})
# AuthSMTP says it with 500, others with 530: then the words decide.
_SENDER_TEXTS = re.compile(
    r"\b(sender|from)\b.{0,80}\b(not|rejected|refused|must|denied|unauthori[sz]ed)\b"
    r"|not (owned|allowed|permitted|authori[sz]ed|have permissions?)\b.{0,60}\b(user|send|sender|from)\b",
    re.IGNORECASE,
)


def translate_mail(status: int, text: str, *, logged_in: bool) -> Code:
    """The cause in a refusal of MAIL; `text` as for `translate_smtp`. What may be gone in a minute stays temporary.

    Postfix and Yandex refuse a sender with 553, QQ with 501, Exchange with 550 5.7.60, AuthSMTP with 500. Never raises.
    """
    text = text[:LONGEST]
    folded = fold(text)
    enhanced = _ENHANCED.search(text)
    if not 500 <= status < 600 or (enhanced and enhanced[1].startswith("4.")):
        return _temporary(status, folded, "mail") if 400 <= status < 600 else Code.PROTOCOL_ERROR
    if logged_in and _SENDER_TEXTS.search(folded):
        return Code.SMTP_SENDER_REFUSED
    if not logged_in and (status == 530 or _LOGIN_WANTED.search(folded)):
        return Code.SMTP_LOGIN_REQUIRED
    if code := first_match(SERVER_TEXTS, folded):
        return Code.SERVER_UNAVAILABLE if code is Code.AUTH_TEMPORARY else code
    return Code.SMTP_SENDER_REFUSED if status in _OF_SENDER else Code.PROTOCOL_ERROR


_TEMPORARY = {
    "4.7.25": Code.SERVER_REVERSE_DNS,  # RFC 7372
    "4.7.28": Code.SERVER_THROTTLED,
    "4.2.2": Code.MAILBOX_FULL,
}


def _temporary(status: int, folded: str, stage: SmtpStage) -> Code:
    code = first_match(SERVER_TEXTS, folded)
    if code is Code.SERVER_BLOCKS_ADDRESS:
        return Code.SERVER_THROTTLED
    if code in _SAID_FOR_NOW:
        return code
    if stage != "auth" and (named := first_match(NAME_TEXTS, folded)):
        return named
    return Code.AUTH_TEMPORARY if stage == "auth" and status != 421 else Code.SERVER_UNAVAILABLE


_SAID_FOR_NOW = frozenset(
    {
        Code.SERVER_TOO_MANY_CONNECTIONS,
        Code.SERVER_THROTTLED,
        Code.SERVER_REVERSE_DNS,
        # Postfix says 421 to every client without one, before its greeting: it is how the server is set up.
        Code.TLS_CLIENT_CERTIFICATE,
    }
)
"""What a reply of class 4 may say of its cause."""


def _lasting(status: int, enhanced: str | None, folded: str, stage: SmtpStage) -> Code:
    if stage != "auth":
        return _refused(status, enhanced, folded, stage)
    code = _lookup(_TELLING, status, enhanced) or first_match(_AUTH_TEXTS, folded)
    return code or _lookup(_GENERAL, status, enhanced) or Code.PROTOCOL_ERROR


# Before a login nobody is named: what is refused is our address.
_ADDRESS_TEXTS = rules(
    # "IP=192.0.2.1 - ...": T-Online.
    (
        r"\baccess (is )?denied\b|\b(block|bann)ed\b|\blisted (at|by|in|on)\b"
        r"|\bip=\S{1,50} - |(dialup|transient|dynamic) ip\b",
        Code.SERVER_BLOCKS_ADDRESS,
    ),
)
_BEFORE_LOGIN = {"5.7.25": Code.SERVER_REVERSE_DNS, "5.7.28": Code.SERVER_THROTTLED}


def _refused(status: int, enhanced: str | None, folded: str, stage: SmtpStage) -> Code:
    code = _BEFORE_LOGIN.get(enhanced or "") or first_match(SERVER_TEXTS + NAME_TEXTS + _ADDRESS_TEXTS, folded)
    if code:
        return Code.SERVER_UNAVAILABLE if code is Code.AUTH_TEMPORARY else code
    if stage == "ehlo" and status in (500, 502):
        return (
            Code.AUTH_NOT_OFFERED
        )  # RFC 5321, 4.1.4: a server that knows HELO only has no extension, AUTH and STARTTLS too
    # RFC 5321 section 3.1: 554 instead of a greeting is "no SMTP service here". A refused EHLO may be about our name.
    return Code.GREETING_REFUSED if stage == "greeting" or status == 554 else Code.PROTOCOL_ERROR


def _lookup(table: Mapping[tuple[int | None, str | None], Code], status: int, enhanced: str | None) -> Code | None:
    keys = ((status, enhanced), (None, enhanced), (status, None))
    return next((table[key] for key in keys if key in table), None)
