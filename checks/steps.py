"""The record of a check: its steps in order, so the first red one is the cause and everything before it worked."""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import replace

from checks import redact, tls
from checks.model import Code, Fault, Step, Verdict, verdict_of
from checks.network import Deadline, fault_of


class Steps:
    """Steps taken under one deadline."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        self._taken: list[Step] = []

    @property
    def taken(self) -> tuple[Step, ...]:
        return tuple(self._taken)

    @contextlib.contextmanager
    def step(self, name: str, late: Code) -> Iterator[list[str]]:
        """Records a step; what is put into the list is its `seen`. `late` is what it means when time runs out inside.

        Raises `Fault` where the step raised an `OSError`; other exceptions pass unrecorded.
        """
        begun = time.monotonic()
        note: list[str] = []
        try:
            yield note
        except Fault as fault:
            self._record(name, verdict_of(fault.code), begun, fault.seen or "".join(note))
            raise
        except OSError as error:
            met = self._fault(error, late)
            self._record(name, verdict_of(met.code), begun, met.seen)
            raise met from None
        self._record(name, Verdict.OK, begun, "".join(note))

    def mark(self, name: str, verdict: Verdict, seen: str) -> None:
        """Gives a step another meaning: what a handshake is worth is known only after it."""
        seen = redact.words(seen)
        self._taken = [replace(step, verdict=verdict, seen=seen) if step.name == name else step for step in self._taken]

    def merge(self, later: "Steps") -> None:
        """Takes over the steps of another conversation; where both have one, the later one holds."""
        self._taken = list({step.name: step for step in (*self._taken, *later.taken)}.values())

    def _fault(self, error: OSError, late: Code) -> Fault:
        if isinstance(error, TimeoutError):
            return Fault(late, "no answer in time", **seconds(self._deadline))
        return tls.after_handshake(error) or fault_of(error)

    def _record(self, name: str, verdict: Verdict, begun: float, seen: str) -> None:
        ms = round((time.monotonic() - begun) * 1000, 1)
        self._taken.append(Step(name, verdict, ms, redact.words(seen)))


def seconds(deadline: Deadline) -> dict[str, str]:
    """The fact for the wording of a time-out: how long was waited."""
    return {"seconds": f"{deadline.seconds:.0f}"}
