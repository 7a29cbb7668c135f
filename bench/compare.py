"""All parties in turn, round by round: curl, one process, two workers."""

from dataclasses import dataclass, field

from bench.curl import Request, run_curl, warm_up
from bench.field import Field, Ports, say
from bench.sample import Sample
from bench.service import Backends, distributed, embedded
from bench.verify import run_verify


@dataclass(frozen=True, slots=True)
class Comparison:
    """The rounds of each party with `count` mailboxes."""

    count: int
    request: Request
    curl: list[Sample] = field(default_factory=list)
    embedded: list[Sample] = field(default_factory=list)
    distributed: list[Sample] = field(default_factory=list)


def compare(area: Field, backends: Backends, ports: Ports, count: int, rounds: int, request: Request) -> Comparison:
    """Runs the rounds. Raises `Void`."""
    warm_up(area, count)
    found = Comparison(count, request)
    for number in range(1, rounds + 1):
        found.curl.append(run_curl(area, ports, count, request))
        _tell(number, "curl", found.curl[-1])
        found.embedded.append(verify_embedded(area, ports, count))
        _tell(number, "one process", found.embedded[-1])
        found.distributed.append(verify_distributed(area, backends, ports, count))
        _tell(number, "two workers", found.distributed[-1])
    return found


def verify_embedded(area: Field, ports: Ports, count: int) -> Sample:
    """A verification on a fresh database in one process."""
    with embedded(area.folder) as service:
        return run_verify(area, service, ports, count)


def verify_distributed(area: Field, backends: Backends, ports: Ports, count: int) -> Sample:
    """A verification on a fresh database by two fresh workers."""
    with distributed(area.folder, backends) as service:
        return run_verify(area, service, ports, count)


def _tell(number: int, party: str, sample: Sample) -> None:
    say(f"  round {number}, {party}: run {sample.run:.2f} s, command {sample.command:.2f} s, CPU {sample.cpu:.2f} s")
