"""IMAP replies as codes: response codes first (RFC 5530), then the words, last what the stage makes likely.

A response code that names its cause settles it. A general one (AUTHENTICATIONFAILED, UNAVAILABLE, LIMIT) waits until
the words have been read: Dovecot sends "[UNAVAILABLE] Maximum number of connections ..." and mail.ru asks for an app
password in a plain refusal. ALERT says nothing about the cause. A reply that calls itself temporary never becomes a
lasting cause, whatever its words.
"""

import re
from collections.abc import Mapping
from typing import Literal, NamedTuple

from checks.codes import Code
from checks.protocols.words.replies import (
    LOGIN_TEXTS,
    LONGEST,
    SERVER_TEXTS,
    Rule,
    first_match,
    fold,
    is_lasting,
    rules,
)

ImapStage = Literal["greeting", "login", "select"]

_TEMPORARY_CODES = frozenset(
    {"UNAVAILABLE", "TEMPFAIL", "INUSE", "SERVERBUG", "CORRUPTION", "LIMIT", "OVERQUOTA", "INPROGRESS"}
)

# RFC 5530 section 3, unless another source is named.
_TELLING_CODES: Mapping[str, Code] = {
    "EXPIRED": Code.AUTH_EXPIRED,
    "PRIVACYREQUIRED": Code.AUTH_ENCRYPTION_REQUIRED,
    "CONTACTADMIN": Code.AUTH_ACCOUNT_DISABLED,  # Dovecot: the account's login is disabled
    "AUTHORIZATIONFAILED": Code.AUTH_POLICY,
    "NOPERM": Code.AUTH_POLICY,
    "INUSE": Code.MAILBOX_IN_USE,
    "WEBALERT": Code.AUTH_WEB_LOGIN,  # Gmail
    "REFERRAL": Code.MAILBOX_ELSEWHERE,  # RFC 2221, RFC 2193
    "CLIENTBUG": Code.PROTOCOL_ERROR,
}
# Every code of the registry that is an answer to other commands than ours, or news of a mailbox that is open: a NO with
# one of these is no word about the password. https://www.iana.org/assignments/imap-response-codes
# ALERT and CAPABILITY may stand in any answer and say nothing of its cause.
_FOREIGN = """
ALREADYEXISTS ANNOTATE ANNOTATIONS APPENDUID BADCHARSET BADCOMPARATOR BADEVENT BADURL CLOSED COMPRESSIONACTIVE
COPYUID EXPUNGEISSUED HASCHILDREN HIGHESTMODSEQ MAILBOXID MAXCONVERTMESSAGES MAXCONVERTPARTS MESSAGELIMIT METADATA
MODIFIED NEWNAME NOMODSEQ NOTIFICATIONOVERFLOW NOTSAVED NOUPDATE PARSE PERMANENTFLAGS READ-ONLY READ-WRITE
TOOBIG TOOMANY UIDNEXT UIDNOTSTICKY UIDREQUIRED UIDVALIDITY UNDEFINED-FILTER UNKNOWN-CTE UNSEEN URLMECH USEATTR
"""
_FOREIGN_CODES = frozenset(_FOREIGN.split())
_INBOX_CODES: Mapping[str, Code] = {"NONEXISTENT": Code.MAILBOX_NO_INBOX, "TRYCREATE": Code.MAILBOX_NO_INBOX}
_GENERAL_CODES: Mapping[str, Code] = {
    "AUTHENTICATIONFAILED": Code.AUTH_REJECTED,
    "UNAVAILABLE": Code.AUTH_TEMPORARY,
    "TEMPFAIL": Code.AUTH_TEMPORARY,  # RFC 5259, used by Yahoo for everything
    "SERVERBUG": Code.SERVER_UNAVAILABLE,
    "CORRUPTION": Code.SERVER_UNAVAILABLE,
    "LIMIT": Code.SERVER_THROTTLED,
    "CANNOT": Code.PROTOCOL_ERROR,
    "INPROGRESS": Code.SERVER_UNAVAILABLE,  # RFC 9585: it is still at it
    "OVERQUOTA": Code.SERVER_THROTTLED,  # Gmail: "Account exceeded command or bandwidth limits"
}

# Courier, once the password was right and the server goes to the mailbox: the folder is not there, or not its own.
_BROKEN_TEXTS = rules(
    (
        r"fatal error: .{0,40}(no such file|not a directory|permission denied|mailbox directory)"
        r"|mailbox directory not found|chdir .{0,80}(no such file|permission denied|not a directory)"
        r"|(home|maildir)\b.{0,60}does(n't| not) exist",
        Code.MAILBOX_BROKEN,
    ),
)
_INBOX_TEXTS = _BROKEN_TEXTS + rules(
    # Exchange: the login was right, but its mailbox cannot be reached with it.
    (r"authenticated but not connected", Code.MAILBOX_NOT_CONNECTED),
    (
        r"mailbox (doesn't|does not) exist|no such mailbox|unknown mailbox|nonexistent namespace"
        r"|mailbox isn't selectable",
        Code.MAILBOX_NO_INBOX,
    ),
    (r"moved to another server", Code.MAILBOX_ELSEWHERE),
    (r"mailbox is locked|waiting for lock", Code.MAILBOX_IN_USE),
    (r"permission denied", Code.AUTH_POLICY),
)
_TEXTS: Mapping[ImapStage, tuple[Rule, ...]] = {
    "greeting": SERVER_TEXTS,
    "login": _BROKEN_TEXTS + LOGIN_TEXTS,
    "select": _INBOX_TEXTS + LOGIN_TEXTS,
}

# What is left when nothing is known. Only a plain NO to a login is a refusal: BAD means that the server did not
# understand us, and a wrong "would disconnect" is the worst mistake this service can make.
_DEFAULTS: Mapping[tuple[ImapStage, str], Code] = {
    ("login", "NO"): Code.AUTH_REJECTED,
    ("login", "BYE"): Code.SERVER_UNAVAILABLE,
    ("greeting", "BYE"): Code.SERVER_UNAVAILABLE,
    ("select", "NO"): Code.SERVER_UNAVAILABLE,
    ("select", "BYE"): Code.SERVER_UNAVAILABLE,
}

_LINE = re.compile(r"(?P<tag>[^\s\[]{1,64} )?(?P<condition>OK|NO|BAD|BYE|PREAUTH)\b ?(?P<text>.*)")
_CODE = re.compile(r"\s*\[([A-Za-z][A-Za-z0-9-]*)")


class _Reply(NamedTuple):
    condition: str
    codes: tuple[str, ...]
    folded: str


def translate_imap(reply: str, stage: ImapStage) -> Code:
    """The cause in a refusal: `reply` is one line or several joined by newlines, with or without tag and condition.

    A reply without a condition counts as NO. Never raises.
    """
    parsed = _parse(reply[:LONGEST])
    code = _by_telling_code(parsed, stage) or _by_text(parsed, stage) or _by_general_code(parsed)
    code = code or _DEFAULTS.get((stage, parsed.condition), Code.PROTOCOL_ERROR)
    if code is Code.AUTH_TEMPORARY and (stage != "login" or parsed.condition == "BAD"):
        return Code.SERVER_UNAVAILABLE  # it has not come to the password
    return code


def _parse(reply: str) -> _Reply:
    condition, codes = "", []
    for line in reply.splitlines():
        match = _LINE.match(line)
        text = match["text"] if match else line
        if match and (match["tag"] != "* " or not condition):  # the tagged line is the answer, "*" lines surround it
            condition = match["condition"]
        if code := _CODE.match(text):
            codes.append(code[1].upper())
    return _Reply(condition or "NO", tuple(codes), fold(reply))


def _by_telling_code(reply: _Reply, stage: ImapStage) -> Code | None:
    table = {**_TELLING_CODES, **_INBOX_CODES} if stage == "select" else _TELLING_CODES
    return next((table[code] for code in reply.codes if code in table), None)


def _by_text(reply: _Reply, stage: ImapStage) -> Code | None:
    code = first_match(_TEXTS[stage], reply.folded)
    if code and is_lasting(code) and not _TEMPORARY_CODES.isdisjoint(reply.codes):
        return None
    return code


def _by_general_code(reply: _Reply) -> Code | None:
    found = next((_GENERAL_CODES[code] for code in reply.codes if code in _GENERAL_CODES), None)
    return found or (Code.PROTOCOL_ERROR if not _FOREIGN_CODES.isdisjoint(reply.codes) else None)
