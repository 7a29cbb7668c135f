"""A few inputs of every target, and proof that the invariants can fail."""

import time
from collections import Counter

import pytest

from checks.codes import Code
from checks.model import Fault
from tests.fuzz import invariants
from tests.fuzz.__main__ import all_targets, fuzz
from tests.fuzz.invariants import Broken, hold
from tests.fuzz.target import Target


@pytest.mark.parametrize("target", all_targets(), ids=lambda target: target.name)
def test_a_few_inputs(target: Target) -> None:
    done: Counter[str] = Counter()
    fuzz(target, 1, 40, done)
    assert done[target.name] >= 40


@pytest.mark.parametrize("target", all_targets(), ids=lambda target: target.name)
def test_the_seeds_as_they_are(target: Target) -> None:
    for seed in target.seeds:
        hold(target.run, target.allowed, seed)


def test_seeds_that_log_in_are_accepted() -> None:
    for target in all_targets():
        if target.name in ("imap-plain", "smtp-login", "soap"):
            assert target.run(target.seeds[0])


@pytest.mark.parametrize("kind", ["defect", "escape", "accepted", "cpu"])
def test_what_does_not_hold_is_found(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invariants, "CPU_SECONDS", 0.01)

    def run(_: bytes) -> bool:
        begun = time.thread_time()
        if kind == "defect":
            raise Fault(Code.INTERNAL)
        if kind == "escape":
            raise KeyError("x")
        while kind == "cpu" and time.thread_time() - begun < 0.05:
            pass
        return kind == "accepted"

    with pytest.raises((Broken, KeyError)):
        hold(run, lambda _: False, b"")
