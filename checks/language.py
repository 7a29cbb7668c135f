"""The languages that people are spoken to in, and texts by key in each of them."""

from collections.abc import Iterable, Mapping
from enum import StrEnum

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
