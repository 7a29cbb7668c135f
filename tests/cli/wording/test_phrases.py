"""Both languages of the command say the same things with the same values."""

from string import Formatter

from checks.language import Language
from cli.wording import phrase


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_every_language_has_every_phrase_with_the_same_values() -> None:
    english = {key: placeholders(text) for key, text in phrase.texts[Language.EN].items()}

    for language in Language:
        assert {key: placeholders(text) for key, text in phrase.texts[language].items()} == english


def test_japanese_is_not_english() -> None:
    english = phrase.texts[Language.EN]

    assert not [key for key, text in phrase.texts[Language.JA].items() if text == english[key]]


def test_values_are_filled_in() -> None:
    assert phrase(Language.EN, "more", count=150) == "and 150 more; all of them:"
