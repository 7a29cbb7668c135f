"""Repairs in words: the same kinds in every language, each with its facts."""

import re

import pytest

from checks.document import endpoint_document
from checks.messages import Language, certificates_en, certificates_ja, fix_detail
from checks.model import Code, Endpoint, EndpointResult, Fix, Protocol, Verdict
from checks.repairs import repair
from checks.serialize import dump_endpoint_result, load_endpoint_result

FACTS = {
    "host": "mail.lab.example",
    "name": "imap.lab.example",
    "subject": "CN=x",
    "sha256": "0a",
    "date": "2026-03-03",
}


def test_both_languages_know_the_same_repairs() -> None:
    assert set(certificates_en.FIXES) == set(certificates_ja.FIXES)
    for kind, words in certificates_en.FIXES.items():
        assert set(re.findall(r"{(\w+)}", words)) == set(re.findall(r"{(\w+)}", certificates_ja.FIXES[kind])), kind


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("kind", [kind for kind in certificates_en.FIXES if "." not in kind])
def test_a_repair_is_a_whole_sentence(kind: str, language: Language) -> None:
    words = fix_detail(repair(kind, **FACTS), language)
    assert not re.search(r"[{}]|  |None", words)
    assert words.endswith("。" if language is Language.JA else ".")
    assert bool(re.search(r"[\u3040-\u30ff]", words)) is (language is Language.JA)


def test_a_name_that_does_not_lead_here_is_told_apart() -> None:
    here, elsewhere = (fix_detail(repair("use_host", name="imap.lab.example", resolves=r)) for r in ("yes", "no"))
    assert here in elsewhere
    assert "DNS" in elsewhere


def test_a_repair_without_words_of_ours_keeps_its_own() -> None:
    assert fix_detail(Fix("use_url", "https://mail.lab.example"), Language.JA) == "https://mail.lab.example"


def test_a_repair_is_kept_and_told_in_the_language_of_the_reader() -> None:
    endpoint = Endpoint(Protocol.IMAP, "mail.lab.example", 993)
    result = EndpointResult(
        endpoint, Verdict.FAIL, Code.TLS_NAME_MISMATCH, fix=repair("use_host", name="x.lab.example")
    )
    kept = load_endpoint_result(dump_endpoint_result(result))
    assert kept == result
    told = [endpoint_document(kept, language)["fix"] for language in Language]
    assert told[0] != told[1]
    assert all(isinstance(each, dict) and set(each) == {"kind", "detail"} for each in told)
