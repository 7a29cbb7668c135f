"""When a delivery is tried again, and when an endpoint is left alone. Pure, but for chance."""

import random
from datetime import UTC
from email.utils import parsedate_to_datetime

_MINUTE, _HOUR = 60.0, 3600.0
DELAYS = (0.0, 5.0, 5 * _MINUTE, 30 * _MINUTE, *(hours * _HOUR for hours in (2, 5, 10, 14, 20, 24)))
"""Seconds before each attempt, after the one before: the schedule that Standard Webhooks 1.0.0 gives."""
ATTEMPTS = len(DELAYS)
LONGEST_FAILURE = sum(DELAYS)
"""An endpoint that has failed for so many seconds, without one success, is given up."""

GONE = 410
BUSY = frozenset({429, 502, 503, 504})
"""The statuses with which a receiver says that it has too much to do."""

_JITTER = 0.1
_BUSY_SECONDS = 60.0
_FIRST_HOLD, _LONGEST_HOLD = 5.0, 300.0
_LONGEST_WISH = _HOUR


def delay(attempts: int) -> float | None:
    """Seconds to wait after so many attempts, somewhat more or less; None where that was the last."""
    if attempts >= ATTEMPTS:
        return None
    return DELAYS[attempts] * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311 - only spreads the load


def hold(failures: int, status: int | None, wish: float | None) -> float:
    """Seconds for which nothing is sent to an endpoint, after so many failures in a row.

    One that is dead takes little of our time then, and keeps its order. `wish` is what it asked for itself.
    """
    longer = min(_FIRST_HOLD * 2.0 ** min(failures - 1, 10), _LONGEST_HOLD)
    if status in BUSY:
        longer = max(longer, _BUSY_SECONDS if wish is None else 0.0)
    return max(longer, min(wish or 0.0, _LONGEST_WISH))


def wish(retry_after: str, now: float) -> float | None:
    """The seconds that `Retry-After` asks for, as a number or as a date (RFC 9110, 10.2.3); None where it does not."""
    text = retry_after.strip()
    if text.isascii() and text.isdecimal():
        return float(text[:9])
    try:
        when = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() - now)
