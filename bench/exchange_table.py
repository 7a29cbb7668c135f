"""The results of `bench.exchange` as Markdown."""

from collections.abc import Iterator

from bench.exchange import ROUND_TRIP, Exchange, Rounds
from bench.plan import AT_ONCE
from bench.sample import Sample, middle, ratio

_GROWTH_RATIO = 1.1  # "flat": what allocators differ by from one run to the next
_SPEED = {"Basic": 1.1}
"""The least that our mailboxes a second may be to the loop's, by scheme."""


def exchange_table(found: Exchange) -> Iterator[str]:
    """The lines of both tables."""
    count = f"{found.count:,} mailboxes in Exchange, {AT_ONCE} at a time, round trip {ROUND_TRIP * 1000:.0f} ms"
    yield f"| {count} | `requests` loop | one process | to the loop | two workers | to the loop | target |"
    yield "|---|---:|---:|---:|---:|---:|---:|"
    for scheme, rounds in found.rounds.items():
        yield from _scheme(scheme, rounds, found.count)
    if found.growth:
        yield ""
        yield from _growth(found)


def _scheme(scheme: str, found: Rounds, count: int) -> Iterator[str]:
    parties = (found.loop, found.embedded, found.distributed)
    rates = [f"{count / middle(samples, _run):.0f}" for samples in parties]
    least = _SPEED.get(scheme, 0.0)
    speeds = [_fast(1 / ratio(samples, found.loop, _run), least) for samples in parties[1:]]
    name, target = f"{scheme}: mailboxes a second, from save to report", f"≥ {least:.2f}" if least else ""
    yield _row(name, rates[0], rates[1], speeds[0], rates[2], speeds[1], target)
    costs = [f"{middle(samples, _cpu) / count * 1000:.1f} ms" for samples in parties]
    shares = [f"{ratio(samples, found.loop, _cpu):.2f}" for samples in parties[1:]]
    name = f"{scheme}: CPU a mailbox, of all that do the work"
    yield _row(name, costs[0], costs[1], shares[0], costs[2], shares[1], "")


def _fast(speed: float, least: float) -> str:
    return f"{speed:.2f}" if speed >= least else f"**{speed:.2f}, missed**"


def _growth(found: Exchange) -> Iterator[str]:
    yield "| mailboxes in Exchange | peak of a worker | most connections at the server, just closed ones too |"
    yield "|---:|---:|---:|"
    for size, grown in found.growth.items():
        yield _row(f"{size:,}", f"{grown.peak:.0f} MB", str(grown.connections))
    peaks = [grown.peak for grown in found.growth.values()]
    if len(peaks) > 1:
        grew = peaks[-1] / peaks[0]
        verdict = f"{grew:.2f}" if grew <= _GROWTH_RATIO else f"**{grew:.2f}, missed**"
        yield ""
        yield f"A worker's memory grows by {verdict} times (target: flat, which is taken as ≤ {_GROWTH_RATIO})."


def _run(sample: Sample) -> float:
    return sample.run


def _cpu(sample: Sample) -> float:
    return sample.cpu


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
