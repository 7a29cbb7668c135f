"""The watch after a change for people: a line for each round, and what came of it."""

from collections.abc import Iterator, Sequence
from typing import Protocol, TypeVar

from rich.console import Console

from checks.language import Language
from cli.console import say
from cli.times import local
from cli.wording import phrase


class Round(Protocol):
    """One check of the watched mailboxes that has ended."""

    @property
    def ended_at(self) -> float: ...
    @property
    def ok(self) -> int: ...
    @property
    def fail(self) -> int: ...
    @property
    def inconclusive(self) -> int: ...


class Watched(Protocol):
    """How far a watch is; `until` is None once it is over, `trouble` what it found to be too bad."""

    @property
    def until(self) -> float | None: ...
    @property
    def rounds(self) -> Sequence[Round]: ...
    @property
    def rolled_back(self) -> bool: ...
    @property
    def trouble(self) -> str: ...
    @property
    def never(self) -> bool: ...


W = TypeVar("W", bound=Watched)


def render_watch(steps: Iterator[W], console: Console, language: Language) -> W:
    """Prints rounds as they end, and the end; returns the last state."""
    shown = 0
    last = next(steps)
    if last.until is not None:
        say(console, phrase(language, "watch.until", time=local(last.until)))
    while True:
        for each in last.rounds[shown:]:
            counts = phrase(language, "progress.counts", ok=each.ok, fail=each.fail, inconclusive=each.inconclusive)
            say(console, f"{local(each.ended_at)}: {counts}")
        shown = len(last.rounds)
        following = next(steps, None)
        if following is None:
            break
        last = following
    _end(last, console, language)
    return last


def _end(last: Watched, console: Console, language: Language) -> None:
    if last.rolled_back:
        say(console, phrase(language, "watch.rolled_back"), " ", last.trouble)
    elif last.trouble:
        say(console, phrase(language, "watch.trouble"), " ", last.trouble)
    else:
        say(console, phrase(language, "watch.never" if last.never else "watch.over"))
