"""`python -m tests.fuzz [--minutes 1] [--seed N] [--inputs N] [target ...]`.

Ends with status 1, and the input in its smallest form, where an invariant does not hold. A run with the same seed and
the same number of inputs does the same again.
"""

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Sequence

import hypothesis
from hypothesis import HealthCheck, Phase, given, settings

from tests.fuzz.discovery import TARGETS as DISCOVERY
from tests.fuzz.exchange import TARGETS as EXCHANGE
from tests.fuzz.invariants import hold
from tests.fuzz.mail import TARGETS as MAIL
from tests.fuzz.mutations import mutated
from tests.fuzz.pki import targets
from tests.fuzz.target import Target

ROUND = 200  # inputs of one target before the next one's turn


def all_targets() -> tuple[Target, ...]:
    """Every protocol and stage."""
    return (*MAIL, *EXCHANGE, *DISCOVERY, *targets())


def fuzz(target: Target, seed: int, inputs: int, done: Counter[str]) -> None:
    """So many inputs of one target. Raises what does not hold, about the smallest input that shows it."""

    @hypothesis.seed(seed)
    @settings(
        max_examples=inputs,
        deadline=None,  # the invariants have their own
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
    )
    @given(mutated(target.seeds, target.vocabulary))
    def each(data: bytes) -> None:
        done[target.name] += 1
        hold(target.run, target.allowed, data)

    each()


def main(arguments: Sequence[str]) -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--inputs", type=int, default=0, help="so many in all instead of so many minutes")
    parser.add_argument("targets", nargs="*")
    given_ = parser.parse_args(arguments)
    chosen = [target for target in all_targets() if not given_.targets or target.name in given_.targets]
    end = time.monotonic() + given_.minutes * 60
    done: Counter[str] = Counter()
    seed = given_.seed
    write(f"seed {given_.seed}, {len(chosen)} targets")
    while done.total() < given_.inputs if given_.inputs else time.monotonic() < end:
        for target in chosen:
            fuzz(target, seed, ROUND, done)
            if not given_.inputs and time.monotonic() > end:
                break
        seed += 1
    for name, count in sorted(done.items()):
        write(f"{count:9,} {name}")
    write(f"{done.total():9,} inputs, all invariants held")
    return 0


def write(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
