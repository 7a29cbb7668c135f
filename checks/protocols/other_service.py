"""Another service than the one that was asked for, told by how it begins to speak."""

import re

from checks.codes import Code
from checks.model import Fault

# By how each begins to speak. LMTP greets like SMTP, but nobody logs in there (RFC 2033).
_SERVICES = (
    ("HTTP", re.compile(r"HTTP/\d|<(!doctype )?html\b", re.IGNORECASE)),
    ("POP3", re.compile(r"\+OK\b|-ERR\b")),
    ("SSH", re.compile(r"SSH-\d")),
    ("IMAP", re.compile(r"\* (OK|PREAUTH|BYE)\b", re.IGNORECASE)),
    ("ManageSieve", re.compile(r'"IMPLEMENTATION"')),
    ("LMTP", re.compile(r"220[ -](?!.*\bE?SMTP\b).*\bLMTP\b", re.IGNORECASE)),
    ("FTP", re.compile(r"220[ -](?!.*\bE?SMTP\b).*\bftp", re.IGNORECASE)),
    ("NNTP", re.compile(r"20[01][ -]")),
    ("SMTP", re.compile(r"(220|421|554)[ -]")),
)


def named(words: str) -> str:
    """The service that speaks like this, '' where it cannot be told."""
    return next((name for name, begins in _SERVICES if begins.match(words)), "")


def mismatch(words: str) -> Fault:
    """`protocol.mismatch`, with the name of the service where it has one."""
    name = named(words)
    return Fault(Code.PROTOCOL_MISMATCH, words, **({"other": name} if name else {}))
