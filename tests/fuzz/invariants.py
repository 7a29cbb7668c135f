"""What must hold for every input of every target."""

import time
from collections.abc import Callable
from contextlib import suppress

from checks.codes import Code
from checks.model import Fault

SECONDS = 1.0
"""The deadline of whatever is done with one input."""
GRACE_SECONDS = 1.0
CPU_SECONDS = 0.4
"""For one input of at most `SIZE` bytes: ten times what the dearest takes on a machine that is not busy."""
SIZE = 100_000

Run = Callable[[bytes], bool]
"""Reads one input; whether a login was accepted. Raises `Fault` and `OSError`."""


class Broken(AssertionError):
    """An invariant does not hold."""


def hold(run: Run, allowed: Callable[[bytes], bool], data: bytes) -> None:
    """Raises `Broken`, and whatever else `run` should not have raised.

    `allowed` says whether the input could have been a completed login. Times are taken again before they count: the
    machine may have been busy.
    """
    slow = _once(run, allowed, data)
    if slow:
        slow = _once(run, allowed, data)
    if slow:
        raise Broken(slow)


def _once(run: Run, allowed: Callable[[bytes], bool], data: bytes) -> str:
    begun, used = time.monotonic(), time.thread_time()
    accepted = False
    with suppress(OSError):
        try:
            accepted = run(data)
        except Fault as fault:
            if fault.code is Code.INTERNAL:
                raise Broken("a defect of ours") from None
    if accepted and not allowed(data):
        raise Broken("accepted without a completed login")
    used, took = time.thread_time() - used, time.monotonic() - begun
    if used > CPU_SECONDS:
        return f"{used:.2f} s of CPU"
    return f"{took:.2f} s" if took > SECONDS + GRACE_SECONDS else ""
