"""Which of several like cases a run of the tests takes: one, or all of them with `MAIL_PREFLIGHT_TEST_EVERY_STEP=1`."""

import os
import zlib
from collections.abc import Sequence
from typing import TypeVar

import pytest

EVERY = bool(os.environ.get("MAIL_PREFLIGHT_TEST_EVERY_STEP"))
_Case = TypeVar("_Case")


def one_of(cases: Sequence[_Case], metafunc: pytest.Metafunc) -> Sequence[_Case]:
    """The case that the name of a test decides, the same one each time; each has its share of all tests."""
    if EVERY:
        return cases
    return (cases[zlib.crc32(metafunc.function.__name__.encode()) % len(cases)],)
