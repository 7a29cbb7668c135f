"""The record of a check: its steps in order, so the first red one is the cause and everything before it worked."""

import time
from contextlib import AbstractContextManager
from dataclasses import replace

from checks import redact
from checks.codes import Code, Verdict, verdict_of
from checks.model import Fault, Step
from checks.network.dial import Deadline, fault_of
from checks.tls import handshake


class Steps:
    """Steps taken under one deadline."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        self._taken: list[Step] = []

    @property
    def taken(self) -> tuple[Step, ...]:
        return tuple(self._taken)

    def step(self, name: str, late: Code) -> AbstractContextManager[list[str]]:
        """Records a step; what is put into the list is its `seen`. `late` is what it means when time runs out inside.

        Raises `Fault` where the step raised an `OSError`; other exceptions pass unrecorded.
        """
        return _Step(self, name, late)

    def mark(self, name: str, verdict: Verdict, seen: str) -> None:
        """Gives a step another meaning: what a handshake is worth is known only after it."""
        seen = redact.words(seen)
        self._taken = [replace(step, verdict=verdict, seen=seen) if step.name == name else step for step in self._taken]

    def merge(self, later: "Steps") -> None:
        """Takes over the steps of another conversation; where both have one, the later one holds."""
        self._taken = list({step.name: step for step in (*self._taken, *later.taken)}.values())

    def fault_in(self, error: OSError, late: Code) -> Fault:
        """What an error inside a step means."""
        if isinstance(error, TimeoutError):
            return Fault(late, "no answer in time", **seconds(self._deadline))
        return handshake.after_handshake(error) or fault_of(error)

    def record(self, name: str, verdict: Verdict, begun: float, seen: str) -> None:
        """Notes a step that began at a time of `time.monotonic`."""
        ms = round((time.monotonic() - begun) * 1000, 1)
        self._taken.append(Step(name, verdict, ms, redact.words(seen)))


class _Step:
    """One step under way. A class, because every check takes five and a generator costs three times as much."""

    __slots__ = ("_begun", "_late", "_name", "_note", "_steps")

    def __init__(self, steps: Steps, name: str, late: Code) -> None:
        self._steps, self._name, self._late = steps, name, late
        self._begun = time.monotonic()
        self._note: list[str] = []

    def __enter__(self) -> list[str]:
        return self._note

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if error is None:
            self._steps.record(self._name, Verdict.OK, self._begun, "".join(self._note))
        elif isinstance(error, Fault):
            self._steps.record(self._name, verdict_of(error.code), self._begun, error.seen or "".join(self._note))
        elif isinstance(error, OSError):
            met = self._steps.fault_in(error, self._late)
            self._steps.record(self._name, verdict_of(met.code), self._begun, met.seen)
            raise met from None


def seconds(deadline: Deadline) -> dict[str, str]:
    """The fact for the wording of a time-out: how long was waited."""
    return {"seconds": f"{deadline.seconds:.0f}"}
