"""How an API key looks: `mp_live_ID_SECRETSUM`, or `mp_test_...` for the sandbox.

The id may be shown; the secret has 190 bits; by the sum (CRC-32 of all before it) a scanner of leaked secrets tells a
key from a text that looks like one, and so do we, without asking anybody.
"""

import hashlib
import re
import secrets
import string
import zlib
from dataclasses import dataclass, field

_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_ID_LENGTH, _SECRET_LENGTH, _SUM_LENGTH = 12, 32, 6
_SHAPE = re.compile(
    rf"mp_(live|test)_([0-9a-z]{{{_ID_LENGTH}}})_([0-9A-Za-z]{{{_SECRET_LENGTH}}})([0-9A-Za-z]{{{_SUM_LENGTH}}})\Z"
)


@dataclass(frozen=True, slots=True)
class PlainKey:
    """A key as it is shown once."""

    id: str
    live: bool
    text: str = field(repr=False)

    @property
    def digest(self) -> bytes:
        """What is stored of it."""
        return hashlib.sha256(self.text.encode()).digest()


def new_key(*, live: bool) -> PlainKey:
    """A fresh key."""
    key_id = _random(_ID_LENGTH, string.digits + string.ascii_lowercase)
    head = f"mp_{'live' if live else 'test'}_{key_id}_{_random(_SECRET_LENGTH, _DIGITS)}"
    return PlainKey(key_id, live, head + _sum(head))


def parse(text: str) -> PlainKey | None:
    """The key that a text is; None for what cannot be one."""
    found = _SHAPE.match(text)
    if found is None or _sum(text[:-_SUM_LENGTH]) != found[4]:
        return None
    return PlainKey(found[2], found[1] == "live", text)


def _random(length: int, alphabet: str) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))


def _sum(text: str) -> str:
    number, digits = zlib.crc32(text.encode()), ""
    for _ in range(_SUM_LENGTH):
        number, digit = divmod(number, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return digits
