"""A process under `worker.watchdog`, for its test: `python -m tests.worker.overrun_program WORK`.

It computes or waits beyond its deadline, or ends with a status; its successor prints what it was told.
"""

import sys
import time
from collections.abc import Callable
from typing import NoReturn

from worker import watchdog

SECONDS = 0.2


def compute_in_python() -> NoReturn:
    while True:
        pass


def compute_in_c() -> NoReturn:
    """One operation of big numbers that takes minutes and lets no other thread run."""
    number = (1 << 120_000) - 1
    while True:
        pow(number, number, number + 2)


WORKS: dict[str, Callable[[], NoReturn]] = {"python": compute_in_python, "c": compute_in_c}
WAITS = {"wait": 3.0, "long": 60.0}


def main(what: str) -> int:
    watchdog.LOOK_SECONDS, watchdog.GRACE_SECONDS, watchdog.COMPUTED_SECONDS = 0.05, 0.1, 0.3
    overruns = watchdog.begin()
    if overruns:
        print(*(f"{item.work} of {item.endpoint}" for item in overruns), flush=True)  # noqa: T201 - for the test
        return 5
    print("begun", flush=True)  # noqa: T201 - for the test
    with watchdog.during("endpoint check", "imap://mail.example:993", SECONDS):
        WORKS[what]() if what in WORKS else time.sleep(WAITS[what])
    return 7


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
