"""What a provider wants as the password, put into words."""

from collections.abc import Mapping

from checks.language import Language, in_every_language
from checks.messages.providers import Hint, Wants

_HINTS: Mapping[Language, Mapping[str, str]] = in_every_language("checks.messages", "HINTS", "provider_hints")


def hint_words(hint: Hint, language: Language = Language.EN) -> str:
    """What to type, and where it is made."""
    texts = _HINTS[language]
    sentences = [texts[hint.wants].format(provider=hint.provider, url=hint.url)]
    if hint.two_steps and hint.wants is Wants.APP_PASSWORD:
        sentences.append(texts["two_steps"])
    return language.text(sentences)
