"""The server's own words, made fit to be kept and shown.

Words stay as they came until they leave the check; then `words` cleans them, once. Cutting or cleaning them earlier
would change an echoed secret so that it is not found any more.
"""

import base64
import re

LIMIT = 300
_READ = 8_192  # so much is looked at: far more than `LIMIT`, because hiding a secret makes a text shorter
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200b-\u200f\u202a-\u202e\u2066-\u2069]+")
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_MARK = "[redacted]"
_TELLING = 4  # characters: a shorter piece of a secret, or of its base64, is found in any text by chance


def decoded(raw: bytes) -> str:
    """Bytes of a server as text, without white space around it. Not yet redacted."""
    return raw.decode("utf-8", "replace").strip()


def words(raw: bytes | str, *secrets: str) -> str:
    """One line of at most `LIMIT` characters, without control characters and without any of the secrets.

    A secret is found as it is, as IMAP quotes it, and in base64, alone or inside a longer message as SASL sends it; at
    the end of the text also its beginning, because the text may have been cut there.
    """
    text = (raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw)[:_READ]
    for secret in secrets:
        if secret:
            text = _without(text, secret)
    text = (text if text.isascii() and text.isprintable() else _CONTROL.sub(" ", text)).strip()
    return text if len(text) <= LIMIT else text[: LIMIT - 1] + "…"


def _without(text: str, secret: str) -> str:
    text = _BASE64.sub(lambda token: _MARK if _carries(token[0], secret) else token[0], text)
    for form in (secret.replace("\\", "\\\\").replace('"', '\\"'), secret):
        text = text.replace(form, _MARK)
        if cut := _part_at_end(text, form):
            text = text[:-cut] + _MARK
    return text


def _carries(token: str, secret: str) -> bool:
    """Whether a run of base64 characters has the secret inside, or ends within it."""
    raw = secret.encode("utf-8", "surrogatepass")
    if token.rstrip("=") == base64.b64encode(raw).decode("ascii").rstrip("="):
        return True
    cores = [core for shift in range(3) if len(core := _core(raw, shift)) >= _TELLING]
    return any(core in token or _part_at_end(token, core) for core in cores)


def _core(raw: bytes, shift: int) -> str:
    """The base64 characters that the secret alone decides, when it begins `shift` bytes into a group of three."""
    encoded = base64.b64encode(bytes(shift) + raw).decode("ascii")
    return encoded[-(-shift * 8 // 6) : (shift + len(raw)) * 8 // 6]


def _part_at_end(text: str, form: str) -> int:
    """How many characters at the end of the text are the beginning of the secret."""
    longest = min(len(form) - 1, len(text))
    return next((size for size in range(longest, _TELLING - 1, -1) if text.endswith(form[:size])), 0)
