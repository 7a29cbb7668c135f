"""The server's own words, made fit to be kept and shown."""

import base64
import re

LIMIT = 300
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200b-\u200f\u202a-\u202e\u2066-\u2069]+")
_MARK = "[redacted]"


def words(raw: bytes | str, *secrets: str) -> str:
    """One line of at most `LIMIT` characters, without control characters and without any of the secrets.

    A secret is found as it is and in base64, as SASL sends it.
    """
    text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw
    for secret in secrets:
        for form in _forms(secret):
            text = text.replace(form, _MARK)
    text = _CONTROL.sub(" ", text).strip()
    return text if len(text) <= LIMIT else text[: LIMIT - 1] + "…"


def _forms(secret: str) -> list[str]:
    if not secret:
        return []
    encoded = base64.b64encode(secret.encode("utf-8", "surrogatepass")).decode("ascii")
    return [secret, encoded, encoded.rstrip("=")]
