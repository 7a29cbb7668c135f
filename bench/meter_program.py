"""Runs a command and writes what it took: `meter_program.py RESULT COMMAND...`. See `bench.meter`.

Linux counts the peak memory of whoever started a program as the program's own, so it is started by this small process.
"""

import json
import os
import sys
import time
from pathlib import Path


def main(result: Path, command: list[str]) -> None:
    """Writes seconds (`wall`, `cpu`), peak memory in KiB and the exit status as JSON."""
    begun = time.monotonic()
    child = os.posix_spawnp(command[0], command, os.environ)
    _, status, usage = os.wait4(child, 0)
    wall = time.monotonic() - begun
    numbers = {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "peak_kib": usage.ru_maxrss}
    result.write_text(json.dumps({**numbers, "status": os.waitstatus_to_exitcode(status)}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
