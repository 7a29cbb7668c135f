"""Answers HTTP and works on runs, as `mail-preflight serve` does: `python -m bench.page_program`."""

import sys

from web.server import answering
from worker.config import load_config
from worker.service.preflight import Preflight


def main() -> None:
    """Prints its address, and ends with its standard input."""
    with (
        Preflight.open(load_config()) as preflight,
        preflight.processes.working(),
        answering(preflight, "127.0.0.1", 0) as url,
    ):
        print(url, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
