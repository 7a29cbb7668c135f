"""Both languages of the reports say the same things with the same values, and whatever can be said has a text."""

from string import Formatter

import pytest

from checks.language import Language
from settings_store.incidents.incidents import Scope, Severity
from worker.changes.impact import Impact
from worker.changes.report import SERVICES
from worker.health.view import STATES
from worker.wording import phrase


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_every_language_has_every_text_with_the_same_values() -> None:
    english = {key: placeholders(text) for key, text in phrase.texts[Language.EN].items()}

    for language in Language:
        assert {key: placeholders(text) for key, text in phrase.texts[language].items()} == english


def test_japanese_is_not_english() -> None:
    english = phrase.texts[Language.EN]

    assert not [key for key, text in phrase.texts[Language.JA].items() if text == english[key]]


@pytest.mark.parametrize("language", Language)
def test_whatever_reports_can_say_has_a_text(language: Language) -> None:
    keys = [f"impact.{impact}" for impact in Impact] + [f"service.{name}" for name in SERVICES]
    keys += [f"health.{state}" for state in STATES] + [f"health.short.{state}" for state in STATES]
    keys += [f"scope.{scope}" for scope in Scope] + [f"severity.{severity}" for severity in Severity]

    assert all(phrase.texts[language][key] for key in keys)
