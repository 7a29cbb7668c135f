"""Quiet hours: when a channel rather hears nothing, in its own time zone."""

from dataclasses import dataclass
from datetime import datetime, time
from functools import lru_cache
from zoneinfo import ZoneInfo

from checks.model import Invalid

_DAY_MINUTES = 24 * 60


@dataclass(frozen=True, slots=True)
class Quiet:
    """From minute `start` to minute `end` after midnight, by the wall clock of `zone`.

    Over midnight where `end` is the earlier one. Raises `Invalid` for what is no such span.
    """

    start: int
    end: int
    zone: str = "UTC"

    def __post_init__(self) -> None:
        if not (0 <= self.start < _DAY_MINUTES and 0 <= self.end < _DAY_MINUTES) or self.start == self.end:
            raise Invalid("quiet hours need two different times of the day; write them like 22:00-07:00", "quiet")
        zone_of(self.zone)

    def __str__(self) -> str:
        return f"{_clock(self.start)}-{_clock(self.end)} {self.zone}"

    def covers(self, now: float) -> bool:
        """Whether it is quiet at `now` (UTC seconds since 1970)."""
        local = datetime.fromtimestamp(now, ZoneInfo(self.zone))
        minute = local.hour * 60 + local.minute
        if self.start < self.end:
            return self.start <= minute < self.end
        return minute >= self.start or minute < self.end

    def over_at(self, now: float) -> float:
        """When one may speak again (UTC seconds since 1970): `now` itself outside of quiet hours."""
        return now if not self.covers(now) else _over_at(self, int(now // 60)) * 60.0


@lru_cache(maxsize=1024)  # many alerts come up at once, for the same channels
def _over_at(quiet: Quiet, minute: int) -> int:
    """Minute by minute: that is right as well in nights in which clocks are put forward or back."""
    while quiet.covers(minute * 60.0):
        minute += 1
    return minute


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def parse_quiet(text: str, zone: str = "UTC") -> Quiet:
    """`22:00-07:00` in a time zone by its IANA name. Raises `Invalid`."""
    try:
        start, end = (time.fromisoformat(part.strip()) for part in text.split("-"))
    except ValueError:
        raise Invalid("quiet hours must be two times of the day; write them like 22:00-07:00", "quiet") from None
    return Quiet(start.hour * 60 + start.minute, end.hour * 60 + end.minute, zone)


def zone_of(name: str) -> ZoneInfo:
    """The time zone of an IANA name. Raises `Invalid`."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # no such name, one that leaves the folder, one that is a folder
        raise Invalid(f"time zone {name!r} is not known; give one like Europe/Berlin or UTC", "time_zone") from None
