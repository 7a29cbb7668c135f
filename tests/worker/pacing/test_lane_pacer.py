"""How a lane behaves: who gets in at the gate, and when like failures are too many."""

import threading
import time
from collections.abc import Sequence

import pytest

from checks.codes import Code, Verdict
from checks.model import CredentialKind, LoginResult, Protocol
from settings_store.runs.outcomes import Done
from settings_store.runs.pages import Work
from worker.pacing.lane_pacer import TROUBLE, Gate, LanePacer
from worker.pacing.pacer import LocalPacer


def work(number: int) -> Work:
    return Work(number, f"box{number}@lab.example", f"box{number}", CredentialKind.PASSWORD, b"")


def done(code: Code = Code.OK, verdict: Verdict = Verdict.FAIL) -> Done:
    return Done(1, LoginResult(Verdict.OK if code is Code.OK else verdict, code, Protocol.IMAP))


def polite(like_failures: int = 3, pacer: LocalPacer | None = None, threads: int = 8) -> LanePacer:
    return LanePacer(pacer or LocalPacer(16), ["one", "one", "two"], "me", threads, like_failures)


class TestGate:
    def test_nobody_holds_a_turn_while_the_line_is_empty(self) -> None:
        """Given threads that wait for work, when fewer are allowed, then fewer begin."""
        gate, inside, most = Gate(), [0], [0]
        lock = threading.Lock()

        def login() -> None:
            while gate.take() is not None:
                with lock:
                    inside[0] += 1
                    most[0] = max(most[0], inside[0])
                time.sleep(0.005)
                with lock:
                    inside[0] -= 1
                gate.leave()

        threads = [threading.Thread(target=login) for _ in range(8)]
        gate.allow(8)
        for thread in threads:
            thread.start()
        time.sleep(0.05)
        gate.allow(2)
        gate.put([work(number) for number in range(20)])
        while gate.waiting or gate.busy:
            time.sleep(0.005)
        gate.close()
        for thread in threads:
            thread.join(5)

        assert most[0] == 2
        assert not any(thread.is_alive() for thread in threads)

    def test_what_is_drained_is_not_begun(self) -> None:
        gate = Gate()
        gate.put([work(1), work(2)])
        gate.allow(1)
        assert gate.take() == work(1)
        assert gate.drain() == [work(2)]
        assert (gate.busy, gate.waiting) == (1, 0)
        gate.close()
        assert gate.take() is None


class TestTooMany:
    @pytest.mark.parametrize(
        ("results", "expected"),
        [
            ([done(Code.AUTH_REJECTED)] * 3, Code.AUTH_REJECTED),
            ([done(Code.AUTH_REJECTED)] * 2, None),
            ([done(Code.AUTH_REJECTED), done(), done(Code.AUTH_REJECTED), done(Code.AUTH_REJECTED)], None),
            ([done(Code.AUTH_REJECTED), done(Code.AUTH_LOCKED), done(Code.AUTH_REJECTED)], None),
            ([done(Code.SERVER_THROTTLED, Verdict.INCONCLUSIVE)] * 3, Code.SERVER_THROTTLED),
            ([done()] * 9, None),
        ],
    )
    def test_like_failures_in_a_row(self, results: Sequence[Done], expected: Code | None) -> None:
        assert polite().learn(results) == expected

    def test_are_counted_from_one_write_to_the_next(self) -> None:
        lane = polite()
        assert lane.learn([done(Code.AUTH_REJECTED)] * 2) is None
        assert lane.learn([]) is None
        assert lane.learn([done(Code.AUTH_REJECTED)]) is Code.AUTH_REJECTED


class TestSlots:
    @pytest.mark.parametrize("code", sorted(TROUBLE))
    def test_trouble_halves_what_all_may_use(self, code: Code) -> None:
        pacer = LocalPacer(16)
        polite(99, pacer).learn([done(), done(code, Verdict.INCONCLUSIVE)])
        assert pacer.renew("one", "me", 16) == 4
        assert pacer.renew("two", "me", 16) == 4

    def test_a_wrong_password_is_no_trouble(self) -> None:
        pacer = LocalPacer(16)
        polite(99, pacer).learn([done(Code.AUTH_REJECTED)])
        assert pacer.renew("one", "me", 16) == 8

    def test_what_goes_well_earns_more(self) -> None:
        pacer = LocalPacer(16)
        polite(99, pacer).learn([done()] * 3)
        assert pacer.renew("one", "me", 16) == 11

    def test_it_is_starting_until_each_thread_could_have_shown_what_the_server_bears(self) -> None:
        lane = polite(99, threads=4)
        assert lane.starting
        lane.learn([done()] * 3)
        assert lane.starting
        lane.learn([done(Code.AUTH_REJECTED)])
        assert not lane.starting

    def test_all_is_given_back_at_the_end(self) -> None:
        pacer = LocalPacer(16)
        lane = polite(99, pacer)
        lane.renew()
        assert pacer.renew("one", "other", 8) == 0
        lane.end()
        assert pacer.renew("one", "other", 8) == 8
