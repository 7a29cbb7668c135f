"""A service of the bench that answers HTTP in a process of its own."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def serving(module: str, database_url: str, secret_key: str, **variables: str) -> Iterator[tuple[int, str]]:
    """`python -m MODULE`, which prints its address and ends with its standard input: its process id and that address.

    `variables` are settings of the service, without their `MAIL_PREFLIGHT_`.
    """
    own = {"DATABASE_URL": database_url, "SECRET_KEY": secret_key, **variables}
    environment = {**os.environ, **{f"MAIL_PREFLIGHT_{name}": value for name, value in own.items()}}
    command = [sys.executable, "-m", module]
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as program:
        try:
            yield program.pid, str(program.stdout.readline().strip() if program.stdout else "")
        finally:
            if program.stdin:
                program.stdin.close()
