"""How long a command takes from its start to its first connection, beside a Python that only imports what it must."""

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.field import HOST, say
from bench.latency import Door
from bench.service import COMMAND, embedded

LIMIT = 10.0
_BARE = (sys.executable, "-c", "import ssl, sqlite3")


@dataclass(frozen=True, slots=True)
class Start:
    """Medians in seconds: `bare` from start to end, `ours` from start to the first connection, on an empty store."""

    bare: float
    ours: float


def measure_start(folder: Path, times: int) -> Start:
    """Both in turn, the first of each not counted: the disk is warm. Raises `Void` where no connection comes."""
    with contextlib.closing(Door()) as door:
        pairs = [(_bare(), _to_first_connection(folder, door)) for _ in range(times + 1)][1:]
    found = Start(median(bare for bare, _ in pairs), median(ours for _, ours in pairs))
    say(f"  bare {found.bare * 1000:.0f} ms, ours {found.ours * 1000:.0f} ms")
    return found


def _bare() -> float:
    begun = time.monotonic()
    subprocess.run(_BARE, check=True)
    return time.monotonic() - begun


def _to_first_connection(folder: Path, door: Door) -> float:
    servers = ["--imap", f"{HOST}:{door.port}", "--smtp", f"{HOST}:{door.port}"]
    command = [str(COMMAND), "verify", "start.example", *servers, "--imap-security", "tls", "--smtp-security", "tls"]
    door.forget()
    with embedded(folder) as service:
        begun = time.monotonic()
        quiet = subprocess.DEVNULL
        with subprocess.Popen([*command, "--json"], stdout=quiet, stderr=quiet, env=service.environment) as running:
            try:
                return door.first() - begun
            finally:
                running.kill()  # what it would find out is nobody's question


def start_table(found: Start) -> Iterator[str]:
    """The lines of the table."""
    yield "| the start of a command | `import ssl, sqlite3` | ours, one process | ratio | target |"
    yield "|---|---:|---:|---:|---|"
    ratio = found.ours / found.bare
    verdict = f"{ratio:.1f}" if ratio <= LIMIT else f"**{ratio:.1f}, missed**"
    times = f"{found.bare * 1000:.0f} ms | {found.ours * 1000:.0f} ms"
    yield f"| to the first connection, empty store, warm disk | {times} | {verdict} | ≤ {LIMIT:.0f} |"
