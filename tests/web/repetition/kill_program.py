"""A server that kills itself at a step of a request: `python -m tests.web.repetition.kill_program URL KEY`.

Each line of standard input is the number of a step, 0 for none; the answer is a process and its address. The next line
is read once that process is dead. It is a child of this one, so that nothing is imported twice.
"""

import itertools
import os
import signal
import sys
import time

import sqlalchemy as sa
from pydantic import SecretStr

from web.server import answering
from worker.config import Config
from worker.service.preflight import Preflight

_STEPS = ("before_cursor_execute", "after_cursor_execute", "commit", "rollback", "checkin")
"""Before and after every statement, before a commit, and after it, when the connection goes back."""


def main(url: str, key: str) -> None:
    """Serves, until standard input ends."""
    for line in sys.stdin:
        if (child := os.fork()) == 0:
            _serve(url, key, int(line))
        os.waitpid(child, 0)


def _serve(url: str, key: str, at: int) -> None:
    config = Config(secret_key=SecretStr(key), database_url=SecretStr(url))
    with Preflight.open(config) as preflight, answering(preflight, "127.0.0.1", 0) as address:
        steps = itertools.count(1)

        def step(*_: object) -> None:
            if next(steps) == at:
                os.kill(os.getpid(), signal.SIGKILL)

        for name in _STEPS:
            sa.event.listen(preflight.database._engine, name, step)  # noqa: SLF001 -- to be killed within it
        sys.stdout.write(f"{os.getpid()} {address}\n")
        sys.stdout.flush()
        while True:
            time.sleep(60)


if __name__ == "__main__":
    main(*sys.argv[1:])
