"""Real replies of real servers against their codes: a new reply is one line in `corpus_*.csv`, with its source."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple, cast

import pytest

from checks.codes import CODES, Code, Verdict, verdict_of
from checks.protocols.imap.replies import ImapStage, translate_imap
from checks.protocols.smtp.replies import SmtpStage, translate_smtp
from checks.protocols.words.oauth import translate_oauth

_HERE = Path(__file__).parent


class Row(NamedTuple):
    """One line of a corpus. `lasts` and `code` were decided by reading, not by running the code."""

    stage: str
    status: int
    code: Code
    lasts: Literal["lasting", "temporary"]
    server: str
    reply: str
    source: str

    def translated(self) -> Code:
        if self.status:
            return translate_smtp(self.status, self.reply, cast(SmtpStage, self.stage))
        return translate_imap(self.reply, cast(ImapStage, self.stage))

    def __str__(self) -> str:
        return f"{self.server}-{self.stage}-{self.status or ''}{self.reply[:50]}"


def _read(name: str) -> Iterator[Row]:
    with (_HERE / name).open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file, delimiter="|", quoting=csv.QUOTE_NONE, strict=True):
            assert line["lasts"] in ("lasting", "temporary")
            lasts = cast(Literal["lasting", "temporary"], line["lasts"])
            reply = line["reply"].replace("\\n", "\n")
            status = int(line.get("status") or 0)
            yield Row(line["stage"], status, Code(line["code"]), lasts, line["server"], reply, line["source"])


IMAP = tuple(_read("corpus_imap.csv"))
SMTP = tuple(_read("corpus_smtp.csv"))
ALL = IMAP + SMTP


@pytest.mark.parametrize("row", ALL, ids=str)
def test_a_reply_becomes_the_code_that_was_decided_for_it(row: Row) -> None:
    assert row.translated() is row.code, row.source


@pytest.mark.parametrize("row", ALL, ids=str)
def test_a_temporary_reply_never_disconnects_anybody(row: Row) -> None:
    verdict = verdict_of(row.translated())
    assert verdict is (Verdict.INCONCLUSIVE if row.lasts == "temporary" else Verdict.FAIL)


def test_the_corpora_hold_many_distinct_replies_each_with_a_source() -> None:
    assert len({(row.stage, row.status, row.reply) for row in ALL}) == len(ALL) >= 300
    assert all(row.source.startswith(("https://", "Sendmail source")) for row in ALL)


@pytest.mark.parametrize("row", [row for row in IMAP if row.reply.split()[1:2] == ["NO"]], ids=str)
def test_the_tag_does_not_matter(row: Row) -> None:
    without_tag = row.reply.split(" ", 1)[1]
    assert translate_imap(without_tag, cast(ImapStage, row.stage)) is row.code


@pytest.mark.parametrize("row", SMTP, ids=str)
def test_a_reply_of_class_four_is_inconclusive_whatever_its_words(row: Row) -> None:
    """But for one: Postfix and nginx say 421 to every client without a certificate, for as long as they are set so."""
    code = translate_smtp(450, row.reply, cast(SmtpStage, row.stage))
    assert CODES[code].permanent is (row.code is Code.TLS_CLIENT_CERTIFICATE)


@pytest.mark.parametrize("text", ["Account locked", "[ALERT] Basic authentication is disabled", "Password expired"])
def test_words_never_outweigh_a_response_code_that_says_temporary(text: str) -> None:
    assert not CODES[translate_imap(f"a NO [UNAVAILABLE] {text}", "login")].permanent


@pytest.mark.parametrize(
    ("reply", "stage", "code"),
    [
        ("a NO", "login", Code.AUTH_REJECTED),
        ("a BAD", "login", Code.PROTOCOL_ERROR),
        ("a BAD whatever this is", "login", Code.PROTOCOL_ERROR),
        ("* BYE", "login", Code.SERVER_UNAVAILABLE),
        ("* BYE", "greeting", Code.SERVER_UNAVAILABLE),
        ("220 smtp.example.com ESMTP", "greeting", Code.PROTOCOL_ERROR),
        ("a NO whatever this is", "select", Code.SERVER_UNAVAILABLE),
        ("a BAD", "select", Code.PROTOCOL_ERROR),
        ("a NO [NONEXISTENT] x", "login", Code.AUTH_REJECTED),
        ("* BYE Your IP address is banned", "greeting", Code.SERVER_BLOCKS_ADDRESS),
        ("* BYE Your IP address is temporarily blocked", "greeting", Code.SERVER_THROTTLED),
        ("", "login", Code.AUTH_REJECTED),
    ],
)
def test_the_stage_decides_when_nothing_is_known(reply: str, stage: ImapStage, code: Code) -> None:
    assert translate_imap(reply, stage) is code


@pytest.mark.parametrize(
    ("status", "text", "stage", "code"),
    [
        (535, "", "auth", Code.AUTH_REJECTED),
        (535, "5.7.139 Authentication unsuccessful, for a new reason", "auth", Code.AUTH_POLICY),
        (535, "4.7.0 Try another time", "auth", Code.AUTH_TEMPORARY),
        (550, "5.7.1 Not today", "auth", Code.AUTH_POLICY),
        (599, "", "auth", Code.PROTOCOL_ERROR),
        (421, "", "auth", Code.SERVER_UNAVAILABLE),
        (501, "Authentication failed!", "auth", Code.AUTH_REJECTED),
        (554, "", "greeting", Code.GREETING_REFUSED),
        (554, "", "ehlo", Code.GREETING_REFUSED),
        (550, "Invalid name", "ehlo", Code.PROTOCOL_ERROR),
        (535, "5.7.13 Account disabled", "auth", Code.AUTH_ACCOUNT_DISABLED),
        (250, "Ok", "auth", Code.PROTOCOL_ERROR),
    ],
)
def test_the_codes_decide_when_the_words_say_nothing(status: int, text: str, stage: SmtpStage, code: Code) -> None:
    assert translate_smtp(status, text, stage) is code


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        # https://github.com/mscdex/node-imap/issues/233
        (b'{"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"}', Code.AUTH_TOKEN_REJECTED),
        # RFC 7628 section 4.2
        (b'{"status":"invalid_token","scope":"example_scope"}', Code.AUTH_TOKEN_REJECTED),
        (b'{"status":401}', Code.AUTH_TOKEN_REJECTED),
        (b'{"status":"503"}', Code.AUTH_TEMPORARY),
        (b'{"status":"429"}', Code.SERVER_THROTTLED),
        (b'{"status":"invalid_request"}', Code.PROTOCOL_ERROR),
        (b"[]", Code.PROTOCOL_ERROR),
        (b"{", Code.PROTOCOL_ERROR),
        (b"\xff\xfe\x00", Code.PROTOCOL_ERROR),
        (b"", Code.PROTOCOL_ERROR),
        (b"[" * 100_000, Code.PROTOCOL_ERROR),
    ],
)
def test_an_oauth_refusal_is_read_from_its_status(payload: bytes, code: Code) -> None:
    assert translate_oauth(payload) is code


@pytest.mark.parametrize("flood", ["account " * 200_000, "a" * 1_000_000, "[" * 500_000, "\n" * 500_000])
@pytest.mark.timeout(5)
def test_a_flood_is_read_in_no_time_and_without_an_error(flood: str) -> None:
    translate_imap(flood, "login")
    translate_smtp(535, flood, "auth")
    translate_oauth(json.dumps({"status": flood}).encode())
