"""The command line of the trials that kill workers: `--kills N`, `--seed N`, `--postgres`."""

import argparse
import contextlib
import sys
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from tests.servers.postgres import PostgresServer
from tests.servers.process import scratch_folder


class Outcome(Protocol):
    """What came of a trial, for people as text."""

    @property
    def lost(self) -> Sequence[str]:
        """What never arrived."""

    @property
    def twice(self) -> Sequence[str]:
        """What arrived as something else."""

    @property
    def good(self) -> bool:
        """Whether all is as it must be."""


def main(name: str, what: str, trial: Callable[[str, int, int], Outcome], arguments: Sequence[str]) -> int:
    """Prints the numbers of a trial (database, kills, seed). Returns the exit status."""
    parser = argparse.ArgumentParser(prog=f"python -m tests.flows.{name}", description=what.split("\n")[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1, help="repeats the choices of another time, not its timing")
    parser.add_argument("--postgres", action="store_true", help="instead of SQLite")
    options = parser.parse_args(arguments)
    begun = time.monotonic()
    with scratch_folder() as folder, contextlib.ExitStack() as stack:
        url = f"sqlite:///{folder}/kills.db"
        if options.postgres:
            url = stack.enter_context(PostgresServer(folder / "postgres")).new_database()
        outcome = trial(url, options.kills, options.seed)
    problems = [f"LOST {item}" for item in outcome.lost] + [f"TWICE {item}" for item in outcome.twice]
    kind = "PostgreSQL" if options.postgres else "SQLite"
    seconds = time.monotonic() - begun
    sys.stdout.write("\n".join([*problems, f"{kind}, seed {options.seed}: {outcome}, {seconds:.0f} s"]) + "\n")
    return 0 if outcome.good else 1
