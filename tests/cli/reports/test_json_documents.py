"""The two JSON documents against their published schemas."""

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError
from referencing import Registry, Resource

from checks.codes import Code, Verdict
from checks.language import Language
from checks.messages.endpoints import endpoint_document
from checks.model import Authentication, Endpoint, EndpointResult, Protocol
from checks.protocols.exchange.url import endpoint_of
from cli.reports.json_documents import write_document, write_report
from tests.cli.fakes import EXPIRED_SMTP, GOOD_IMAP, FakeLine, FakeReport, lines

SCHEMAS = Path(__file__).parents[3] / "docs" / "schema"


def validator(name: str) -> Draft202012Validator:
    """A validator of one of the published schemas; they refer to each other by file name."""
    documents = {path.name: json.loads(path.read_text()) for path in SCHEMAS.glob("*.json")}
    registry: Registry[Any] = Registry().with_resources(
        (file, Resource.from_contents(document)) for file, document in documents.items()
    )
    Draft202012Validator.check_schema(documents[name])
    return Draft202012Validator(documents[name], registry=registry)


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("result", [GOOD_IMAP, EXPIRED_SMTP])
def test_check_document_follows_its_schema(result: EndpointResult, language: Language) -> None:
    document = endpoint_document(result, language).as_json()

    validator("check.schema.json").validate(json.loads(json.dumps(document)))


def test_check_document_of_a_host_that_was_never_reached() -> None:
    result = EndpointResult(Endpoint(Protocol.IMAP, "no.example", 993), Verdict.FAIL, Code.DNS_NOT_FOUND)

    document = endpoint_document(result).as_json()

    validator("check.schema.json").validate(document)
    assert document["tls"] is None
    assert document["allow_insecure_certificate"] is None
    assert "no.example" in str(document["message"])


def test_every_code_can_be_a_check_document() -> None:
    for code in Code:
        validator("check.schema.json").validate(endpoint_document(replace(EXPIRED_SMTP, code=code)).as_json())


def test_document_names_facts_of_warnings_and_of_the_cause() -> None:
    document = endpoint_document(EXPIRED_SMTP).as_json()

    assert document["endpoint"] == {
        "protocol": "smtp",
        "host": "smtp.demo.example",
        "port": 465,
        "security": "tls",
        "address": "192.0.2.11",
    }
    assert "smtp.demo.example" in str(document["message"])
    assert document["fix"] == {"kind": "renew", "detail": "Renew the certificate of smtp.demo.example."}
    assert document["allow_insecure_certificate"] == "needed"


@pytest.mark.parametrize(("language", "words"), [(Language.EN, "without login"), (Language.JA, "ログインなし")])
def test_smtp_without_a_login_is_said(language: Language, words: str) -> None:
    endpoint = replace(EXPIRED_SMTP.endpoint, authentication=Authentication.NONE)
    document = endpoint_document(replace(EXPIRED_SMTP, endpoint=endpoint), language)

    validator("check.schema.json").validate(document.as_json())
    assert document.as_json()["endpoint"]["authentication"] == "none"  # type: ignore[index]
    assert words in document.headline


@pytest.mark.parametrize("key", ["verdict", "steps", "tls"])
def test_schema_refuses_a_document_that_lacks_something(key: str) -> None:
    document = endpoint_document(GOOD_IMAP).as_json()
    del document[key]

    with pytest.raises(ValidationError):
        validator("check.schema.json").validate(document)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_verify_document_follows_its_schema(count: int) -> None:
    report = FakeReport(lines("will_disconnect", count, Code.AUTH_REJECTED), endpoints=(GOOD_IMAP, EXPIRED_SMTP))
    stream = io.StringIO()

    write_report(report.document(), stream)

    document = json.loads(stream.getvalue())
    validator("verify.schema.json").validate(document)
    assert [line["address"] for line in document["mailboxes"]] == [line.address for line in report.lines]


def test_exchange_names_its_url_and_its_services() -> None:
    endpoint = endpoint_of("mail.demo.example/owa")
    result = EndpointResult(endpoint, Verdict.OK, Code.OK)
    services = {"mail": "ok", "calendar": "exchange.calendar_denied"}
    line = FakeLine("a@demo.example", "will_disconnect", Code.EXCHANGE_CALENDAR_DENIED, "https", services=services)
    stream = io.StringIO()

    write_report(FakeReport([line], endpoints=(result,)).document(), stream)

    document = json.loads(stream.getvalue())
    validator("verify.schema.json").validate(document)
    assert document["mailboxes"][0]["services"] == services
    assert document["endpoints"][0]["endpoint"]["url"] == "https://mail.demo.example/EWS/Exchange.asmx"
    assert document["endpoints"][0]["endpoint"]["typed"] == "mail.demo.example/owa"


def test_servers_words_reach_no_terminal_raw() -> None:
    stream = io.StringIO()

    write_document({"seen": "\x1b[2J\x9b31m 拒否"}, stream)

    assert stream.getvalue().isascii()
    assert "\x1b" not in stream.getvalue()
    assert json.loads(stream.getvalue())["seen"] == "\x1b[2J\x9b31m 拒否"


def test_mailboxes_are_written_as_they_come() -> None:
    """Given a report whose mailboxes are made one by one, each is written before the next one is asked for."""
    stream = io.StringIO()
    written_before: list[int] = []

    @dataclass
    class Streaming(FakeReport):
        def mailboxes(self) -> Iterator[FakeLine]:
            for number in range(3):
                written_before.append(stream.getvalue().count("@demo.example"))
                yield FakeLine(f"m{number}@demo.example", "keeps_working", Code.OK, None)

    document = Streaming([]).document()
    written_before.clear()  # it was read once for what is said of all
    write_report(document, stream)

    assert written_before == [0, 1, 2]
