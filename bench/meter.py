"""What commands and running processes take of the machine."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PROGRAM = Path(__file__).with_name("meter_program.py")
_TICKS = os.sysconf("SC_CLK_TCK")
_CPU_FIELDS = slice(11, 15)  # utime, stime, cutime, cstime: proc(5), counted from behind the name


@dataclass(frozen=True, slots=True)
class Usage:
    """A command from start to end: seconds, seconds of CPU with its children's, MB (of a million bytes) at the peak."""

    status: int
    wall: float
    cpu: float
    peak: float
    output: str
    errors: str


def measure(command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None) -> Usage:
    """Runs a command to its end. `folder` takes its output."""
    result, output, errors = folder / "usage.json", folder / "output", folder / "errors"
    with output.open("wb") as stdout, errors.open("wb") as stderr:
        meter = [sys.executable, "-I", "-S", str(PROGRAM), str(result), *command]
        subprocess.run(
            meter, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, env=environment or os.environ, check=True
        )
    numbers = json.loads(result.read_text())
    return Usage(
        status=numbers["status"],
        wall=numbers["wall"],
        cpu=numbers["cpu"],
        peak=_megabytes(numbers["peak_kib"]),
        output=output.read_text(errors="replace"),
        errors=errors.read_text(errors="replace"),
    )


def cpu_seconds(pids: Sequence[int]) -> float:
    """CPU that processes and all below them have taken so far. Children that ended are in their parents' numbers."""
    return sum(_cpu_ticks(below) for pid in pids for below in _tree(pid)) / _TICKS


def peak_megabytes(pids: Sequence[int]) -> float:
    """The most memory that any one of the processes ever had."""
    return max(_megabytes(_high_water(below)) for pid in pids for below in _tree(pid))


def _tree(pid: int) -> Iterator[int]:
    yield pid
    with contextlib.suppress(OSError):
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            for child in children.read_text().split():
                yield from _tree(int(child))


def _cpu_ticks(pid: int) -> int:
    try:
        _, _, fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")
    except OSError:
        return 0  # it ended just now
    return sum(map(int, fields.split()[_CPU_FIELDS]))


def _high_water(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


def _megabytes(kibibytes: int) -> float:
    return kibibytes * 1024 / 1_000_000
