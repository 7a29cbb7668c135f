"""Where the command begins: it finds its own packages, whatever else is called `worker` or `checks` on the path.

They have names that others have too. A host with PYTHONPATH set, or the working directory on it, would have Python take
those; so they are looked up beside this file first, and nothing else is.
"""

import gc
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import NoReturn

OURS = frozenset(("checks", "settings_store", "worker", "cli"))


class BesideUs(MetaPathFinder):
    """Finds our own packages in the folder of this file."""

    def __init__(self) -> None:
        self._here = [str(Path(__file__).resolve().parent)]

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG002 -- what Python passes; a package's parts it finds itself
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Where a package of ours is; None for any other, so that it is looked up as ever."""
        return PathFinder.find_spec(fullname, self._here, target) if fullname in OURS else None


def main() -> NoReturn:
    """The entry point of the `mail-preflight` script."""
    gc.disable()  # nothing that is imported is ever garbage; looking for some takes a tenth of the start
    sys.meta_path.insert(0, BesideUs())
    from cli.main import main as begin  # not before it is known where that is

    begin()
