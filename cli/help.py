"""Help whose headings are in the language that was chosen."""

from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from cli.wording import phrase
from cli.wording.errors import spoken


class Context(typer.Context):
    """What a command is called in; it makes what the help is written with."""

    def make_formatter(self) -> Any:
        """Typer's own, with other headings."""
        formatter = super().make_formatter()
        heading, usage = formatter.write_heading, formatter.write_usage

        def write_heading(name: str) -> None:
            heading(phrase(spoken(), f"help.{name.lower()}"))

        def write_usage(prog: str, args: str = "", prefix: str | None = None) -> None:
            usage(prog, args, prefix or phrase(spoken(), "help.usage"))

        formatter.write_heading = write_heading  # type: ignore[method-assign,assignment] # of this one, which is used once
        formatter.write_usage = write_usage  # type: ignore[method-assign] # likewise
        return formatter


class Command(TyperCommand):
    """One command."""

    context_class = Context


class Group(TyperGroup):
    """Commands that go by one name."""

    context_class = Context
