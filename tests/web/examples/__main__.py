"""`python -m tests.web.examples > web/examples.json`: asks for all examples anew, and writes them down."""

import json
import tempfile
from pathlib import Path

from tests.web.examples.asked import asked


def main() -> None:
    """The file: sorted and indented, so that a difference shows what has changed."""
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(asked(Path(folder)), indent=1, sort_keys=True, ensure_ascii=False))  # noqa: T201


if __name__ == "__main__":
    main()
