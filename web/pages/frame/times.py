"""Times as the reader has them: in their time zone and language."""

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from checks.language import Language
from web.documents import LAST

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_FORMS: Mapping[Language, tuple[str, str]] = {
    Language.EN: ("{t.day} {t:%b %Y}", "{t:%H:%M}"),
    Language.JA: ("{t.year}年{t.month}月{t.day}日", "{t:%H:%M}"),
}


def zone_of(name: str) -> tzinfo:
    """The time zone of that name (IANA); UTC for one that is not known here."""
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


class Clock:
    """Writes times (UTC seconds since 1970) for one reader."""

    def __init__(self, language: Language, zone: tzinfo, now: float) -> None:
        self._language, self._zone, self.now = language, zone, now

    def at(self, seconds: float) -> str:
        """Day and time: `29 Nov 2026, 14:05`; with the zone where it is not the reader's own."""
        return f"{self.day(seconds)}{' ' if self._language is Language.JA else ', '}{self.minute(seconds)}"

    def day(self, seconds: float) -> str:
        """The day alone."""
        return _FORMS[self._language][0].format(t=self._there(seconds))

    def minute(self, seconds: float) -> str:
        """The time of the day alone."""
        shown = _FORMS[self._language][1].format(t=self._there(seconds))
        return f"{shown} UTC" if self._zone is UTC else shown

    def read(self, text: str) -> datetime | None:
        """What a field for day and time has, in the reader's zone; None where it is none."""
        try:
            return datetime.fromisoformat(text).replace(tzinfo=self._zone)
        except ValueError:
            return None

    def field(self, seconds: float) -> str:
        """The same as a field for day and time wants it."""
        return f"{self._there(seconds):%Y-%m-%dT%H:%M}"

    def machine(self, seconds: float) -> str:
        """As `datetime` of a `<time>`."""
        return datetime.fromtimestamp(min(seconds, LAST), UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

    def distance(self, seconds: float) -> tuple[str, int]:
        """How far that is from now, as a key of words and a number: `("minutes_ago", 3)`."""
        rest = self.now - seconds
        side, length = ("ago", rest) if rest >= 0 else ("ahead", -rest)
        for name, unit in (("days", _DAY), ("hours", _HOUR), ("minutes", _MINUTE)):
            if length >= 2 * unit or (unit != _MINUTE and length >= unit and unit == _DAY):
                return f"{name}_{side}", round(length / unit)
        if length >= _MINUTE:
            return f"minutes_{side}", round(length / _MINUTE)
        return f"seconds_{side}", int(length)

    def _there(self, seconds: float) -> datetime:
        return datetime.fromtimestamp(min(seconds, LAST), self._zone)
