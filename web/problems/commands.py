"""Sentences without the names of commands: whoever asks the API or looks at the page has none.

A sentence says what is the matter, and behind `; `, `. ` or, in Japanese, `。` which command leads on.
"""

import re
from collections.abc import Mapping

from checks.language import Language

_NAME = r"`(?:pip install ')?mail-preflight\b"
_COMMAND = re.compile(_NAME)
_ASIDE = re.compile(rf" ?[(（][^()（）]*{_NAME}[^()（）]*[)）]")
_CLAUSE = re.compile(r".+?(?:; |\. (?=[A-Z])|[。；]|\Z)", re.DOTALL)
_ENDS = " ;；。"
_NOTHING_ELSE: Mapping[Language, str] = {
    Language.EN: "this cannot be done in this way",
    Language.JA: "この方法では実行できません",
}
"""What is said where a sentence is about a command and nothing else."""


def without_commands(text: str, language: Language = Language.EN) -> str:
    """A sentence in that language without its clauses and asides that name a command. It is never empty."""
    if not _COMMAND.search(text):
        return text
    clauses = (clause for clause in _CLAUSE.findall(_ASIDE.sub("", text)) if not _COMMAND.search(clause))
    return "".join(clauses).rstrip(_ENDS) or _NOTHING_ELSE[language]
