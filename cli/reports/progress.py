"""Progress on standard error: a live display on a terminal, at most one line in ten seconds anywhere else."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Protocol

from checks.language import Language
from cli.wording import phrase

if TYPE_CHECKING:
    from rich.console import Console

    from cli.reports.live_progress import RunProgress

LINE_SECONDS = 10.0
_SERVER_STAGES = ("queued", "endpoints")


class Followable(Protocol):
    """What is asked of the service here."""

    def follow(self, run_id: str, timeout: float | None = None, *, every: float = ...) -> "Iterator[RunProgress]": ...


def on_terminal() -> bool:
    """Whether standard error can be repainted. FORCE_COLOR, common in CI, must not animate a log."""
    return sys.stderr.isatty() and os.environ.get("TERM", "").lower() not in ("dumb", "unknown")


def follow_progress(
    runs: Followable,
    run_id: str,
    console: "Callable[[], Console]",
    language: Language = Language.EN,
    *,
    terminal: bool | None = None,
) -> "RunProgress | None":
    """Shows a run on `console` (standard error) until it is finished; returns its last state.

    Where nothing is told there is no console: importing Rich takes longer than a few logins.
    """
    if on_terminal() if terminal is None else terminal:
        return _live(runs.follow(run_id), console(), language)
    return tell_lines(runs.follow(run_id, every=LINE_SECONDS), console, language)


def _live(steps: "Iterator[RunProgress]", console: "Console", language: Language) -> "RunProgress | None":
    from cli.reports.live_progress import Display  # Rich's live display is 40 ms to import and no pipe needs it

    last = None
    with Display(console, language) as display:
        for last in steps:
            display.show(last, counts_words(last, language))
    return last


def tell_lines(
    steps: "Iterator[RunProgress]",
    console: "Callable[[], Console]",
    language: Language,
    clock: Callable[[], float] = time.monotonic,
) -> "RunProgress | None":
    """Follows a run without a terminal: a line on `console` when ten seconds have gone by. `clock` gives seconds."""
    last, started, first_done = None, clock(), None
    told = started
    for last in steps:
        now = clock()
        first_done = last.done if first_done is None else first_done
        if now - told >= LINE_SECONDS:
            _tell(console(), _line(last, (last.done - first_done) / (now - started), language))
            told = now
    return last


def _tell(console: "Console", line: str) -> None:
    from cli.console import say

    say(console, line)


def _line(progress: "RunProgress", rate: float, language: Language) -> str:
    if progress.stage in _SERVER_STAGES:
        return phrase(language, stage_key(progress.stage))
    stage = phrase(language, stage_key(progress.stage))
    counts = counts_words(progress, language)
    values = {"done": progress.done, "total": progress.total, "rate": f"{rate:.1f}", "counts": counts}
    return phrase(language, "progress.line", stage=stage, **values)


def stage_key(stage: str) -> str:
    """The phrase for what is done in a stage of the run."""
    return {"queued": "progress.queued", "endpoints": "progress.servers"}.get(stage, "progress.mailboxes")


def counts_words(progress: "RunProgress", language: Language) -> str:
    """The running counts in words."""
    counts = {"ok": progress.ok, "fail": progress.fail, "inconclusive": progress.inconclusive}
    return phrase(language, "progress.counts", **counts)
