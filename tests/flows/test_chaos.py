"""The short form of `make chaos`: a few faults in a small domain, and the judge who has to notice what is wrong."""

import time

import pytest

from settings_store.db import Database
from tests.flows.chaos.__main__ import chaos
from tests.flows.chaos.judge import Mark, Report, judge_logins, judge_report, judge_verdicts
from tests.flows.chaos.seen import Known, Login, Outage, Snapshot
from tests.servers.process import is_root

OK = Known("ok", "ok", baseline=False, baseline_verdict=None)
FAIL = Known("fail", "auth.rejected", baseline=True, baseline_verdict="fail")
FINAL = Snapshot(100.0, {"ann": OK, "bob": FAIL})


def logins(*items: tuple[float, str, str]) -> list[Login]:
    return [Login(at, user, service, accepted=user == "ann") for at, user, service in items]


GOOD = logins((1, "ann", "imap"), (2, "ann", "smtp"), (3, "bob", "imap"), (4, "bob", "imap"))


@pytest.mark.skipif(not is_root(), reason="Postfix can only be started by root")
@pytest.mark.timeout(150)
def test_six_faults(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for owner, name in ((time, "time"), (Database, "now")):
        monkeypatch.setattr(owner, name, getattr(owner, name))  # the arena replaces them; this puts them back

    violations = chaos(6, 120, seed=3, per_run=6, lease=8)

    assert violations == 0, capsys.readouterr().out


def test_a_run_as_it_should_be_is_no_violation() -> None:
    assert not [*judge_logins(GOOD, [], FINAL, complete_log=True), *judge_verdicts([], FINAL, 2)]


def test_a_login_after_the_result_was_stored_is_a_violation() -> None:
    mark = Mark(Snapshot(5.0, {"ann": OK}), 5.1, loses=True)

    found = [*judge_logins([*GOOD, *logins((6, "ann", "imap"))], [mark], FINAL, complete_log=True)]

    assert len(found) == 1
    assert "stored" in found[0]


def test_a_second_login_is_one_unless_its_result_may_be_lost() -> None:
    twice = [*GOOD, *logins((6, "ann", "imap"))]
    lost, kept = Mark(Snapshot(5.0, {}), 5.1, loses=True), Mark(Snapshot(5.0, {}), 5.1, loses=False)

    assert not [*judge_logins(twice, [lost], FINAL, complete_log=True)]
    assert [*judge_logins(twice, [kept], FINAL, complete_log=True)]


def test_what_was_sent_before_a_fault_may_be_answered_after_it() -> None:
    stuck_and_again = [*GOOD[1:], *logins((5.3, "ann", "imap"), (9, "ann", "imap"))]
    mark = Mark(Snapshot(5.0, {}), 5.1, loses=True, late=1.0)

    assert not [*judge_logins(stuck_and_again, [mark], FINAL, complete_log=True)]
    assert [*judge_logins([*stuck_and_again, *logins((10, "ann", "imap"))], [mark], FINAL, complete_log=True)]


def test_who_was_let_in_by_a_server_that_went_down_may_come_again() -> None:
    down = Outage(Snapshot(4.0, {}), Snapshot(9.0, {}), down=5.0, up=6.5)
    cut_off = [*GOOD[1:], *logins((5.1, "ann", "imap"), (6.6, "ann", "imap"))]

    assert not [*judge_logins(cut_off, [], FINAL, complete_log=False, outages=[down])]
    assert [*judge_logins([*cut_off, *logins((8, "ann", "imap"))], [], FINAL, complete_log=False, outages=[down])]


def test_ok_without_a_login_is_a_violation() -> None:
    assert [*judge_logins(GOOD[1:], [], FINAL, complete_log=True)]
    assert not [*judge_logins(GOOD[1:], [], FINAL, complete_log=False)]


def test_a_verdict_that_changed_or_went_is_a_violation() -> None:
    mark = Mark(Snapshot(5.0, {"ann": FAIL}), 5.1, loses=True)

    assert [*judge_verdicts([mark], FINAL, 2)]
    assert [*judge_verdicts([], FINAL, 3)]


def test_only_who_was_under_way_while_a_mail_server_was_down_may_be_unsure() -> None:
    expected = Report({"keeps_working": 1}, "sum", {"ann": ("keeps_working", "ok")})
    unsure = Report({"cannot_tell": 1}, "other", {"ann": ("cannot_tell", "connect.refused")})
    wrong = Report({"will_disconnect": 1}, "other", {"ann": ("will_disconnect", "auth.rejected")})

    assert not [*judge_report(expected, expected, excused=None)]
    assert [*judge_report(unsure, expected, excused=None)]
    assert not [*judge_report(unsure, expected, excused={"ann"})]
    assert [*judge_report(unsure, expected, excused={"bob"})]
    assert [*judge_report(wrong, expected, excused={"ann"})]


def test_an_outage_cuts_off_who_was_at_imap_then_or_had_a_result_then() -> None:
    outage = Outage(Snapshot(50.0, {"ann": OK}), Snapshot(60.0, {"ann": OK, "bob": FAIL}), down=50.0, up=55.0)
    at = logins((30, "early", "imap"), (49, "cid", "imap"), (55.5, "dan", "imap"), (58, "late", "imap"))

    assert outage.cut_off(at) == {"bob", "cid", "dan"}
