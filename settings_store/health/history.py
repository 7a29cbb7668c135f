"""What health checks of an endpoint came to over time, in a fixed number of buckets however long it was watched.

All is summed up by the database from the hours that are kept; hours are those of UTC.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from checks.model import Protocol
from settings_store.schema import health_hours

HOUR = 3600
HOURS = 24
"""Buckets of an hour: the last day."""
DAYS = 30
"""Buckets of 24 hours, unless others are asked for."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """The checks from `start` (UTC seconds since 1970) on. Milliseconds are those of checks that were ok."""

    start: float
    ok: int = 0
    fail: int = 0
    inconclusive: int = 0
    ms_sum: float = 0.0
    ms_max: float = 0.0

    @property
    def availability(self) -> float | None:
        """The share of the conclusive checks that was ok, from 0 to 1; None where there was none."""
        conclusive = self.ok + self.fail
        return self.ok / conclusive if conclusive else None

    @property
    def ms(self) -> float | None:
        """How long a check took on average; None where none was ok."""
        return self.ms_sum / self.ok if self.ok else None


@dataclass(frozen=True, slots=True)
class History:
    """Oldest bucket first; the last one holds now and is not over yet."""

    hours: tuple[Bucket, ...]
    days: tuple[Bucket, ...]


def of_domain(conn: Connection, domain_id: int, now: float, days: int = DAYS) -> dict[Protocol, History]:
    """The history of each protocol that was ever checked: the last 24 hours, and `days` times 24 hours, up to now."""
    hours = _buckets(conn, domain_id, now, HOURS, 1)
    longer = _buckets(conn, domain_id, now, days, 24)
    known = {Protocol(protocol) for protocol in longer}
    return {protocol: History(tuple(hours[protocol]), tuple(longer[protocol])) for protocol in known}


def empty(now: float, days: int = DAYS) -> History:
    """The history of what was never checked."""
    return History(tuple(_empty(now, HOURS, 1)), tuple(_empty(now, days, 24)))


def total(buckets: tuple[Bucket, ...]) -> Bucket:
    """All of them together. There must be one at least."""
    return Bucket(
        buckets[0].start,
        sum(bucket.ok for bucket in buckets),
        sum(bucket.fail for bucket in buckets),
        sum(bucket.inconclusive for bucket in buckets),
        sum(bucket.ms_sum for bucket in buckets),
        max(bucket.ms_max for bucket in buckets),
    )


def _empty(now: float, count: int, width: int) -> list[Bucket]:
    first = _first(now, count, width)
    return [Bucket(float((first + number * width) * HOUR)) for number in range(count)]


def _first(now: float, count: int, width: int) -> int:
    return int(now // HOUR) + 1 - count * width


def _buckets(conn: Connection, domain_id: int, now: float, count: int, width: int) -> Mapping[str, list[Bucket]]:
    """By protocol: `count` buckets of `width` hours each. What a clock that was put back left ahead is left out."""
    first = _first(now, count, width)
    found: defaultdict[str, list[Bucket]] = defaultdict(lambda: _empty(now, count, width))
    for row in conn.execute(_query(domain_id, first, count * width, width)):
        sums = row.ok, row.fail, row.inconclusive, row.ms_sum, row.ms_max
        found[row.protocol][row.number] = Bucket(float((first + row.number * width) * HOUR), *sums)
    return found


def _query(
    domain_id: int, first: int, hours: int, width: int
) -> sa.Select[tuple[str, int, int, int, int, float, float]]:
    table = health_hours
    span = table.c.hour >= first, table.c.hour < first + hours
    placed = (
        sa.select(table, ((table.c.hour - first) // width).label("number")).where(table.c.domain_id == domain_id, *span)
    ).subquery()
    sums = [sa.func.sum(placed.c[name]).label(name) for name in ("ok", "fail", "inconclusive", "ms_sum")]
    key = placed.c.protocol, placed.c.number
    return sa.select(*key, *sums, sa.func.max(placed.c.ms_max).label("ms_max")).group_by(*key)
