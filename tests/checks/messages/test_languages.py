"""Every language says everything: what English has in a file called `en`, the others have in one of their name."""

import importlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from checks.language import Language, in_every_language

ROOT = Path(__file__).parents[3]


def _english() -> Iterator[str]:
    """The modules of all English texts, by their dotted names."""
    for floor in ("checks", "worker", "cli"):
        yield from (_dotted(path) for path in (ROOT / floor).rglob("en.py"))
        yield from (_dotted(path) for path in (ROOT / floor).rglob("en/*.py") if path.name != "__init__.py")


def _dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("name", sorted(_english()))
def test_a_language_has_the_same_tables_with_the_same_keys(name: str, language: Language) -> None:
    english = importlib.import_module(name)
    own = (str(language) if part == "en" else part for part in name.split("."))
    theirs = importlib.import_module(".".join(own))
    tables = {key: table for key, table in vars(english).items() if key.isupper() and isinstance(table, Mapping)}
    assert tables, "there are texts"
    assert {key: set(table) for key, table in tables.items()} == {key: set(vars(theirs)[key]) for key in tables}


def test_texts_were_found_on_every_floor() -> None:
    assert {name.partition(".")[0] for name in _english()} == {"checks", "worker", "cli"}


def test_a_language_without_a_file_is_told_at_the_start() -> None:
    with pytest.raises(ImportError):
        in_every_language("checks.messages", "WORDS", "nothing")
