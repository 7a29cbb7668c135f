"""Where a list goes on: a cursor means nothing to anybody but us, and is never a number of rows to pass over."""

import base64
import binascii
import json
from collections.abc import Sequence

from checks.model import Invalid

_LONGEST = 4000


def cursor_after(*keys: str) -> str:
    """The cursor of what comes behind these keys."""
    return base64.urlsafe_b64encode(json.dumps(keys).encode()).decode("ascii").rstrip("=")


def read_cursor(text: str, count: int = 1) -> Sequence[str]:
    """The keys of a cursor. Raises `Invalid` for one that was not given out here."""
    try:
        if len(text) > _LONGEST or not text.isascii():
            raise ValueError
        padded = text + "=" * (-len(text) % 4)
        keys = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, RecursionError, binascii.Error):
        keys = None
    if not isinstance(keys, list) or len(keys) != count or not all(isinstance(key, str) for key in keys):
        raise Invalid("it is no cursor of this list; take `next_cursor` as it was given, or begin without one", CURSOR)
    return keys


CURSOR = "query:cursor"
