"""The languages that people are spoken to in, and texts by key in each of them.

A language is one line here, and a file or folder of its name beside each that is called `en`.
"""

import importlib
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

Texts = Mapping[str, str]
"""Key -> text. Values are put in by name: `{count}`."""


class Language(StrEnum):
    EN = "en"
    JA = "ja"

    def listed(self, parts: Iterable[str]) -> str:
        """The parts as an enumeration."""
        return ("、" if self is Language.JA else ", ").join(parts)

    def text(self, sentences: Iterable[str]) -> str:
        """The sentences, one after the other."""
        return ("" if self is Language.JA else " ").join(sentences)


class Phrases:
    """Texts in every language."""

    def __init__(self, texts: Mapping[Language, Texts]) -> None:
        self.texts = texts

    def __call__(self, language: Language, key: str, **values: object) -> str:
        """The text of `key` with its values filled in. A key that no table has is a programming error (`KeyError`)."""
        return self.texts[language][key].format(**values)


def in_every_language(package: str, table: str, file: str = "") -> dict[Language, Any]:
    """The table of that name in each language: `package.en`, or `package.en.file`. Raises `ImportError` where a
    language lacks it."""
    modules = {language: f"{package}.{language}" + (f".{file}" if file else "") for language in Language}
    return {language: getattr(importlib.import_module(name), table) for language, name in modules.items()}
