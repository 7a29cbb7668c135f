"""Quiet hours by the wall clock of a time zone."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from checks.model import Invalid
from settings_store.alerts.quiet_hours import Quiet, parse_quiet, zone_of

ROWS = [
    # quiet, zone, now (wall clock), until when (wall clock; None: not quiet), hours to wait
    ("22:00-07:00", "UTC", "2026-11-23 21:59", None, 0),
    ("22:00-07:00", "UTC", "2026-11-23 22:00", "2026-11-24 07:00", 9),
    ("22:00-07:00", "UTC", "2026-11-23 23:30", "2026-11-24 07:00", 7.5),
    ("22:00-07:00", "UTC", "2026-11-24 00:00", "2026-11-24 07:00", 7),
    ("22:00-07:00", "UTC", "2026-11-24 06:59", "2026-11-24 07:00", 1 / 60),
    ("22:00-07:00", "UTC", "2026-11-24 07:00", None, 0),
    ("12:00-13:30", "UTC", "2026-11-24 12:15", "2026-11-24 13:30", 1.25),
    ("12:00-13:30", "UTC", "2026-11-24 13:30", None, 0),
    ("00:00-23:59", "UTC", "2026-11-24 00:00", "2026-11-24 23:59", 23 + 59 / 60),
    ("22:00-07:00", "Asia/Tokyo", "2026-11-24 03:00", "2026-11-24 07:00", 4),
    ("22:00-07:00", "Europe/Berlin", "2026-03-28 23:30", "2026-03-29 07:00", 6.5),  # the clocks are put forward
    ("22:00-07:00", "Europe/Berlin", "2026-10-24 23:30", "2026-10-25 07:00", 8.5),  # and back
    ("01:00-02:30", "Europe/Berlin", "2026-03-29 01:30", "2026-03-29 03:00", 0.5),  # 02:30 does not exist
    ("22:00-02:30", "Europe/Berlin", "2026-10-25 01:30", "2026-10-25 02:30", 1),  # 02:30 comes twice
    ("22:00-07:00", "America/St_Johns", "2026-11-23 22:30", "2026-11-24 07:00", 8.5),
]


@pytest.mark.parametrize(("span", "zone", "now", "until", "hours"), ROWS)
def test_when_one_may_speak_again(span: str, zone: str, now: str, until: str | None, hours: float) -> None:
    quiet = parse_quiet(span, zone)
    at = datetime.fromisoformat(now).replace(tzinfo=ZoneInfo(zone)).timestamp()
    over = quiet.over_at(at)
    assert over - at == pytest.approx(hours * 3600)
    assert quiet.covers(at) is (until is not None)
    assert not quiet.covers(over)
    if until:
        assert f"{datetime.fromtimestamp(over, ZoneInfo(zone)):%Y-%m-%d %H:%M}" == until


def test_the_second_time_of_the_same_wall_clock_is_quiet_as_well() -> None:
    quiet = parse_quiet("22:00-02:30", "Europe/Berlin")
    second = datetime(2026, 10, 25, 2, 10, tzinfo=ZoneInfo("Europe/Berlin"), fold=1).timestamp()
    assert quiet.over_at(second) - second == timedelta(minutes=20).total_seconds()


@pytest.mark.parametrize(
    "text", ["", "22:00", "22:00-", "22-07-08", "25:00-07:00", "a-b", "07:00-07:00", "22:00–07:00"]
)
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="22:00-07:00") as caught:
        parse_quiet(text)
    assert caught.value.field == "quiet"


@pytest.mark.parametrize("name", ["", "Berlin", "Europe/Nowhere", "../../etc/passwd", "/etc/passwd", "Europe", "\0"])
def test_what_is_no_time_zone_is_refused(name: str) -> None:
    with pytest.raises(Invalid, match="Europe/Berlin"):
        zone_of(name)
    with pytest.raises(Invalid):
        Quiet(0, 1, name)


def test_how_it_is_written() -> None:
    assert str(parse_quiet(" 9:05 - 22:00".replace("9", "09"), "Asia/Tokyo")) == "09:05-22:00 Asia/Tokyo"
