"""Every code has words in every language, whatever facts are there, and the published table is what they say."""

import re
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.codes import CODES, Blame, Code
from checks.language import Language
from checks.messages import FIELDS, wording
from checks.messages.codes_page import table
from checks.messages.en import causes as en
from checks.messages.ja import causes as ja

_DOC = Path(__file__).parents[3] / "docs" / "codes.md"
_PLACE = {"host": "mail.example.com", "port": "993", "protocol": "IMAP"}
_EVERYWHERE = [(code, language) for code in Code for language in Language]
_FORM = {"host", "port", "security", "allow_insecure_certificate", "static_addresses"} | {
    "password",
    "username",
    "authentication",
}


@pytest.mark.parametrize("words", [en.WORDS, ja.WORDS])
def test_every_code_has_its_own_words(words: dict[Code, tuple[str, str]]) -> None:
    assert set(words) == set(Code) == set(CODES)
    sentences = [sentence for sentence, _ in words.values()]
    assert len(set(sentences)) == len(sentences)


@pytest.mark.parametrize(("code", "language"), _EVERYWHERE)
@pytest.mark.parametrize("facts", [{}, _PLACE])
def test_a_missing_fact_leaves_a_whole_sentence(code: Code, language: Language, facts: dict[str, str]) -> None:
    words = wording(code, facts, language)
    for text in (words.sentence, words.advice):
        assert text
        assert not re.search(r"[{}]|  |None|[\u3040-\u9fff] [\u3040-\u9fff]", text)
        assert text.endswith("。" if language is Language.JA else ".")
    assert words.sentence[0].isupper() or language is Language.JA or words.sentence.startswith("mail.example.com")


@pytest.mark.parametrize("module", [en, ja])
def test_the_sentences_ask_only_for_facts_that_have_a_neutral_word(module: object) -> None:
    words, neutral = module.WORDS, module.NEUTRAL  # type: ignore[attr-defined]
    texts = (text for pair in words.values() for text in pair)
    asked = {name for text in texts for _, name, _, _ in string.Formatter().parse(text) if name}
    assert asked <= set(neutral)


def test_both_languages_ask_for_the_same_facts_in_the_sentence() -> None:
    for code in Code:
        english, japanese = en.WORDS[code][0], ja.WORDS[code][0]
        assert set(re.findall(r"{(\w+)}", english)) == set(re.findall(r"{(\w+)}", japanese)), code


@pytest.mark.parametrize("language", Language)
def test_japanese_is_japanese_and_english_is_english(language: Language) -> None:
    for code in Code:
        words = wording(code, _PLACE, language)
        has_kana = all(re.search(r"[\u3040-\u30ff]", text) for text in (words.sentence, words.advice))
        assert has_kana is (language is Language.JA), code
        assert language is Language.JA or (words.sentence + words.advice).isascii(), code


def test_the_sentence_tells_fact_host_and_date() -> None:
    facts = {**_PLACE, "date": "2026-03-03"}
    assert wording(Code.TLS_EXPIRED, facts).sentence == "The certificate for mail.example.com expired on 3 March 2026."
    japanese = wording(Code.TLS_EXPIRED, facts, Language.JA).sentence
    assert japanese == "mail.example.com の証明書は 2026年3月3日に有効期限が切れています。"


@pytest.mark.parametrize("date", ["2026-03-03T23:59:59+00:00", "2026-03-03 23:59"])
def test_a_time_is_told_as_its_day(date: str) -> None:
    assert "3 March 2026" in wording(Code.TLS_EXPIRED, {**_PLACE, "date": date}).sentence


def test_an_odd_date_is_told_as_it_is() -> None:
    assert "expired on soon." in wording(Code.TLS_EXPIRED, {**_PLACE, "date": "soon"}).sentence


@given(st.dictionaries(st.sampled_from(sorted(en.NEUTRAL)), st.text()))
def test_no_fact_can_make_the_wording_fail(facts: dict[str, str]) -> None:
    for code, language in _EVERYWHERE:
        assert wording(code, facts, language).sentence


@pytest.mark.parametrize("value", ["{host}", "{0.__class__}", "{"])
def test_a_fact_is_never_taken_as_a_template(value: str) -> None:
    assert value in wording(Code.DNS_NOT_FOUND, {"host": value}).sentence


@pytest.mark.parametrize(
    ("code", "protocol", "field"),
    [
        (Code.CONNECT_REFUSED, "IMAP", "imap.port"),
        (Code.DNS_NOT_FOUND, "SMTP", "smtp.host"),
        (Code.DNS_NOT_FOUND, "Exchange", "exchange.url"),
        (Code.TLS_PLAINTEXT_PORT, "SMTP", "smtp.security"),
        (Code.TLS_SELF_SIGNED, "IMAP", "allow_insecure_certificate"),
        (Code.TLS_EXPIRED, "IMAP", "imap.host"),
        (Code.TLS_NOT_YET_VALID, "Exchange", "exchange.url"),
        (Code.TLS_INTERMEDIATE_EXPIRED, "SMTP", "smtp.host"),
        (Code.AUTH_REJECTED, "IMAP", "mailbox.password"),
        (Code.MAILBOX_NO_INBOX, "IMAP", "mailbox.username"),
        (Code.SERVER_UNAVAILABLE, "IMAP", None),
        (Code.CONNECT_REFUSED, "", "port"),
    ],
)
def test_the_form_field_to_look_at(code: Code, protocol: str, field: str | None) -> None:
    assert wording(code, {"protocol": protocol}).field == field


def test_what_the_settings_are_to_blame_for_has_a_field() -> None:
    to_blame = {code for code, trait in CODES.items() if trait.blame is Blame.SETTINGS}
    assert to_blame <= set(FIELDS)
    assert set(FIELDS.values()) == _FORM


@pytest.mark.parametrize("module", [en, ja])
def test_everyone_who_may_have_to_act_has_a_name(module: object) -> None:
    assert set(module.BLAME) == set(Blame)  # type: ignore[attr-defined]


def test_a_temporary_cause_tells_to_verify_again() -> None:
    # Patience that helped is over: nobody has to do anything.
    exempt = {Code.CREDENTIAL_UNREADABLE, Code.SERVER_PATIENCE}
    for code, trait in CODES.items():
        if not trait.permanent and code not in exempt:
            assert "erify again" in wording(code, _PLACE).advice, code


def test_the_published_table_is_complete_and_up_to_date() -> None:
    published = _DOC.read_text(encoding="utf-8")
    assert published == table(), "make it anew: python -m checks.messages.codes_page > docs/codes.md"
    for code in Code:
        assert published.count(f"| `{code}` |") == len(Language)
