"""What a server says in clear text to a TLS handshake: a refusal of its own, or another service."""

import re

from checks.model import Fault, Protocol
from checks.protocols.imap.replies import translate_imap
from checks.protocols.smtp.replies import translate_smtp
from checks.protocols.words.replies import mismatch, named
from checks.tls.handshake import InClear

_SMTP_REFUSAL = re.compile(r"([45]\d\d)[ -](.*)", re.DOTALL)


def judged(fault: Fault, protocol: Protocol) -> Fault:
    """The same fault, unless it is a handshake that was answered in clear text with words that say more.

    Exim, Sendmail and others refuse a connection to their TLS port like this, before any TLS.
    """
    if not isinstance(fault, InClear):
        return fault
    words = fault.seen
    if protocol is Protocol.SMTP and (refusal := _SMTP_REFUSAL.match(words)):
        return Fault(translate_smtp(int(refusal[1]), refusal[2], "greeting"), words)
    if protocol is Protocol.IMAP and words.upper().startswith("* BYE"):
        return Fault(translate_imap(words, "greeting"), words)
    return fault if named(words) in ("", protocol.label) else mismatch(words)
