"""Where a verdict hangs on the client, the report says which one judged, and which would not meet this."""

from dataclasses import replace

import pytest

from checks.codes import Code
from checks.language import Language
from checks.messages import wording
from checks.model import Protocol
from tests.cli.fakes import EXPIRED_SMTP
from worker.changes.impact import Impact
from worker.changes.report import Cause
from worker.changes.wording import cause_facts


def sentence(code: Code, protocol: Protocol, client: str, language: Language) -> str:
    endpoint = replace(EXPIRED_SMTP.endpoint, protocol=protocol)
    result = replace(EXPIRED_SMTP, endpoint=endpoint, code=Code.OK, client=client)
    facts = cause_facts(Cause(code, protocol, Impact.WILL_DISCONNECT, 2), [result])
    return wording(code, facts, language).sentence


@pytest.mark.parametrize(
    ("code", "protocol", "client", "english", "japanese"),
    [
        (
            Code.AUTH_UNSENDABLE,
            Protocol.IMAP,
            "python",
            "imapclient (python) cannot send them; imapflow (node) can.",
            "imapclient (python) では送信できませんが、imapflow (node) では送信できます。",
        ),
        (
            Code.AUTH_UNSENDABLE,
            Protocol.SMTP,
            "python",
            "smtplib (python) cannot send them; nodemailer (node) can.",
            "smtplib (python) では送信できませんが、nodemailer (node) では送信できます。",
        ),
        (
            Code.AUTH_UNSENDABLE,
            Protocol.HTTPS,
            "python",
            "exchangelib (python) cannot send them.",
            "exchangelib (python) では送信できません。",
        ),
        (
            Code.AUTH_UNSENDABLE,
            Protocol.IMAP,
            "node",
            "imapflow (node) cannot send them.",
            "imapflow (node) では送信できません。",
        ),
        (
            Code.AUTH_ID_REQUIRED,
            Protocol.IMAP,
            "python",
            "imapclient (python) sends none; imapflow (node) does.",
            "imapclient (python) は送信しませんが、imapflow (node) は送信します。",
        ),
        (
            Code.PROTOCOL_BARE_LINE_FEED,
            Protocol.IMAP,
            "our app",
            "our app stops there; imapflow (node) reads on.",
            "our app では読み取れませんが、imapflow (node) では読み取れます。",
        ),
    ],
)
def test_the_client_and_the_others_are_named(
    code: Code, protocol: Protocol, client: str, english: str, japanese: str
) -> None:
    assert sentence(code, protocol, client, Language.EN).endswith(f". {english}")
    assert sentence(code, protocol, client, Language.JA).endswith(f"。{japanese}")


@pytest.mark.parametrize("client", ["python", ""])
def test_nothing_is_said_where_it_hangs_on_no_client_or_that_is_not_known(client: str) -> None:
    code = Code.AUTH_REJECTED if client else Code.AUTH_UNSENDABLE
    said = sentence(code, Protocol.IMAP, client, Language.EN)
    assert "imapclient" not in said
    assert "imapflow" not in said
