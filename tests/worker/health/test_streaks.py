"""What a row of checks says of an endpoint: by table, and whatever the row."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.codes import Code, Verdict
from worker.health.streaks import ANSWERS, LOCAL, Rules, Streak, certain, observe

RULES = Rules(fails=3, oks=2, silent_seconds=1800)
NEVER_SILENT = Rules(fails=3, oks=2, silent_seconds=0)
NOW = 1_800_000_000.0
_VERDICTS = {"o": Verdict.OK, "f": Verdict.FAIL, "i": Verdict.INCONCLUSIVE}


def after(row: str, rules: Rules = RULES, every: float = 300, code: Code | None = None) -> Streak:
    """The streak after checks: o for ok, f for a failure, i for what is inconclusive."""
    streak = None
    for number, letter in enumerate(row):
        streak = observe(streak, _VERDICTS[letter], NOW + number * every, rules, code)
    assert streak is not None
    return streak


@pytest.mark.parametrize(
    ("row", "state"),
    [
        ("o", "ok"),
        ("f", "unknown"),
        ("ff", "unknown"),
        ("fff", "fail"),
        ("i", "unknown"),
        ("ffo", "ok"),
        ("off", "ok"),
        ("offf", "fail"),
        ("offoff", "ok"),
        ("ofifif", "fail"),
        ("offi", "ok"),
        ("fffo", "fail"),
        ("fffoo", "ok"),
        ("fffoio", "ok"),
        ("fffofo", "fail"),
        ("fffofoo", "ok"),
        ("o" + "i" * 6, "ok"),
        ("o" + "i" * 7, "silent"),
        ("i" * 7, "silent"),
        ("o" + "i" * 7 + "o", "silent"),
        ("o" + "i" * 7 + "oo", "ok"),
        ("o" + "i" * 7 + "fff", "fail"),
        ("o" + "iiiiii" + "o" + "iiiiii", "ok"),
        ("fff" + "i" * 50, "fail"),
    ],
)
def test_the_state_after_a_row_of_checks(row: str, state: str) -> None:
    assert after(row).state == state


def test_silence_takes_its_time_however_often_it_is_looked_at() -> None:
    assert after("o" + "i" * 29, every=60).state == "ok"
    assert after("o" + "i" * 31, every=60).state == "silent"


def test_silence_takes_several_checks_even_where_the_clock_is_put_forward() -> None:
    streak = after("oi")
    for number in range(1, 5):
        streak = observe(streak, Verdict.INCONCLUSIVE, NOW + 86400 + number, RULES)
        assert streak.state == "ok"
    assert observe(streak, Verdict.INCONCLUSIVE, NOW + 86405, RULES).state == "silent"


def test_silence_can_be_left_out() -> None:
    assert after("o" + "i" * 500, NEVER_SILENT).state == "ok"


@pytest.mark.parametrize("code", sorted(ANSWERS))
def test_a_server_that_says_come_later_is_not_silent(code: Code) -> None:
    streak = after("o" + "i" * 500, code=code)
    assert (streak.state, streak.silent, streak.first_bad_at) == ("ok", 0, None)


@pytest.mark.parametrize("code", sorted(LOCAL))
def test_what_is_our_own_fault_says_nothing(code: Code) -> None:
    before = after("off")
    assert observe(before, Verdict.INCONCLUSIVE, NOW + 5000, RULES, code) == before


def test_since_is_the_first_bad_check() -> None:
    assert after("ofif" + "f").since == NOW + 300
    assert after("o" + "i" * 7).since == NOW + 300
    assert after("fffoo").since == NOW + 4 * 300
    assert after("oooo").since == NOW


def test_a_failure_that_goes_on_began_when_it_began() -> None:
    streak = after("offfofff")
    assert (streak.state, streak.since, streak.first_bad_at) == ("fail", NOW + 300, NOW + 300)


@pytest.mark.parametrize(
    ("row", "expected"),
    [("o", True), ("of", False), ("off", False), ("offf", True), ("offfo", False), ("offfoo", True), ("oi", False)],
)
def test_what_has_begun_is_looked_at_again_soon(row: str, expected: bool) -> None:
    assert certain(after(row), RULES) is expected


def test_a_clock_that_is_put_back_leaves_nothing_ahead() -> None:
    streak = observe(after("ofi"), Verdict.FAIL, NOW - 86400, RULES)
    times = (streak.since, streak.first_bad_at, streak.last_ok_at)
    assert all(at is not None and at <= NOW - 86400 for at in times)


_ROWS = st.lists(st.tuples(st.sampled_from("oi"), st.floats(-90_000, 90_000)), max_size=40)
_ANY = st.lists(st.tuples(st.sampled_from("ofi"), st.floats(-90_000, 90_000)), max_size=40)


def _run(row: Sequence[tuple[str, float]]) -> list[Streak]:
    streaks: list[Streak] = []
    now = NOW
    for letter, seconds in row:
        now += seconds
        streaks.append(observe(streaks[-1] if streaks else None, _VERDICTS[letter], now, RULES))
        times = (streaks[-1].since, streaks[-1].first_bad_at, streaks[-1].last_ok_at)
        assert all(at is None or at <= now for at in times)
    return streaks


@given(_ROWS)
def test_what_is_inconclusive_never_makes_a_failure(row: Sequence[tuple[str, float]]) -> None:
    assert all(streak.state != "fail" for streak in _run(row))


@given(_ANY)
def test_a_state_changes_only_for_its_reasons(row: Sequence[tuple[str, float]]) -> None:
    streaks = _run(row)
    for before, streak, (letter, _) in zip(streaks, streaks[1:], row[1:], strict=False):
        if streak.state != before.state:
            assert (streak.state, letter) in {("ok", "o"), ("fail", "f"), ("silent", "i")}
        if streak.state == "fail" != before.state:
            assert streak.fails >= RULES.fails
        if streak.state == "ok" and before.state in {"fail", "silent"}:
            assert streak.oks >= RULES.oks
        assert (streak.first_bad_at is None) is (
            streak.fails == 0 == streak.silent and streak.state in {"ok", "unknown"}
        )
