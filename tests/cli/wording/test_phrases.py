"""Both languages say the same things with the same values."""

from string import Formatter

import pytest

from checks.codes import Blame, Verdict
from checks.messages import Language
from checks.model import Option
from cli.wording.report_phrases import PHRASES, phrase, step_name
from tests.cli.fakes import IMPACTS


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_every_language_has_every_phrase_with_the_same_values() -> None:
    english = {key: placeholders(text) for key, text in PHRASES[Language.EN].items()}

    for language in Language:
        assert {key: placeholders(text) for key, text in PHRASES[language].items()} == english


def test_japanese_is_not_english() -> None:
    same = {key for key, text in PHRASES[Language.JA].items() if text == PHRASES[Language.EN][key]}

    assert same == {"step.tls", "step.starttls"}


@pytest.mark.parametrize("language", Language)
def test_whatever_the_model_can_say_has_a_phrase(language: Language) -> None:
    keys = [f"blame.{blame}" for blame in Blame] + [f"option.{option}" for option in Option]
    keys += [f"endpoint.{verdict}" for verdict in Verdict] + [f"impact.{impact}" for impact in IMPACTS]

    assert all(PHRASES[language][key] for key in keys)


def test_a_step_without_a_phrase_keeps_its_name() -> None:
    assert step_name(Language.JA, "connect") == "接続"
    assert step_name(Language.JA, "folder") == "folder"


def test_values_are_filled_in() -> None:
    assert phrase(Language.EN, "more", count=150) == "and 150 more: --json lists all"
