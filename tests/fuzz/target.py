"""What is fuzzed: a name, where to begin, the words to put in, and what reads the result."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.invariants import Run

_CORPUS = Path(__file__).parent / "corpus"
_BETWEEN = b"----\n"


def _never(_: bytes) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Target:
    """`allowed` says whether an input could be a completed login; nothing can where there is none."""

    name: str
    seeds: Sequence[bytes]
    vocabulary: Sequence[bytes]
    run: Run
    allowed: Callable[[bytes], bool] = _never


def lines_of(name: str) -> tuple[bytes, ...]:
    """The seeds of a file of the corpus, with the line ends that go over the wire; `----` stands between two."""
    raw = (_CORPUS / f"{name}.txt").read_bytes()
    return tuple(seed.replace(b"\n", b"\r\n") for seed in raw.split(_BETWEEN))
