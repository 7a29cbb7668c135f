"""Every term of discovery has words in each language, a place in the schema, and one in the page that explains it."""

import json
import re
from pathlib import Path

import pytest

from checks.discovery.model import Confidence, Evidence, FindingKind, LoginName, Outcome, Password, Source
from checks.language import Language
from checks.messages.discovery import PHRASES

ROOT = Path(__file__).parents[3]
REPAIRS = ("starttls_here", "tls_here", "other_port", "name_of_certificate")
TERMS = {
    "source": tuple(Source),
    "evidence": tuple(Evidence),
    "confidence": tuple(Confidence),
    "outcome": tuple(Outcome),
    "finding": tuple(FindingKind),
    "login": tuple(LoginName),
    "password": tuple(Password),
    "repair": REPAIRS,
}


@pytest.mark.parametrize("language", Language)
def test_every_term_has_its_words(language: Language) -> None:
    texts, english = PHRASES.texts[language], PHRASES.texts[Language.EN]
    assert {f"{kind}.{term}" for kind, terms in TERMS.items() for term in terms} <= set(texts)
    assert set(texts) == set(english)
    for key, words in texts.items():
        assert set(re.findall(r"\{(\w+)\}", words)) == set(re.findall(r"\{(\w+)\}", english[key])), key


def test_the_schema_has_every_term() -> None:
    text = (ROOT / "docs/schema/discovery.schema.json").read_text()
    found = {tuple(each) for each in _enums(json.loads(text))}
    for kind, terms in TERMS.items():
        assert tuple(str(term) for term in terms) in found, kind


def _enums(schema: object) -> list[list[str]]:
    if isinstance(schema, list):
        return [found for each in schema for found in _enums(each)]
    if not isinstance(schema, dict):
        return []
    own = [schema["enum"]] if "enum" in schema else []
    return own + [found for each in schema.values() for found in _enums(each)]


def test_the_page_explains_every_term() -> None:
    page = (ROOT / "docs/discovery.md").read_text(encoding="utf-8")
    explained = {term for kind in ("source", "evidence", "finding", "repair") for term in TERMS[kind]}
    assert [str(term) for term in explained if f"`{term}`" not in page] == []
