"""For how long a server is left alone: what it asks for, within a bound, and only where no password was judged."""

import pytest

from checks.codes import Code
from checks.model import Fault
from checks.protocols.patience import MOST_SECONDS, USUAL_SECONDS, patience

FULL = [Code.SERVER_THROTTLED, Code.SERVER_TOO_MANY_CONNECTIONS]


@pytest.mark.parametrize("code", [*FULL, Code.CONNECT_CLOSED, Code.CONNECT_REFUSED])
def test_who_is_turned_away_before_the_login_waits_as_usual(code: Code) -> None:
    assert patience(Fault(code, "come back later"), judged=False) == USUAL_SECONDS


@pytest.mark.parametrize(
    ("seen", "seconds"),
    [
        ("421 4.7.0 Too many connections, try again in 30 seconds", 30.0),
        ("421 4.3.2 rate limited, retry after 2 minutes", 120.0),
        ("BYE Too many connections; wait 5 s", 5.0),
        ("421 come back in 3 minutes", 0.0),  # longer than a run can wait
        ("BYE try again in 0 seconds", 1.0),
    ],
)
def test_the_server_s_words_say_for_how_long(seen: str, seconds: float) -> None:
    for code in FULL:
        assert patience(Fault(code, seen), judged=False) == seconds


@pytest.mark.parametrize(
    ("code", "seen", "waits"),
    [
        (Code.SERVER_THROTTLED, "NO Too many bad auth attempts", False),  # Yahoo says so to a wrong password
        (Code.SERVER_THROTTLED, "NO [LIMIT] too many logins", True),
        (Code.SERVER_THROTTLED, "454 4.7.0 Too many login attempts", True),
        (Code.SERVER_TOO_MANY_CONNECTIONS, "BYE Maximum number of connections exceeded", True),
        (Code.SERVER_TOO_MANY_CONNECTIONS, "535 5.7.8 too many connections", False),
        (Code.SERVER_UNAVAILABLE, "421 4.3.0 shutting down", True),
        (Code.SERVER_UNAVAILABLE, "NO internal error", False),
        (Code.CONNECT_CLOSED, "", False),  # it may have closed because of the password
        (Code.AUTH_TEMPORARY, "454 4.7.0 Temporary authentication failure", False),
        (Code.AUTH_REJECTED, "421 wrong", False),
        (Code.DEADLINE, "", False),
    ],
)
def test_once_the_login_was_sent_only_what_comes_in_place_of_a_judgement_counts(
    code: Code, seen: str, waits: bool
) -> None:
    assert bool(patience(Fault(code, seen), judged=True)) is waits


@pytest.mark.parametrize(("asked", "seconds"), [("0.5", 1.0), ("30", 30.0), ("120", MOST_SECONDS), ("121", 0.0)])
def test_what_a_header_asks_for_counts_more_than_words(asked: str, seconds: float) -> None:
    assert patience(Fault(Code.SERVER_THROTTLED, "in 7 seconds", wait=asked), judged=True) == seconds


@pytest.mark.parametrize("seen", ["in " + "9" * 5_000 + " seconds", "in " * 100_000, "4" * 100_000])
def test_long_words_cost_little(seen: str) -> None:
    assert patience(Fault(Code.SERVER_THROTTLED, seen), judged=False) == USUAL_SECONDS
