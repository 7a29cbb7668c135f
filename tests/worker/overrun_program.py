"""A process under `worker.watchdog`, for its test: `python -m tests.worker.overrun_program WORK`.

It computes or waits beyond its deadline, or ends with a status; its successor prints what it was told.
"""

import sys
import time

from worker import watchdog

SECONDS = 0.2


def compute_in_python() -> None:
    while True:
        pass


def compute_in_c() -> None:
    """One operation of big numbers that takes minutes and lets no other thread run."""
    number = (1 << 120_000) - 1
    pow(number, number, number + 2)


WORKS = {"python": compute_in_python, "c": compute_in_c, "wait": lambda: time.sleep(3), "long": lambda: time.sleep(60)}


def main(what: str) -> int:
    watchdog.LOOK_SECONDS, watchdog.GRACE_SECONDS, watchdog.COMPUTED_SECONDS = 0.05, 0.1, 0.3
    overruns = watchdog.begin()
    if overruns:
        print(*(f"{item.work} of {item.endpoint}" for item in overruns), flush=True)  # noqa: T201 - for the test
        return 5
    print("begun", flush=True)  # noqa: T201 - for the test
    with watchdog.during("endpoint check", "imap://mail.example:993", SECONDS):
        WORKS[what]()
    return 7


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
