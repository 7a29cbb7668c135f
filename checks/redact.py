"""The server's own words, made fit to be kept and shown.

Words stay as they came until they leave the check; then `words` cleans them, once. Cutting or cleaning them earlier
would change an echoed secret so that it is not found any more.
"""

import re

from checks import secret_echoes

LIMIT = 300
_READ = 8_192  # so much is looked at: far more than `LIMIT`, because hiding a secret makes a text shorter
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200b-\u200f\u202a-\u202e\u2066-\u2069]+")
_MARK = "[redacted]"


def decoded(raw: bytes) -> str:
    """Bytes of a server as text, without white space around it. Not yet redacted."""
    return raw.decode("utf-8", "replace").strip()


def words(raw: bytes | str, *secrets: str) -> str:
    """One line of at most `LIMIT` characters, without control characters and without any of the secrets.

    A secret is found in whatever form a server may echo it, whole or cut: see `checks.secret_echoes`.
    """
    text = (raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw)[:_READ]
    for secret in secrets:
        if secret:
            text = _without(text, secret)
    text = (text if text.isascii() and text.isprintable() else _CONTROL.sub(" ", text)).strip()
    return text if len(text) <= LIMIT else text[: LIMIT - 1] + "…"


def _without(text: str, secret: str) -> str:
    pieces: list[str] = []
    last = 0
    for begin, end in secret_echoes.find(text, secret):
        pieces += (text[last:begin], _MARK)
        last = end
    return "".join((*pieces, text[last:]))
