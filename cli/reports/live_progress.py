"""The live display: one bar for the servers, one for the mailboxes with rate, time left and running counts."""

from collections.abc import Sized
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from checks.language import Language
from cli.wording import phrase

_SERVERS = 2  # IMAP and SMTP
_WIDE = 76
"""So many columns hold all that is shown."""


class RunProgress(Protocol):
    """How far a run is. `total` is 0 until it is planned; `endpoints` are those that were checked."""

    @property
    def stage(self) -> str: ...
    @property
    def endpoints(self) -> Sized: ...
    @property
    def total(self) -> int: ...
    @property
    def done(self) -> int: ...
    @property
    def ok(self) -> int: ...
    @property
    def fail(self) -> int: ...
    @property
    def inconclusive(self) -> int: ...


class _Rate(ProgressColumn):
    """Mailboxes a second over Rich's last half minute."""

    def __init__(self, language: Language) -> None:
        super().__init__()
        self._language = language

    def render(self, task: Task) -> Text:
        if not task.speed or task.finished:
            return Text("")
        return Text(phrase(self._language, "progress.rate", rate=f"{task.speed:.1f}"))


class Display:
    """A context manager; `show` repaints at once, so no thread of its own is needed."""

    def __init__(self, console: Console, language: Language) -> None:
        self._language = language
        self._bars = Progress(*_columns(language, console.width), console=console, auto_refresh=False)
        self._servers = self._bars.add_task(phrase(language, "progress.servers"), total=_SERVERS, note="")
        self._mailboxes = self._bars.add_task(
            phrase(language, "progress.mailboxes"), total=None, visible=False, note=""
        )

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def show(self, progress: RunProgress, counts: str) -> None:
        """Paints one state of the run; `counts` are its running counts in words."""
        waiting = phrase(self._language, "progress.queued") if progress.stage == "queued" else ""
        self._bars.update(self._servers, completed=len(progress.endpoints), note=waiting)
        if progress.total:
            self._bars.update(self._mailboxes, visible=True, completed=progress.done, total=progress.total, note=counts)
        self._bars.refresh()


def _columns(language: Language, width: int) -> tuple[ProgressColumn, ...]:
    """Where there is no room for all of it, the numbers are left: Rich would cut each of them."""
    named, counted = TextColumn("{task.description}", markup=False), MofNCompleteColumn()
    note = TextColumn("{task.fields[note]}", markup=False)
    if width < _WIDE:
        return named, counted, note
    return named, BarColumn(bar_width=20), counted, _Rate(language), TimeRemainingColumn(compact=True), note
