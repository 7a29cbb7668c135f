"""Consoles for standard output and standard error.

Square brackets are markup to Rich, and servers say what they like: everything printed here is a `Text` of cleaned parts
(`cli.cleaning`), and no markup is ever parsed.
"""

import os
import sys

from rich.console import Console
from rich.text import Text

from cli.cleaning import clean
from cli.naming import as_typed

Part = str | tuple[str, str]
"""Words, or (words, style)."""


class SafeConsole(Console):
    """Rich's console without its own exit on a closed pipe: the exit status is decided in one place, `cli.main`."""

    def on_broken_pipe(self) -> None:
        raise  # Rich calls this while it handles the BrokenPipeError


def open_console(*, stderr: bool = False) -> Console:
    """A console that is interactive only on a real terminal: FORCE_COLOR, common in CI, must not animate a log."""
    stream = sys.stderr if stderr else sys.stdout
    dumb = os.environ.get("TERM", "").lower() in ("dumb", "unknown")
    return SafeConsole(stderr=stderr, force_interactive=stream.isatty() and not dumb)


def say(console: Console, *parts: Part, indent: int = 0) -> None:
    """Prints one paragraph, `indent` columns in. Folded to the terminal's width; one unbroken line when piped."""
    text = Text.assemble(*((clean(part), "") if isinstance(part, str) else (clean(part[0]), part[1]) for part in parts))
    margin = Text(" " * indent)
    lines = text.wrap(console, max(console.width - indent, 20)) if console.is_interactive else [text]
    for line in lines:
        console.print(margin + line, soft_wrap=True)


def say_command(console: Console, command: str, indent: int = 0) -> None:
    """Prints a command on one line, whatever the width: what a terminal folds by itself can be pasted."""
    console.print(Text(" " * indent) + Text(clean(as_typed(command)), "bold"), soft_wrap=True)


def mark(console: Console, verdict: str) -> Part:
    """A sign for ok, fail or inconclusive: the colour only repeats what the sign says."""
    signs = ("✓", "✗", "?") if console.encoding.startswith("utf") else ("+", "x", "?")
    order = ("ok", "fail", "inconclusive").index(verdict)
    return signs[order], ("green", "bold red", "yellow")[order]
