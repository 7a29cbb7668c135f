"""How time and memory grow with the number of mailboxes."""

from dataclasses import dataclass, field

from bench.compare import verify_distributed, verify_embedded
from bench.curl import warm_up
from bench.field import Field, say
from bench.plan import Plan
from bench.sample import Sample
from bench.service import Backends


@dataclass(frozen=True, slots=True)
class Growth:
    """One sample of each mode by the number of mailboxes."""

    embedded: dict[int, Sample] = field(default_factory=dict)
    distributed: dict[int, Sample] = field(default_factory=dict)


def measure_growth(area: Field, backends: Backends, plan: Plan) -> Growth:
    """Verifies once per size and mode, each on a fresh database by fresh processes. Raises `Void`."""
    warm_up(area, max(plan.sizes))
    found = Growth()
    for size in plan.sizes:
        found.embedded[size] = verify_embedded(area, area.near, size)
        _tell(size, "one process", found.embedded[size])
    for size in plan.worker_sizes:
        found.distributed[size] = verify_distributed(area, backends, area.near, size)
        _tell(size, "two workers", found.distributed[size])
    return found


def _tell(size: int, mode: str, sample: Sample) -> None:
    say(f"  {size:,} mailboxes, {mode}: run {sample.run:.2f} s, peak {sample.peak:.0f} MB")
