"""Who is put off comes up once more when the time has come, and never a third time."""

import time

import pytest

from checks.codes import Code, Verdict
from checks.model import CredentialKind, LoginResult, Protocol
from settings_store.runs.outcomes import Done
from settings_store.runs.pages import Work
from worker.runs.second_tries import SecondTries


def work(number: int) -> Work:
    return Work(number, f"box{number}@lab.example", f"box{number}", CredentialKind.PASSWORD, b"")


def throttled(number: int, wait: float, reached: int = 0, protocol: Protocol = Protocol.IMAP) -> Done:
    result = LoginResult(Verdict.INCONCLUSIVE, Code.SERVER_THROTTLED, protocol, wait=wait)
    return Done(number, result, reached=reached)


@pytest.fixture
def tries(monkeypatch: pytest.MonkeyPatch) -> SecondTries:
    monkeypatch.setattr(time, "monotonic", lambda: 100.0)
    made = SecondTries()
    made.take([work(number) for number in range(4)])
    return made


def test_each_comes_up_once_more_after_its_wait(tries: SecondTries, monkeypatch: pytest.MonkeyPatch) -> None:
    good = Done(3, LoginResult(Verdict.OK, Code.OK, Protocol.SMTP))

    assert tries.put_off([throttled(0, 5), throttled(1, 20, reached=1), good]) == [good]
    assert tries.due() == []
    monkeypatch.setattr(time, "monotonic", lambda: 105.0)
    assert [(each.mailbox_id, each.again, each.skip) for each in tries.due()] == [(0, True, 0)]
    again = throttled(0, 5)
    assert tries.put_off([again]) == [again]
    monkeypatch.setattr(time, "monotonic", lambda: 120.0)
    assert [(each.mailbox_id, each.again, each.skip) for each in tries.due()] == [(1, True, 1)]
    assert tries.due() == []


def test_who_asks_for_nothing_is_done_with(tries: SecondTries) -> None:
    done = throttled(2, 0)
    assert tries.put_off([done]) == [done]
    assert tries.waited == {}


def test_nobody_is_waited_for_in_the_end(tries: SecondTries) -> None:
    first, second = throttled(0, 5), throttled(1, 7)
    assert tries.put_off([first, second]) == []
    assert tries.give_up() == [first, second]
    assert tries.give_up() == []


def test_what_was_waited_for_is_counted_by_protocol(tries: SecondTries) -> None:
    tries.put_off([throttled(0, 5), throttled(1, 20), throttled(2, 9, protocol=Protocol.SMTP)])
    assert tries.waited == {"imap": (2, 20), "smtp": (1, 9)}
