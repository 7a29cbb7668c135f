"""Calls into libraries that read what a stranger sent: code that may raise anything and say anything.

What they raise becomes a `Fault` at the place where they are called. What they say, as a warning or in a log, is about
the stranger's bytes: it is for nobody who runs us, and may hold a secret that was echoed.
"""

import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import TracebackType

from checks.model import Fault

_callers: ContextVar[tuple[type[Exception], ...]] = ContextVar("exceptions of the caller's", default=())

for _name in ("exchangelib", "imapclient", "spnego"):
    _log = logging.getLogger(_name)
    _log.addHandler(logging.NullHandler())  # without one, Python writes warnings of a library to standard error
    _log.propagate = False


def ignore_warnings(module: str) -> None:
    """Keeps warnings that are raised in one of our modules on a library's behalf from standard error."""
    warnings.filterwarnings("ignore", module=module.replace(".", r"\."))


@contextmanager
def letting_through(kinds: tuple[type[Exception], ...]) -> Iterator[None]:
    """Within the block, exceptions of these kinds are the caller's own, wherever they are raised."""
    token = _callers.set(kinds)
    try:
        yield
    finally:
        _callers.reset(token)


class Reading:
    """A block in which a library reads a stranger's bytes: whatever it raises becomes the `Fault` that `met` makes.

    `Fault` and `OSError` pass as they are, and so does what belongs to the caller.
    """

    def __init__(self, met: Callable[[], Fault]) -> None:
        self._met = met

    def __enter__(self) -> None:
        """Nothing is prepared."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if error is None or isinstance(error, (Fault, OSError, *_callers.get())):
            return
        # A panic within cryptography is no Exception, and its class can be imported from nowhere.
        if isinstance(error, Exception) or (kind is not None and kind.__name__ == "PanicException"):
            raise self._met() from None
