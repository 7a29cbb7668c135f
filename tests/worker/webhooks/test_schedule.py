"""When a delivery is tried again, and when an endpoint is left alone."""

import pytest

from worker.webhooks import schedule

NOW = 1_800_000_000.0  # 2027-01-15, 08:00 UTC


def test_the_schedule_is_that_of_the_specification() -> None:
    assert schedule.ATTEMPTS == 10
    assert schedule.LONGEST_FAILURE == 75 * 3600 + 35 * 60 + 5
    waits = [schedule.delay(attempts) for attempts in range(11)]
    assert waits[0] == 0 and waits[10] is None
    for wait, planned in zip(waits[1:10], schedule.DELAYS[1:], strict=True):
        assert wait is not None and 0.9 * planned <= wait <= 1.1 * planned
    assert len({schedule.delay(5) for _ in range(5)}) > 1, "not all come back at the same moment"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        ("Fri, 15 Jan 2027 08:05:00 GMT", 300.0),
        ("Fri, 15 Jan 2027 07:00:00 GMT", 0.0),
        *((text, None) for text in ("", "soon", "-5", "1.5", "٣", "Fri, 99 Jan 2027 08:05:00 GMT")),
    ],
)
def test_what_a_receiver_asks_for(text: str, seconds: float | None) -> None:
    assert schedule.wish(text, NOW) == seconds


@pytest.mark.parametrize(
    ("failures", "status", "wish", "seconds"),
    [
        (1, 500, None, 5.0),
        (2, None, None, 10.0),
        (30, None, None, 300.0),
        (1, 503, None, 60.0),
        (1, 429, 7.0, 7.0),
        (1, 429, 2.0, 5.0),
        (1, 429, 999_999.0, 3600.0),
        (1, 500, 90.0, 90.0),
    ],
)
def test_how_long_an_endpoint_is_left_alone(failures: int, status: int, wish: float | None, seconds: float) -> None:
    assert schedule.hold(failures, status, wish) == seconds
