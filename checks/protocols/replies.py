"""Server replies as codes. What a reply means is decided here and nowhere else; it is put into words elsewhere.

The rule above all rules: a reply that might be temporary, or that nobody can read, becomes an inconclusive code. The
corpora in the tests hold real replies of real servers, each with its source; a new reply is one line there first.
"""

import json

from checks.model import Code
from checks.protocols.replies_imap import ImapStage, translate_imap
from checks.protocols.replies_smtp import SmtpStage, translate_smtp

__all__ = ["ImapStage", "SmtpStage", "translate_imap", "translate_oauth", "translate_smtp"]

_TOKEN_REFUSED = frozenset({"invalid_token", "insufficient_scope", "400", "401", "403"})


def translate_oauth(payload: bytes) -> Code:
    """The cause in a refused XOAUTH2 or OAUTHBEARER login. `payload` is the server's JSON, base64 already decoded.

    `status` is an HTTP status at Google and Microsoft and an OAuth error code in RFC 7628 section 3.2.2. What cannot be
    read is `protocol.error`. Never raises.
    """
    status = _status(payload)
    if status in _TOKEN_REFUSED:
        return Code.AUTH_TOKEN_REJECTED
    if status == "429":
        return Code.SERVER_THROTTLED
    if status == "temporarily_unavailable" or (status.startswith("5") and len(status) == 3):
        return Code.AUTH_TEMPORARY
    return Code.PROTOCOL_ERROR


def _status(payload: bytes) -> str:
    try:
        document = json.loads(payload)
    except (ValueError, RecursionError):  # UnicodeDecodeError is a ValueError
        return ""
    return str(document.get("status", "")) if isinstance(document, dict) else ""
