"""Progress: a live display on a terminal, next to nothing in a pipe."""

import io
from collections.abc import Iterator
from typing import Any

import pytest
from rich.console import Console

from checks.language import Language
from cli.reports.progress import follow_progress, tell_lines
from tests.cli.fakes import GOOD_IMAP, FakeProgress


class Following:
    def __init__(self, *states: FakeProgress) -> None:
        self._states = states
        self.run_id = ""

    def follow(self, run_id: str, timeout: float | None = None, *, every: float = 0.25) -> Iterator[FakeProgress]:
        assert timeout is None and every > 0
        self.run_id = run_id
        return iter(self._states)


def console(*, terminal: bool) -> Console:
    return Console(file=io.StringIO(), force_terminal=terminal, force_interactive=terminal, width=120)


def output(of: Console) -> str:
    assert isinstance(of.file, io.StringIO)
    return of.file.getvalue()


def follow(preflight: Following, on: Console, language: Language = Language.EN) -> object:
    live = on.is_interactive and not on.is_dumb_terminal
    return follow_progress(preflight, "run_1", lambda: on, language, terminal=live)


def test_a_short_run_says_nothing_in_a_pipe() -> None:
    piped = console(terminal=False)
    preflight = Following(FakeProgress("endpoints"), FakeProgress(ok=60), FakeProgress("finished", ok=60))

    last = follow(preflight, piped)

    assert output(piped) == ""
    assert isinstance(last, FakeProgress)
    assert last.stage == "finished"
    assert preflight.run_id == "run_1"


def test_a_pipe_gets_one_line_in_ten_seconds() -> None:
    """Given a state every 4 s for 40 s, lines come at 12, 24 and 36 s."""
    piped = console(terminal=False)
    seconds = iter(range(0, 400, 4))
    states: list[Any] = [FakeProgress(ok=number, total=60) for number in range(10)]

    tell_lines(iter(states), lambda: piped, Language.EN, clock=lambda: float(next(seconds)))

    told = output(piped).splitlines()
    assert len(told) == 3
    assert told[0] == "Mailboxes: 2 of 60, 0.2/s, 2 ok, 0 fail, 0 inconclusive"


@pytest.mark.parametrize(("stage", "words"), [("queued", "Waiting for a worker"), ("endpoints", "Servers")])
def test_a_pipe_is_told_of_a_slow_start(stage: str, words: str) -> None:
    piped = console(terminal=False)
    seconds = iter((0.0, 11.0))

    states: list[Any] = [FakeProgress(stage)]
    tell_lines(iter(states), lambda: piped, Language.EN, clock=lambda: next(seconds))

    assert output(piped) == f"{words}\n"


def test_a_terminal_sees_servers_then_mailboxes_with_counts() -> None:
    terminal = console(terminal=True)
    states = (
        FakeProgress("queued", (), 0),
        FakeProgress("endpoints", (GOOD_IMAP,), 0),
        FakeProgress("mailboxes", ok=13, fail=5, inconclusive=2),
        FakeProgress("finished", ok=50, fail=7, inconclusive=3),
    )

    follow(Following(*states), terminal)

    shown = output(terminal)
    assert "Waiting for a worker" in shown
    assert shown.index("Servers") < shown.index("Mailboxes")
    assert "50 ok, 7 fail, 3 inconclusive" in shown
    assert "60/60" in shown


def test_a_dumb_terminal_gets_no_escape_sequences(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    dumb = Console(file=io.StringIO(), force_terminal=True, width=120)

    follow(Following(FakeProgress("finished", ok=60)), dumb)

    assert "\x1b" not in output(dumb)


def test_an_error_leaves_the_terminal_as_it_was() -> None:
    terminal = console(terminal=True)

    class Breaking(Following):
        def follow(self, run_id: str, timeout: float | None = None, *, every: float = 0.25) -> Iterator[FakeProgress]:
            yield from super().follow(run_id, timeout, every=every)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        follow(Breaking(FakeProgress(ok=1)), terminal)

    assert output(terminal).rstrip("\n").endswith("\x1b[?25h")  # the cursor is shown again


@pytest.mark.parametrize("language", Language)
def test_the_counts_are_whole_on_a_narrow_terminal(language: Language) -> None:
    narrow = Console(file=io.StringIO(), force_terminal=True, force_interactive=True, width=50)

    follow(Following(FakeProgress(ok=30, fail=7)), narrow, language)

    assert "37/60" in output(narrow)
    assert "…" not in output(narrow)
