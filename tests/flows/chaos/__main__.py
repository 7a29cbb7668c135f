"""`python -m tests.flows.chaos [--faults N] [--mailboxes N] [--seed N]`: what the service makes of disasters.

Prints a line for each fault and for each violation, and the numbers at the end. Exit status: 0 no violation, 1 some,
2 the servers cannot run here.
"""

import argparse
import random
import sys
import time
from collections.abc import Sequence

from tests.flows import quick
from tests.flows.chaos.arena import open_arena
from tests.flows.chaos.trial import Trial, quiet, say
from tests.servers.process import ServerError, scratch_folder

FAULTS_PER_RUN = 25


def main(arguments: Sequence[str]) -> int:
    """Makes the faults happen. Returns the exit status."""
    options = _parser().parse_args(arguments)
    seed = random.SystemRandom().randrange(10**6) if options.seed is None else options.seed
    try:
        violations = chaos(options.faults, options.mailboxes, seed, lease=options.lease)
    except ServerError as error:
        say(str(error))
        return 2
    return 1 if violations else 0


def chaos(
    faults: int, mailboxes: int, seed: int, per_run: int = FAULTS_PER_RUN, lease: float = quick.LEASE_SECONDS
) -> int:
    """So many faults, over as many runs as it takes. Returns how many violations there were."""
    say(f"seed {seed}, {mailboxes} mailboxes a run, two workers and beat, PostgreSQL, Redis, Dovecot, Postfix")
    quick.hurry()
    begun, done, number, violations = time.monotonic(), 0, 0, 0
    with scratch_folder() as folder, open_arena(folder, mailboxes, lease, seed) as arena:
        quiet(arena)
        expected = {}
        for _ in range(2):
            report = quiet(arena)
            expected[arena.direction] = report
        while done < faults:
            number += 1
            trial = Trial(arena, expected[1 - arena.direction], number, done)
            trial.hold(min(per_run, faults - done))
            done, violations = trial.count, violations + len(trial.problems)
            for problem in trial.problems:
                say(f"VIOLATION run {number:2}: {problem}")
    say(f"{done} faults in {number} runs, {violations} violations, {time.monotonic() - begun:.0f} s")
    return violations


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.flows.chaos", description="Faults, and what must stay true.")
    parser.add_argument("--faults", type=int, default=200)
    parser.add_argument("--mailboxes", type=int, default=2000)
    parser.add_argument("--seed", type=int, help="repeats the faults of another time, as far as time itself repeats")
    parser.add_argument(
        "--lease",
        type=float,
        default=quick.LEASE_SECONDS,
        help="seconds; on a machine too busy to give a process its turn within these, mailboxes log in twice",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
