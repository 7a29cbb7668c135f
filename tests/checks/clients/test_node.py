"""The profile `node` is proved: the same servers are asked by imapflow, nodemailer and us as them, and all agree."""

import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace

import pytest

from checks.clients.node import NODE
from checks.codes import Code, verdict_of
from checks.context import CheckContext
from checks.model import Endpoint, Protocol
from checks.runner import check_endpoint
from checks.trust import Trust
from tests.checks.clients import imap_rows, smtp_rows, token_rows
from tests.checks.clients.node_clients import Answer, Question, ask
from tests.checks.clients.test_agreement import ask as ask_imap
from tests.checks.helpers import LOOPBACK, USER
from tests.checks.protocols.smtp.test_agreement import a_canary_sends
from tests.servers.behaviours import imap_script
from tests.servers.certificates import CertificateFiles, CertificateLab
from tests.servers.conversation import Behaviour, Conversation
from tests.servers.hostile import HostileServer
from tests.servers.process import ServerError

Rows = tuple[imap_rows.Row | smtp_rows.Row, ...]
IMAP_ROWS, SMTP_ROWS = (*imap_rows.ROWS, *token_rows.IMAP), (*smtp_rows.ROWS, *token_rows.SMTP)
ROWS: Rows = (*IMAP_ROWS, *SMTP_ROWS)
Servers = Mapping[str, HostileServer]
OLD_CIPHERS = "old ciphers"


def key(row: imap_rows.Row | smtp_rows.Row) -> str:
    """A name of its own for each row of both protocols."""
    return f"{'imap' if isinstance(row, imap_rows.Row) else 'smtp'}: {row.name}"


def each(rows: Rows) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("row", rows, ids=[row.name for row in rows])


@pytest.fixture(scope="module")
def servers(leaf: CertificateFiles, certificates: CertificateLab) -> Iterator[Servers]:
    """A server for each row, and one with old ciphers."""
    with ExitStack() as stack:
        started = {key(row): stack.enter_context(HostileServer(_behaviour(row), leaf)) for row in ROWS}
        old = HostileServer(_with_old_ciphers, certificates.issue(rsa_key=True))
        yield started | {OLD_CIPHERS: stack.enter_context(old)}


def _with_old_ciphers(conversation: Conversation) -> None:
    """Of RSA key exchange only, which Python's own list is not let in by."""
    conversation.start_tls("rsa_key_exchange")
    script = imap_script(("^\\S+ LIST", '* LIST () "/" INBOX\r\n{tag} OK Done'))
    replace(script, tls=None)(conversation)


def _behaviour(row: imap_rows.Row | smtp_rows.Row) -> Behaviour:
    return imap_rows.serves(row) if isinstance(row, imap_rows.Row) else row.script


@pytest.fixture(scope="module")
def theirs(servers: Servers, certificates: CertificateLab) -> Mapping[str, Answer]:
    """What the libraries come to, at all servers at once."""
    questions = {key(row): _question(row, servers[key(row)].port) for row in ROWS}
    questions[OLD_CIPHERS] = Question("imap", servers[OLD_CIPHERS].port, USER, "secret")
    try:
        answers = ask(list(questions.values()), certificates.ca_file)
    except ServerError as error:
        pytest.skip(str(error))
    return dict(zip(questions, answers, strict=True))


def _question(row: imap_rows.Row | smtp_rows.Row, port: int) -> Question:
    if isinstance(row, imap_rows.Row):
        return Question("imap", port, row.user, row.secret, token=row.token)
    user = row.user if row.login else ""
    return Question("smtp", port, user, row.secret, row.address, token=row.token)


@each(ROWS)
def test_the_libraries_come_to_what_the_row_says(
    row: imap_rows.Row | smtp_rows.Row, theirs: Mapping[str, Answer]
) -> None:
    goes_on = isinstance(row, smtp_rows.Row) and row.without_login
    assert theirs[key(row)].works == (row.node is Code.OK or goes_on), theirs[key(row)].said


@each(IMAP_ROWS)
def test_we_open_what_the_row_says(row: imap_rows.Row, servers: Servers, context: CheckContext) -> None:
    results = ask_imap(row, servers[key(row)].port, context, NODE)
    assert [(result.code, result.verdict) for result in results] == [(row.node, verdict_of(row.node))] * 3


@each(SMTP_ROWS)
def test_we_send_what_the_row_says(row: smtp_rows.Row, servers: Servers, context: CheckContext) -> None:
    found = a_canary_sends(servers[key(row)].port, row, replace(context, client=NODE))
    assert found == (row.node, verdict_of(row.node))


def test_imapflow_and_we_name_ourselves_alike(
    theirs: Mapping[str, Answer], servers: Servers, context: CheckContext
) -> None:
    """Given a server that offers ID and says little of itself, then the same words come twice from both."""
    row = next(row for row in imap_rows.ROWS if row.name == "ID wanted after the login")
    assert theirs[key(row)].works
    before = len(servers[key(row)].received)
    ask_imap(row, servers[key(row)].port, context, NODE, logins=1)
    ours = re.findall(rb"MP\d (ID .*)\r\n", servers[key(row)].received[before:])
    assert len(ours) == 2
    assert ours == re.findall(rb"(?<!MP)\d (ID .*)\r\n", servers[key(row)].received)


def test_old_ciphers_are_offered_by_both(
    theirs: Mapping[str, Answer], servers: Servers, certificates: CertificateLab, context: CheckContext
) -> None:
    assert theirs[OLD_CIPHERS].works, theirs[OLD_CIPHERS].said
    endpoint = Endpoint(Protocol.IMAP, LOOPBACK, servers[OLD_CIPHERS].port)
    as_node = replace(context, client=NODE, trust=Trust(certificates.ca_pem, ciphers=NODE.tls.ciphers or "python"))
    codes = [check_endpoint(endpoint, own).code for own in (as_node, context)]
    assert codes == [Code.OK, Code.TLS_OLD_CIPHERS]
