"""Answers the HTTP API, and does nothing else: `python -m bench.watchers_program`. Prints its address first."""

import sys

from web.server import answering
from worker.config import load_config
from worker.service.preflight import Preflight


def main() -> None:
    """Until standard input ends."""
    with Preflight.open(load_config()) as preflight, answering(preflight, "127.0.0.1", 0) as url:
        print(url, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
