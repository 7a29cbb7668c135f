"""Answers the HTTP API until its standard input ends; the first line that it prints is where.

The whole service is more than what is measured: nobody works on runs here.
"""

import sys

from web.server import answering
from worker.config import load_config
from worker.service.preflight import Preflight


def main() -> None:
    """Prints `http://127.0.0.1:PORT`."""
    with Preflight.open(load_config()) as preflight, answering(preflight, "127.0.0.1", 0) as url:
        print(url, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
