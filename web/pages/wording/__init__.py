"""The words of the page, in every language. A room of the page has a file of its name in each.

What a code or a step means is worded in `checks.messages`, and a report where it is made.
"""

from collections.abc import Callable, Mapping
from typing import Any

from checks.language import Language, Texts, in_every_language

ROOMS = (
    "frame",
    "sign_in",
    "domains",
    "settings",
    "changes",
    "mailboxes",
    "access",
    "alerts",
    "webhooks",
    "comparison",
    "report",
    "history",
    "domain.pending",
    "domain.finding",
    "domain.connecting",
    "domain.connection_ips",
    "domain.approval",
)
"""The files in `en/` and `ja/`. The keys of one begin with its own name: `domains.heading`."""

Words = Callable[..., str]
"""What templates call: `t("domains.incidents", count=3)`."""


class Count(int):
    """A number as people read it, and the form of a word that goes with it: `{count} {count:mailbox|mailboxes}`."""

    def __format__(self, form: str) -> str:
        if "|" in form:
            one, many = form.split("|")
            return one if self == 1 else many
        return super().__format__(form or ",")


def _merged() -> dict[Language, dict[str, str]]:
    found: dict[Language, dict[str, str]] = {language: {} for language in Language}
    for room in ROOMS:
        for language, texts in in_every_language(__name__, "WORDS", room).items():
            found[language].update(texts)
    return found


TEXTS: Mapping[Language, Texts] = _merged()


def words_of(language: Language) -> Words:
    """The texts of a language. A key that no table has is a programming error (`KeyError`)."""
    texts = TEXTS[language]

    def text(key: str, **values: Any) -> str:
        shown = {name: Count(value) if type(value) is int else value for name, value in values.items()}
        return texts[key].format(**shown)

    return text
