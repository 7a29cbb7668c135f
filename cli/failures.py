"""What goes wrong, as one line on standard error and an exit status; the only place that decides either.

0 nobody would disconnect, 1 somebody would, 2 wrong usage, 3 could not tell, 4 our own failure, 5 database or broker
not available; 130 and 141 are the shell's words for an interrupt and a closed pipe. `docs/operations.md` has the table.
"""

import os
import shlex
import sys
import traceback
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from enum import IntEnum
from pathlib import Path
from typing import Any, TypeVar

import typer

from cli.cleaning import clean
from cli.help import Group
from cli.naming import as_typed
from cli.wording.errors import spoken, translated

T = TypeVar("T")

LOG_NAME = "mail-preflight.log"


class Status(IntEnum):
    SAFE = 0
    UNSAFE = 1
    USAGE = 2
    CANNOT_TELL = 3
    INTERNAL = 4
    UNAVAILABLE = 5
    INTERRUPTED = 130  # 128 + SIGINT
    PIPE_CLOSED = 141  # 128 + SIGPIPE


class Commands(Group):
    """Sees an interrupt and a closed pipe before Typer does, which would exit 1: "somebody would disconnect"."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            discard_output()
            raise typer.Exit(Status.PIPE_CLOSED) from None
        except KeyboardInterrupt:
            complain("interrupted")
            raise typer.Exit(Status.INTERRUPTED) from None


def complain(message: str) -> None:
    """One line on standard error, in the chosen language, whatever it holds. Nobody reading it is no reason to fail."""

    try:
        print(f"mail-preflight: {clean(as_typed(translated(message, spoken())))}", file=sys.stderr, flush=True)  # noqa: T201 -- a command speaks here
    except OSError:
        discard_output()


def inform(message: str, *, beside: bool = False) -> None:
    """One line on standard output, in the chosen language. `beside`: on standard error, for the output is piped."""
    typer.echo(as_typed(translated(message, spoken())), err=beside)


def inform_of_more(listed: Sequence[T], limit: int, command: str, name: Callable[[T], str]) -> Sequence[T]:
    """The first `limit` of what is listed; where there are more, a line on standard error says how to see them."""
    if len(listed) <= limit:
        return listed
    last = shlex.quote(clean(name(listed[limit - 1])))  # o'neil@example.com is an address
    inform(f"There are more; to go on: mail-preflight {command} --after {last}", beside=True)
    return listed[:limit]


def discard_output() -> None:
    """Lets what is still buffered for a closed pipe go nowhere, or Python would complain about it at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def report_internal(error: BaseException) -> None:
    """Says that we failed, without the exception's text: it may quote a credential. Details go to the log."""
    path = _log(error)
    where = f"; the details are in {path}" if path else ""
    complain(f"something went wrong on our side ({type(error).__name__}); this says nothing about your settings{where}")


def _log(error: BaseException) -> Path | None:
    from platformdirs import user_log_path

    try:
        path = user_log_path("mail-preflight", ensure_exists=True) / LOG_NAME
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "a", encoding="utf-8") as file:
            file.write(f"{datetime.now(UTC).isoformat()} {_chain(error)}\n")
    except OSError:
        return None
    return path


def _chain(error: BaseException) -> str:
    """The types and the places of an exception and of what led to it: source lines, no values and no messages."""
    places = "".join(traceback.format_tb(error.__traceback__))
    text = f"{type(error).__module__}.{type(error).__qualname__}\n{places}"
    earlier = error.__cause__ or error.__context__
    return f"{text}  after {_chain(earlier)}" if earlier else text
