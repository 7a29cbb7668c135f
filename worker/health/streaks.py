"""What a row of checks of one endpoint says about it: one check alone says nothing.

Pure: the streak so far, one more verdict and the time in; the streak out. An endpoint fails after several failures with
no success between, and works again after several successes. What is inconclusive counts for neither, so it alone never
makes an endpoint fail; where nothing else comes for long, the endpoint is silent.
"""

from dataclasses import dataclass, replace
from typing import Literal

from checks.codes import Code, Verdict

State = Literal["unknown", "ok", "fail", "silent"]

ANSWERS = frozenset({Code.SERVER_THROTTLED, Code.SERVER_TOO_MANY_CONNECTIONS, Code.MAILBOX_IN_USE})
"""Inconclusive, but said by a server that works: it wants us to come less often, and is not silent."""
LOCAL = frozenset({Code.INTERNAL, Code.CREDENTIAL_UNREADABLE, Code.RUN_NOT_TRIED, Code.RUN_CANCELLED, Code.RUN_BUDGET})
"""Inconclusive because of us: it says nothing about the server, neither that it works nor that it is silent."""


@dataclass(frozen=True, slots=True)
class Rules:
    """So many failures in a row are a failure, so many successes a recovery, and so much silence counts; 0: none."""

    fails: int
    oks: int
    silent_seconds: float


@dataclass(frozen=True, slots=True)
class Streak:
    """What is known of an endpoint. Times are UTC seconds since 1970.

    `since` is when the state began: for a failure and for silence the first check that was not ok. `fails` and `oks`
    are in a row where what is inconclusive is left out, `silent` the inconclusive ones in a row. `first_bad_at` is
    None while all is well.
    """

    state: State
    since: float
    fails: int = 0
    oks: int = 0
    silent: int = 0
    first_bad_at: float | None = None
    last_ok_at: float | None = None


def certain(streak: Streak, rules: Rules) -> bool:
    """Whether the next check may come at its usual time: nothing has begun that is not yet judged."""
    begins_to_recover = streak.oks > 0 and streak.state in {"fail", "silent"}
    begins_to_fail = streak.fails > 0 and streak.state != "fail"
    falls_silent = 0 < streak.silent < 2 * rules.fails and streak.state in {"ok", "unknown"}
    return not (begins_to_recover or begins_to_fail or falls_silent)


def observe(before: Streak | None, verdict: Verdict, now: float, rules: Rules, code: Code | None = None) -> Streak:
    """The streak with one more check. `before` is None for an endpoint, or settings, that nobody has checked.

    `code` is that of the check: `ANSWERS` and `LOCAL` are no silence. `now` may lie before what is known, where the
    clock was put back: what would lie ahead counts as now.
    """
    streak = Streak("unknown", now) if before is None else _not_ahead(before, now)
    if verdict is Verdict.OK:
        return _with_ok(streak, now, rules)
    if verdict is Verdict.FAIL:
        return _with_fail(streak, now, rules)
    return _with_nothing(streak, now, rules, code)


def _not_ahead(streak: Streak, now: float) -> Streak:
    return replace(
        streak,
        since=min(streak.since, now),
        first_bad_at=None if streak.first_bad_at is None else min(streak.first_bad_at, now),
        last_ok_at=None if streak.last_ok_at is None else min(streak.last_ok_at, now),
    )


def _with_ok(streak: Streak, now: float, rules: Rules) -> Streak:
    streak = replace(streak, fails=0, silent=0, oks=streak.oks + 1, last_ok_at=now)
    if streak.state in {"ok", "unknown"} or streak.oks >= rules.oks:
        since = streak.since if streak.state == "ok" else now
        return replace(streak, state="ok", since=since, first_bad_at=None)
    return streak


def _with_fail(streak: Streak, now: float, rules: Rules) -> Streak:
    first = now if streak.first_bad_at is None else streak.first_bad_at
    streak = replace(streak, fails=streak.fails + 1, oks=0, silent=0, first_bad_at=first)
    if streak.state != "fail" and streak.fails >= rules.fails:
        return replace(streak, state="fail", since=first)
    return streak


def _with_nothing(streak: Streak, now: float, rules: Rules, code: Code | None) -> Streak:
    if code in LOCAL:
        return streak
    if code in ANSWERS:
        going_on = streak.fails > 0 or streak.state in {"fail", "silent"}
        return replace(streak, silent=0, first_bad_at=streak.first_bad_at if going_on else None)
    first = now if streak.first_bad_at is None else streak.first_bad_at
    streak = replace(streak, silent=streak.silent + 1, first_bad_at=first)
    if streak.state in {"ok", "unknown"} and _silent(streak, now - first, rules):
        return replace(streak, state="silent", since=first, oks=0)
    return streak


def _silent(streak: Streak, seconds: float, rules: Rules) -> bool:
    """Long enough, and often enough: a clock that is put forward makes no silence."""
    return 0 < rules.silent_seconds <= seconds and streak.silent >= 2 * rules.fails
