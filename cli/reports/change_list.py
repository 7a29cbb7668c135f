"""The changes of a domain for people: when and by whom each was saved, what it is, and the commands that lead on."""

from collections.abc import Sequence
from typing import Protocol

from rich.console import Console

from checks.language import Language
from checks.settings import Settings
from cli.console import say, say_command
from cli.times import local
from cli.wording import phrase


class ListedChange(Protocol):
    """What is shown of a change. `ways` are the commands that would be accepted."""

    @property
    def short_id(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def saved_at(self) -> float: ...
    @property
    def saved_by(self) -> str: ...
    @property
    def settings(self) -> Settings: ...
    @property
    def ways(self) -> Sequence[str]: ...


def render_changes(known: Sequence[ListedChange], console: Console, language: Language) -> None:
    """Prints every change with its commands, one a line, to be pasted."""
    if not known:
        say(console, phrase(language, "changes.none"))
    for change in known:
        state = phrase(language, f"changes.{change.state}")
        saved = phrase(language, "changes.saved", when=local(change.saved_at), who=change.saved_by)
        say(console, (change.short_id, "bold"), "  ", (state, "bold"), f"  {saved}")
        say(console, _settings(change.settings, language), indent=4)
        for way in change.ways:
            say_command(console, way, indent=4)


def _settings(settings: Settings, language: Language) -> str:
    static = [phrase(language, "changes.static")] if settings.static_addresses else []
    return language.listed([*map(str, settings.endpoints), *static])
