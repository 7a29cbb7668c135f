"""Impacts: every combination of before and after."""

import itertools
from collections import Counter

import pytest

from checks.codes import Verdict
from checks.model import MailboxState
from worker.changes.impact import Impact, Safety, before_of, impact_of, safety_of

CONNECTED, DISCONNECTED, UNKNOWN = MailboxState.CONNECTED, MailboxState.DISCONNECTED, MailboxState.UNKNOWN
OK, FAIL, INCONCLUSIVE = Verdict.OK, Verdict.FAIL, Verdict.INCONCLUSIVE

IMPACTS = {
    (CONNECTED, OK): Impact.KEEPS_WORKING,
    (CONNECTED, FAIL): Impact.WILL_DISCONNECT,
    (CONNECTED, INCONCLUSIVE): Impact.CANNOT_TELL,
    (CONNECTED, None): Impact.CANNOT_TELL,
    (DISCONNECTED, OK): Impact.WILL_RECONNECT,
    (DISCONNECTED, FAIL): Impact.ALREADY_DISCONNECTED,
    (DISCONNECTED, INCONCLUSIVE): Impact.CANNOT_TELL,
    (DISCONNECTED, None): Impact.CANNOT_TELL,
    (UNKNOWN, OK): Impact.KEEPS_WORKING,
    (UNKNOWN, FAIL): Impact.CANNOT_TELL,
    (UNKNOWN, INCONCLUSIVE): Impact.CANNOT_TELL,
    (UNKNOWN, None): Impact.CANNOT_TELL,
}

BEFORE = {
    (CONNECTED, None): CONNECTED,
    (CONNECTED, OK): CONNECTED,
    (CONNECTED, FAIL): DISCONNECTED,
    (CONNECTED, INCONCLUSIVE): CONNECTED,
    (DISCONNECTED, None): DISCONNECTED,
    (DISCONNECTED, OK): CONNECTED,
    (DISCONNECTED, FAIL): DISCONNECTED,
    (DISCONNECTED, INCONCLUSIVE): DISCONNECTED,
    (UNKNOWN, None): UNKNOWN,
    (UNKNOWN, OK): CONNECTED,
    (UNKNOWN, FAIL): DISCONNECTED,
    (UNKNOWN, INCONCLUSIVE): UNKNOWN,
}


def test_the_tables_here_leave_nothing_out() -> None:
    verdicts = (None, *Verdict)
    assert set(IMPACTS) == set(BEFORE) == set(itertools.product(MailboxState, verdicts))


@pytest.mark.parametrize(("before", "after"), IMPACTS)
def test_the_impact_of_a_change(before: MailboxState, after: Verdict | None) -> None:
    assert impact_of(before, after) is IMPACTS[before, after]


@pytest.mark.parametrize(("known", "baseline"), BEFORE)
def test_the_state_before(known: MailboxState, baseline: Verdict | None) -> None:
    """What the baseline found just now counts more than what was known; what it could not tell counts nothing."""
    assert before_of(known, baseline) is BEFORE[known, baseline]


@pytest.mark.parametrize("known", MailboxState)
@pytest.mark.parametrize("baseline", [None, *Verdict])
@pytest.mark.parametrize("after", [None, *Verdict])
def test_a_mailbox_disconnects_only_if_it_works_now_and_fails_for_good(
    known: MailboxState, baseline: Verdict | None, after: Verdict | None
) -> None:
    works_now = baseline is OK or (known is CONNECTED and baseline is not FAIL)
    impact = impact_of(before_of(known, baseline), after)
    assert (impact is Impact.WILL_DISCONNECT) == (works_now and after is FAIL)


@pytest.mark.parametrize("endpoints", [pair for size in range(3) for pair in itertools.product(Verdict, repeat=size)])
@pytest.mark.parametrize("present", list(itertools.product((0, 1), repeat=len(Impact))))
def test_the_verdict_on_a_change(present: tuple[int, ...], endpoints: tuple[Verdict, ...]) -> None:
    counts = Counter(dict(zip(map(str, Impact), present, strict=True)))
    expected: Safety = "safe"
    if counts[Impact.CANNOT_TELL] or INCONCLUSIVE in endpoints or not any(present):
        expected = "cannot_tell"
    if counts[Impact.WILL_DISCONNECT] or FAIL in endpoints:
        expected = "unsafe"
    assert safety_of(counts, endpoints) == expected


def test_where_no_mailbox_was_tried_nobody_can_tell() -> None:
    assert safety_of(Counter(), ()) == "cannot_tell"
    assert safety_of(dict.fromkeys(map(str, Impact), 0), [OK, OK]) == "cannot_tell"
