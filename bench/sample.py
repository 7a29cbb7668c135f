"""One party's numbers of one round."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Sample:
    """Seconds and MB.

    `run`: from the save to the finished report; `command`: the whole command; `cpu`: of all that did the work;
    `waiting_cpu`: of a command that only waited for it; `peak`: of the largest process that did the work;
    `slowest_login`: in ms, of one mailbox at one server.
    """

    run: float
    command: float
    cpu: float
    waiting_cpu: float
    peak: float
    slowest_login: float = 0.0


Pick = Callable[[Sample], float]


def middle(samples: Sequence[Sample], pick: Pick) -> float:
    """The median of one number."""
    return median(map(pick, samples))


def ratio(ours: Sequence[Sample], yardstick: Sequence[Sample], pick: Pick) -> float:
    """The median of the ratios within each round: what disturbed a round disturbed both."""
    return median(pick(our) / pick(their) for our, their in zip(ours, yardstick, strict=True))
