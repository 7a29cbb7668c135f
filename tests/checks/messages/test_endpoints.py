"""An endpoint's result as its document: all that is said of it is in there, in both languages."""

from dataclasses import replace
from string import Formatter

import pytest

from checks.codes import Code, Verdict
from checks.language import Language
from checks.messages.endpoints import PHRASES, endpoint_document, step_label, verdict_words
from checks.model import (
    ALLOWED_BY_OPTION,
    Certificate,
    Endpoint,
    EndpointResult,
    Fix,
    Option,
    Protocol,
    Security,
    Step,
    TlsFacts,
    Warn,
)

EXPIRED = EndpointResult(
    endpoint=Endpoint(Protocol.SMTP, "2001:db8::11", 465, Security.TLS),
    verdict=Verdict.FAIL,
    code=Code.TLS_EXPIRED,
    facts={"date": "2026-03-03"},
    seen="certificate has expired",
    option=Option.NEEDED,
    fix=Fix("renew", "Renew it."),
    warnings=(Warn(Code.CONNECT_SOME_ADDRESSES, {"addresses": "2001:db8::12"}),),
    steps=(Step("connect", Verdict.OK, 2.04), Step("folder", Verdict.FAIL, 9.0, "no")),
)


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_every_language_has_every_text_with_the_same_values() -> None:
    english = {key: placeholders(text) for key, text in PHRASES.texts[Language.EN].items()}

    for language in Language:
        assert {key: placeholders(text) for key, text in PHRASES.texts[language].items()} == english


def test_japanese_is_not_english() -> None:
    english = PHRASES.texts[Language.EN]

    assert {key for key, text in PHRASES.texts[Language.JA].items() if text == english[key]} == {
        "step.tls",
        "step.starttls",
    }


@pytest.mark.parametrize("language", Language)
def test_whatever_a_check_can_find_has_a_text(language: Language) -> None:
    assert all(verdict_words(verdict, language) for verdict in Verdict)
    assert all(
        endpoint_document(replace(EXPIRED, option=option), language, ticked=True).option_sentence for option in Option
    )


def test_a_step_without_another_word_keeps_its_name() -> None:
    assert step_label("connect", Language.JA) == "接続"
    assert step_label("folder", Language.JA) == "folder"


@pytest.mark.parametrize(
    ("code", "begin", "end", "warning", "until"),
    [
        (Code.TLS_SELF_SIGNED, "2026-11-01", "2027-02-01", Code.TLS_CN_ONLY, "2027-02-01"),
        (Code.OK, "2026-11-01", "2027-02-01", Code.TLS_UNTRUSTED_ROOT, "2027-02-01"),
        (Code.TLS_EXPIRED, "2026-01-01", "2026-03-03", Code.TLS_CN_ONLY, ""),
        (Code.OK, "2026-01-01", "2026-03-03", Code.TLS_EXPIRED, ""),
        (Code.TLS_SELF_SIGNED, "2000-01-01", "3000-01-01", Code.TLS_CN_ONLY, ""),
    ],
)
def test_how_long_the_option_will_hold(code: Code, begin: str, end: str, warning: Code, until: str) -> None:
    """Given a certificate that will be renewed, then by which day; else nothing, since nobody knows."""
    leaf = Certificate("CN=mail", "CN=mail", f"{begin}T00:00:00+00:00", f"{end}T00:00:00+00:00", "aa")
    result = replace(EXPIRED, code=code, tls=TlsFacts("TLSv1.3", "AES", (leaf,)), warnings=(Warn(warning),))
    for language in Language:
        told = endpoint_document(result, language, ticked=True).option_sentence
        assert (until in told) if until else not any(character.isdigit() for character in told), told


def test_says_what_where_why_who_and_what_to_do() -> None:
    document = endpoint_document(EXPIRED)

    assert document.headline == "SMTP [2001:db8::11]:465 (tls): does not work"
    assert "3 March 2026" in document.sentence
    assert document.advice
    assert (document.blame, document.who_acts) == ("server", "whoever runs the mail server")
    assert document.field == "smtp.host"
    assert "is needed for this server" in document.option_sentence
    assert "2001:db8::12" in document.warnings[0].sentence
    assert [step.label for step in document.steps] == ["connect", "folder"]
    assert document.typed == ""


@pytest.mark.parametrize(
    ("code", "server"), [(Code.TLS_EXPIRED, False), (Code.CONNECT_REFUSED, False), (Code.SERVER_THROTTLED, True)]
)
def test_tells_the_servers_words_from_the_networks(code: Code, server: bool) -> None:
    assert endpoint_document(replace(EXPIRED, code=code)).server_said is server


def test_what_was_typed_is_told_where_something_else_is_used() -> None:
    url = "https://mail.example/EWS/Exchange.asmx"
    endpoint = Endpoint(Protocol.HTTPS, "mail.example", 443, Security.TLS, url, "mail.example/owa")

    document = endpoint_document(EndpointResult(endpoint, Verdict.OK, Code.OK))

    assert document.typed == f"You typed mail.example/owa; what is used is {url}"
    assert document.headline == f"Exchange {url}: works"


def test_json_is_in_the_language_asked_for() -> None:
    japanese = endpoint_document(EXPIRED, Language.JA).as_json()

    assert japanese["who_acts"] == "メールサーバーの管理者"
    assert japanese["steps"] == [
        {"name": "connect", "label": "接続", "verdict": "ok", "ms": 2.0, "seen": ""},
        {"name": "folder", "label": "folder", "verdict": "fail", "ms": 9.0, "seen": "no"},
    ]


def test_that_the_option_let_it_pass_is_in_the_language() -> None:
    step = Step("tls", Verdict.OK, 1.0, f"certificate has expired{ALLOWED_BY_OPTION}")
    result = replace(EXPIRED, steps=(step,))

    said = {language: endpoint_document(result, language).steps[0].seen for language in Language}

    assert said == {
        Language.EN: "certificate has expired; allowed by the option",
        Language.JA: "certificate has expired（オプションにより許可）",
    }
