"""Clocks that jump: a process reads by how many seconds its own clock and the database's are off from two files."""

import time
from pathlib import Path

from settings_store.db import Database

_real = time.time


def offset(file: Path) -> float:
    """How many seconds a clock is ahead; 0 while the file is being written, or missing."""
    try:
        return float(file.read_text() or 0)
    except OSError:
        return 0.0


def install(own: str, shared: str) -> None:
    """From now on this process's clock is off by what `own` says, and the database's by what `shared` says."""
    asked = Database.now
    time.time = lambda: _real() + offset(Path(own))
    Database.now = lambda database: asked(database) + offset(Path(shared))  # type: ignore[method-assign, assignment] # a clock
