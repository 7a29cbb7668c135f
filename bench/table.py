"""The results as Markdown, each beside its target. A number that misses its target says so."""

import os
import platform
import ssl
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bench.compare import Comparison
from bench.growth import Growth
from bench.latency import Latency
from bench.plan import AT_ONCE, ROUND_TRIP
from bench.sample import Pick, Sample, middle, ratio

NOTHING = "–"
_MEMORY_MB = 90.0
_GROWTH_RATIO = 1.1  # "the same": what allocators differ by from one run to the next
_LATENCY_MS = 100.0
_STEP_MS = 5_000.0  # what a shortcut that fails once cost each mailbox at Cyrus


@dataclass(frozen=True, slots=True)
class Target:
    """The most that a ratio to curl may be, and what is aimed at."""

    limit: float
    aim: float | None = None

    def __str__(self) -> str:
        return f"≤ {self.limit:.2f}" + (f" (aim {self.aim:.2f})" if self.aim else "")


NEAR, DISTANT, OTHERS, FEW = Target(1.0, 0.85), Target(0.8), Target(1.1), Target(3.0)
"""Of a run, from save to report."""
NEAR_WHOLE, DISTANT_WHOLE, FEW_WHOLE, CPU = Target(0.75), Target(0.75), Target(2.0), Target(0.95)
"""Of the whole command, and of the CPU of all that do the work."""


def machine() -> str:
    """What it was measured on, in one line."""
    version = subprocess.run(["curl", "--version"], capture_output=True, text=True, check=True).stdout.split()
    curl = f"curl {version[1]} with {version[4].replace('/', ' ')}"
    cores = len(os.sched_getaffinity(0))
    return (
        f"{cores} cores shared with the servers, Linux {platform.release()}, Python {platform.python_version()} "
        f"with {ssl.OPENSSL_VERSION.rsplit(maxsplit=3)[0]}, {curl}."
    )


@dataclass(frozen=True, slots=True)
class Comparisons:
    """Those that were made: `near` and `few` on the usual servers, `distant` behind a delay, `others` on other ones."""

    near: Comparison | None = None
    few: Comparison | None = None
    distant: Comparison | None = None
    others: Comparison | None = None

    def __bool__(self) -> bool:
        return any((self.near, self.few, self.distant, self.others))


def comparison_table(found: Comparisons, latency: Latency | None) -> Iterator[str]:
    """The lines of the table with curl."""
    yield f"| {AT_ONCE} logins at a time | curl | one process | to curl | two workers | to curl | target |"
    yield "|---|---:|---:|---:|---:|---:|---|"
    if near := found.near:
        yield from _walls(near, f"{near.count:,} mailboxes", NEAR, NEAR_WHOLE)
        yield _compared("CPU a mailbox, of all that do the work", near, near.count, CPU, _cpu)
        yield _waiting(near)
        yield _memory(near)
    if few := found.few:
        yield from _walls(few, f"{few.count:,} mailboxes", FEW, FEW_WHOLE)
    if distant := found.distant:
        away = f"{distant.count:,} mailboxes, round trip {ROUND_TRIP * 1000:.0f} ms"
        yield from _walls(distant, away, DISTANT, DISTANT_WHOLE)
    if others := found.others:
        yield from _walls(others, f"{others.count:,} mailboxes on Cyrus and Exim", OTHERS, OTHERS)
        yield _slowest(others)
    if latency:
        alone, together = (
            _limited(1000 * value, _LATENCY_MS, "ms") for value in (latency.embedded, latency.distributed)
        )
        yield _row("save to first connection", NOTHING, alone, NOTHING, together, NOTHING, f"≤ {_LATENCY_MS:.0f} ms")


def _walls(found: Comparison, what: str, run: Target, whole: Target) -> Iterator[str]:
    yield _compared(f"{what}: the run, from save to report", found, 1, run, _run)
    yield _compared(f"{what}: the whole command, with start, import and output", found, 1, whole, _command)


def _compared(name: str, found: Comparison, share: int, target: Target, pick: Pick) -> str:
    parties = (found.curl, found.embedded, found.distributed)
    curl, alone, together = (_seconds(middle(samples, pick) / share) for samples in parties)
    ratios = [_limited(ratio(samples, found.curl, pick), target.limit) for samples in parties[1:]]
    return _row(name, curl, alone, ratios[0], together, ratios[1], str(target))


def _waiting(found: Comparison) -> str:
    seconds = _seconds(middle(found.distributed, _waiting_cpu) / found.count)
    return _row("CPU a mailbox, of the command that waits", NOTHING, "in the above", NOTHING, seconds, NOTHING, "")


def _slowest(found: Comparison) -> str:
    alone, together = (
        _limited(max(sample.slowest_login for sample in samples), _STEP_MS, "ms")
        for samples in (found.embedded, found.distributed)
    )
    return _row("the slowest login there", NOTHING, alone, NOTHING, together, NOTHING, f"< {_STEP_MS:.0f} ms")


def _memory(found: Comparison) -> str:
    curl = f"{middle(found.curl, _peak):.0f} MB"
    alone, together = (f"{middle(samples, _peak):.0f} MB" for samples in (found.embedded, found.distributed))
    if middle(found.distributed, _peak) > _MEMORY_MB:
        together = f"**{together}, missed**"
    return _row(
        "peak memory of a process that works",
        curl,
        alone,
        NOTHING,
        together,
        NOTHING,
        f"a worker ≤ {_MEMORY_MB:.0f} MB",
    )


def growth_table(growth: Growth) -> Iterator[str]:
    """The lines of the table of growth, and what became of its target."""
    yield "| mailboxes | one process: run | a mailbox | peak | two workers: run | a mailbox | peak of a worker |"
    yield "|---:|---:|---:|---:|---:|---:|---:|"
    for size, sample in growth.embedded.items():
        yield _row(f"{size:,}", *_grown(sample, size), *_grown(growth.distributed.get(size), size))
    peaks = [sample.peak for sample in growth.distributed.values()]
    sizes = [f"{size:,}" for size in growth.distributed]
    if len(peaks) > 1:
        yield ""
        yield (
            f"A worker's peak at {sizes[-1]} mailboxes is {_limited(peaks[-1] / peaks[0], _GROWTH_RATIO)} times "
            f"that at {sizes[0]} (target: the same, which is taken as ≤ {_GROWTH_RATIO})."
        )


def _grown(sample: Sample | None, size: int) -> tuple[str, str, str]:
    if sample is None:
        return NOTHING, NOTHING, NOTHING
    return _seconds(sample.run), _seconds(sample.run / size), _limited(sample.peak, _MEMORY_MB, "MB")


def notes(near: Comparison | None, distant: Comparison | None) -> Iterator[str]:
    """What was compared with what."""
    yield "One process: SQLite and Celery's memory broker. Two workers: PostgreSQL and Redis, the workers idle before."
    for found, where in ((near, ""), (distant, " with the delay")):
        if found:
            count = len(found.curl)
            rounds = f"medians of {count} rounds in turn" if count > 1 else "one round"
            yield f"curl{where}: `{found.request}` over IMAP, `QUIT` over SMTP; {rounds}."


def _run(sample: Sample) -> float:
    return sample.run


def _command(sample: Sample) -> float:
    return sample.command


def _cpu(sample: Sample) -> float:
    return sample.cpu


def _waiting_cpu(sample: Sample) -> float:
    return sample.waiting_cpu


def _peak(sample: Sample) -> float:
    return sample.peak


def _seconds(value: float) -> str:
    return f"{value:.2f} s" if value >= 1 else f"{value * 1000:.{1 if value < 0.1 else 0}f} ms"


def _limited(value: float, limit: float, unit: str = "") -> str:
    text = f"{value:.0f} {unit}" if unit else f"{value:.2f}"
    return f"**{text}, missed**" if value > limit else text


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def print_lines(lines: Iterable[str]) -> None:
    """To standard output: only the result goes there."""
    for line in lines:
        print(line)
