"""Where a secret might have left a trace: what programs said, what Redis was told, what a database holds."""

import base64
import subprocess
from collections.abc import Iterable
from pathlib import Path

from tests.flows.harness import System
from tests.servers.process import program


def assert_none(needles: Iterable[bytes], haystack: bytes, where: str) -> None:
    """Fails when one of them is there, and when there is nothing to look at."""
    assert haystack, f"{where} is empty: this test looks at the wrong thing"
    found = [needle for needle in needles if needle in haystack]
    assert not found, f"{len(found)} of them in {where}"


def outputs(system: System) -> bytes:
    """All that the commands and workers of a system said."""
    return b"".join(path.read_bytes() for kind in ("*.out", "*.err") for path in sorted(system.folder.glob(kind)))


def bodies_in(monitored: bytes) -> Iterable[bytes]:
    """The bodies of the messages in what Redis was told: kombu sends them in base64."""
    for piece in monitored.split(b'\\"body\\": \\"')[1:]:
        yield base64.b64decode(piece.partition(b"\\")[0])


def database_files(system: System) -> bytes:
    """An embedded system's database as it is on disk, with what is not yet in its main file."""
    paths = [Path(f"{system.folder}/preflight.db{suffix}") for suffix in ("", "-wal")]
    return b"".join(path.read_bytes() for path in paths if path.exists())


def dump(url: str) -> bytes:
    """All rows of a PostgreSQL database."""
    command = [program("pg_dump"), "--inserts", url]
    return subprocess.run(command, capture_output=True, check=True).stdout
