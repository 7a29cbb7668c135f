"""Pictures of how a server has fared, as figures of an SVG; the table behind them has the same numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

from worker.health.endpoint_document import BucketDocument, EndpointHealthDocument

STEP, HIGH = 10.0, 40.0
"""The width of a day, and the height of a picture, in its own units."""
_GAP = 1.5
_MARGIN = 4.0


@dataclass(frozen=True, slots=True)
class Day:
    """One bar: how many of its checks were ok, as a class of the style sheet."""

    x: float
    y: float
    height: float
    kind: str


@dataclass(frozen=True, slots=True)
class Fared:
    """How one endpoint has fared. `lines` are the points of its latency, apart where a day had none."""

    document: EndpointHealthDocument

    @property
    def buckets(self) -> Sequence[BucketDocument]:
        """The days, oldest first."""
        return self.document.history.days.buckets

    @property
    def width(self) -> float:
        """Of the picture."""
        return len(self.buckets) * STEP

    @property
    def bar(self) -> float:
        """The width of a bar."""
        return STEP - _GAP

    @property
    def checked(self) -> bool:
        """Whether there was any check."""
        return any(each.ok + each.fail + each.inconclusive for each in self.buckets)

    @property
    def percent(self) -> str:
        """The share of the conclusive checks that was ok, in words; never 100 where one was not."""
        return percent(self.document.history.days.whole.availability)

    @property
    def days(self) -> list[Day]:
        """The bars of availability: full where all was ok, lower where some was not."""
        return [_day(number * STEP, each) for number, each in enumerate(self.buckets)]

    @property
    def latencies(self) -> list[float]:
        """The averages of the days that have one."""
        return [each.ms for each in self.buckets if each.ms is not None]

    @property
    def longest(self) -> float:
        """The longest check that was ok."""
        return max((each.ms_max for each in self.buckets if each.ms_max is not None), default=0.0)

    @property
    def lines(self) -> list[list[tuple[float, float]]]:
        """The points of the latency, from none at the bottom to the slowest day at the top."""
        top = max(self.latencies, default=0.0) or 1.0
        found: list[list[tuple[float, float]]] = [[]]
        for number, each in enumerate(self.buckets):
            if each.ms is None:
                found.append([])
            else:
                y = HIGH - _MARGIN - each.ms / top * (HIGH - 2 * _MARGIN)
                found[-1].append((round(number * STEP + STEP / 2, 1), round(y, 1)))
        return [line for line in found if line]


def _day(x: float, bucket: BucketDocument) -> Day:
    share = bucket.availability
    if share is None:
        return Day(x, HIGH * 0.75, HIGH * 0.25, "unknown")
    height = HIGH * (0.25 + 0.75 * share)
    return Day(
        x, round(HIGH - height, 1), round(height, 1), "all" if share == 1 else "none-ok" if share == 0 else "some"
    )


def percent(share: float | None) -> str:
    """`99.95 %`; what is not all is never rounded up to it."""
    if share is None:
        return "–"
    hundredths = int(share * 10_000)
    return f"{hundredths / 100:.2f}".rstrip("0").rstrip(".") + " %"
