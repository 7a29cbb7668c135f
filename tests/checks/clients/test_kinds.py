"""Each kind of server that a client's login was once misjudged at has its row, and at least three relatives of it."""

from collections import Counter

import pytest

from tests.checks.clients import imap_rows, smtp_rows, token_rows
from tests.checks.protocols.exchange.test_scripted import DENIALS, LETTERS
from tests.servers.resumption import REFUSALS

IMAP = tuple(row.name for row in (*imap_rows.ROWS, *token_rows.IMAP))
SMTP = tuple(row.name for row in (*smtp_rows.ROWS, *token_rows.SMTP))
KINDS: dict[str, tuple[str, ...]] = {
    "PLAIN's first response is not taken in the line of AUTHENTICATE": (
        "BAD to the inline response",
        "BAD to its arguments",
        "silence to it but an end",
        "asked again after it",
    ),
    "IMAP offers PLAIN and does not know it": (
        "no such mechanism",
        "no such mechanism, by a code",
        "no such command",
        "a rejection by PLAIN alone",
    ),
    "a plus in other forms": (
        "a bare plus",
        "a bare plus, LOGIN forbidden",
        "a plus with words",
        "only the SASL mechanism LOGIN, a bare plus",
    ),
    "letters in IMAP": (
        "UTF-8 in quotes",
        "UTF-8 by PLAIN",
        "UTF-8 by PLAIN, LOGIN forbidden",
        "a user name of other letters",
    ),
    "sessions of TLS are not taken back": tuple(REFUSALS),
    "ID is wanted": (
        "ID wanted after the login",
        "ID wanted at any time",
        "unsafe with ID too",
        "unsafe, and no ID",
    ),
    "SMTP refuses PLAIN as if it were the password": (
        "PLAIN: no mechanism; LOGIN",
        "PLAIN: invalid mechanism; LOGIN",
        "PLAIN: no mechanism; CRAM-MD5",
        "PLAIN: too weak; LOGIN",
    ),
    "SMTP offers PLAIN and does not know it": (
        "PLAIN: 502; LOGIN",
        "PLAIN: 502 not implemented; LOGIN",
        "PLAIN: 504; LOGIN",
        "PLAIN: 500; LOGIN",
        "PLAIN: 501; LOGIN",
    ),
    "503 to AUTH": (
        "503 already authenticated, MAIL is taken",
        "503 already authenticated, 530 to MAIL",
        "503 not advertised, LOGIN would do, 530 to MAIL",
        "503 prohibited, MAIL is taken",
    ),
    "CRAM-MD5": (
        "CRAM-MD5 and DIGEST-MD5",
        "CRAM-MD5 among others that nobody speaks",
        "CRAM-MD5 unknown; LOGIN",
        "CRAM-MD5 rejects; PLAIN",
    ),
    "senders are judged": (
        "another user name, not owned",
        "another name, 501",
        "another name, 5.7.60",
        "the address itself, not owned",
    ),
    "SMTP without a login": (
        "no AUTH, none wanted",
        "no AUTH, none wanted, 530",
        "no AUTH, none wanted, 550",
        "no AUTH, MAIL is taken",
    ),
    "letters in Exchange": tuple(LETTERS),
    "impersonation": tuple(DENIALS),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_has_four_servers_or_more(kind: str) -> None:
    servers = KINDS[kind]
    assert len(set(servers)) >= 4
    assert set(servers) <= {*IMAP, *SMTP, *REFUSALS, *LETTERS, *DENIALS}


def test_no_kind_goes_missing() -> None:
    """Given the kinds that were met first, then all are here, each server once, and rows are told by their names."""
    assert len(KINDS) == 14
    assert max(Counter(name for servers in KINDS.values() for name in servers).values()) == 1
    assert len(set(IMAP)) == len(IMAP) >= 58
    assert len(set(SMTP)) == len(SMTP) >= 53
