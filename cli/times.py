"""Times: typed by people, and shown to them in local time with its offset."""

from datetime import datetime

from checks.model import Invalid


def parse_time(text: str, option: str) -> float:
    """A time of ISO 8601 as UTC seconds since 1970; one without an offset is local time. Raises `Invalid`."""
    try:
        moment = datetime.fromisoformat(text.strip())
        return moment.timestamp()  # of a time without an offset: as local time
    except (ValueError, OverflowError, OSError):
        raise Invalid(
            f"{option}: {text!r} is no time; give it like 2026-03-01T22:00, or with an offset: 2026-03-01T22:00+01:00",
            option.lstrip("-"),
        ) from None


def local(at: float) -> str:
    """UTC seconds since 1970 as local time to the minute, with its offset."""
    return datetime.fromtimestamp(at).astimezone().isoformat(sep=" ", timespec="minutes")
