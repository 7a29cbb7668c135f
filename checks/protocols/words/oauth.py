"""Refused OAuth logins as codes (RFC 7628, 3.2.2; Google's and Microsoft's XOAUTH2)."""

import json

from checks.codes import Code

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
