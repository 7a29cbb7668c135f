"""What goes wrong, and what was done, in the reader's language. The English sentence is where it is said; others here.

A sentence is found by its template, `change {id} has no report`, and so are the parts that it is made of. One that no
table has stays as it is: a message in another language is better than none.
"""

import importlib
import re
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from functools import cache

from checks.language import Language

TABLES = ("errors", "refusals", "webhooks", "answers", "problems")
"""What each language but English has, as `ja_errors` for Japanese."""

_spoken: ContextVar[Language] = ContextVar("language", default=Language.EN)
_PLACE = re.compile(r"\{(\w+)\}")


def speak(language: Language) -> None:
    """What goes wrong is told in this language from now on."""
    _spoken.set(language)


def spoken() -> Language:
    """The language that was chosen."""
    return _spoken.get()


def chosen(arguments: Sequence[str], environment: Mapping[str, str]) -> Language:
    """The language that arguments and environment ask for, before anything is made of them: English if in doubt."""
    asked = environment.get("MAIL_PREFLIGHT_LANGUAGE", "")
    for number, argument in enumerate(arguments):
        name, given, value = argument.partition("=")
        if name == "--language":
            asked = value if given else "".join(arguments[number + 1 : number + 2])
            break
        if not argument.startswith("-") and arguments[number - 1 : number] != ["--account"]:
            break  # the command: what follows is its own
    return Language(asked.lower()) if asked.lower() in set(Language) else Language.EN


def translated(message: str, language: Language) -> str:
    """The message in a language, with the parts that are known in theirs."""
    for pattern, template, vocabulary in _patterns(language):
        if found := pattern.fullmatch(message):
            values = {
                name: vocabulary.get(name, {}).get(value) or translated(value, language)
                for name, value in found.groupdict().items()
            }
            return template.format_map(values)
    return message


@cache
def _patterns(language: Language) -> list[tuple[re.Pattern[str], str, Mapping[str, Mapping[str, str]]]]:
    if language is Language.EN:
        return []
    tables = [importlib.import_module(f"cli.wording.{language}_{name}") for name in TABLES]
    pairs = [pair for table in tables for pair in table.TEMPLATES]
    vocabulary = tables[TABLES.index("refusals")].VOCABULARY
    # What says most by itself comes first: a template that is nearly all places fits much.
    ordered = sorted(pairs, key=lambda pair: len(_PLACE.sub("", pair[0])), reverse=True)
    return [(_pattern(english), template, vocabulary) for english, template in ordered]


def _pattern(english: str) -> re.Pattern[str]:
    parts = _PLACE.split(english)
    seen: set[str] = set()
    made = ""
    for number, part in enumerate(parts):
        if number % 2 == 0:
            made += re.escape(part)
        elif part in seen:
            made += f"(?P={part})"
        else:
            seen.add(part)
            made += f"(?P<{part}>.*?)"
    return re.compile(made, re.DOTALL)
