"""Availability as bars and latency as a sparkline: one character a bucket.

Where blocks cannot be shown, or nobody looks, digits say the same: for availability `#` is all and `9` to `0` so many
tenths; for latency `0` is the fastest and `9` the slowest.
"""

import math
from collections.abc import Iterable, Sequence

from rich.console import Console

from worker.health.endpoint_document import BucketDocument

BLOCKS = "▁▂▃▄▅▆▇█"
_NOTHING = {True: "·", False: "."}
_UNCLEAR = "?"
_GOOD = 0.99

Piece = tuple[str, str]
"""Characters, and the style that they have in common."""


def blocks_fit(console: Console) -> bool:
    """Whether blocks and colours may be used: on a terminal that can show them, unless NO_COLOR is set."""
    return console.is_interactive and not console.no_color and console.encoding.lower().startswith("utf")


def bars(buckets: Iterable[BucketDocument], *, blocks: bool) -> list[Piece]:
    """One bar a bucket: full where every conclusive check was ok, never where one was not. Digits have no colours."""
    return _joined((_bar(bucket, blocks), _style(bucket) if blocks else "") for bucket in buckets)


def _bar(bucket: BucketDocument, blocks: bool) -> str:
    share = bucket.availability
    if share is None:
        return _UNCLEAR if bucket.inconclusive else _NOTHING[blocks]
    if blocks:
        return BLOCKS[math.floor(share * (len(BLOCKS) - 1))]
    return "#" if share == 1 else str(math.floor(share * 10))


def _style(bucket: BucketDocument) -> str:
    share = bucket.availability
    if share is None:
        return "yellow" if bucket.inconclusive else "dim"
    if share == 1:
        return "green"
    return "yellow" if share >= _GOOD else "red"


def _joined(pieces: Iterable[Piece]) -> list[Piece]:
    """Neighbours of one style together."""
    joined: list[Piece] = []
    for text, style in pieces:
        if joined and joined[-1][1] == style:
            joined[-1] = (joined[-1][0] + text, style)
        else:
            joined.append((text, style))
    return joined


def sparkline(values: Sequence[float | None], *, blocks: bool) -> str:
    """A line between the least and the greatest of the values; None is a gap. All alike lie at the bottom."""
    signs = BLOCKS if blocks else "0123456789"
    known = [value for value in values if value is not None]
    if not known:
        return _NOTHING[blocks] * len(values)
    low, span = min(known), max(known) - min(known)
    return "".join(
        _NOTHING[blocks] if value is None else signs[_level(value - low, span, len(signs))] for value in values
    )


def _level(above: float, span: float, levels: int) -> int:
    return min(levels - 1, math.floor(above / span * levels)) if span > 0 else 0


def percent(share: float | None) -> str:
    """A share as per cent, cut and never rounded up: 100 % is all of it. '-' where it is not known."""
    return "-" if share is None else f"{math.floor(share * 10_000 + 1e-6) / 100:.4g} %"
