"""Scripted servers asked by Python's smtplib itself and by a canary of ours: both come in, or neither does."""

import smtplib
import ssl
from dataclasses import dataclass, replace

import pytest

from checks.codes import Verdict
from checks.context import CheckContext
from checks.model import Authentication, Credential, Endpoint, Protocol, Security
from checks.protocols.dialect import Habits, dialect_of
from checks.runner import check_mailbox
from tests.checks.helpers import LOOPBACK, SECRET, USER, route_to
from tests.checks.protocols.smtp.test_mechanisms import NO, REFUSALS, server
from tests.servers.behaviours import smtp_script
from tests.servers.certificates import CertificateFiles, CertificateLab
from tests.servers.conversation import Behaviour, Script
from tests.servers.hostile import HostileServer

ELSEWHERE = "svc-ada@other.example"


@dataclass(frozen=True, slots=True)
class Row:
    """A server and a mailbox. `login`: the settings want one."""

    name: str
    script: Behaviour
    works: bool
    secret: str = SECRET
    address: str = USER
    login: bool = True


def sends(mail: str, script: Script | None = None, *, offer: str = "AUTH PLAIN LOGIN") -> Script:
    """A server that takes logins, and answers so to MAIL."""
    rules = (("^EHLO", f"250-mail.lab.example\r\n250-PIPELINING\r\n250 {offer}"), ("^MAIL", mail), ("^RSET", "250 Ok"))
    return smtp_script(*rules, *(script.rules if script else ()))


def taking(script: Script) -> Script:
    """The same server, which takes every sender."""
    return replace(script, rules=(("^MAIL", "250 Ok"), ("^RSET", "250 Ok"), *script.rules))


ROWS = (
    Row("PLAIN takes the password", taking(server("PLAIN LOGIN", plain="ok", login="ok")), works=True),
    Row("PLAIN takes it, another password", taking(server("PLAIN LOGIN", plain="ok", login="ok")), False, "wrong"),
    Row("PLAIN: no mechanism; LOGIN", taking(server("PLAIN LOGIN CRAM-MD5", plain=REFUSALS[0], login="ok")), True),
    Row("PLAIN: 502; LOGIN", taking(server("LOGIN PLAIN XOAUTH2", plain=REFUSALS[2], login="ok")), True),
    Row("PLAIN: 504; LOGIN", taking(server("PLAIN LOGIN", login="ok")), True),
    Row("PLAIN: 500; LOGIN", taking(server("PLAIN LOGIN", plain=REFUSALS[6], login="ok")), True),
    Row("PLAIN: 504; LOGIN, another password", taking(server("PLAIN LOGIN", login="ok")), False, "wrong"),
    Row("CRAM-MD5 and DIGEST-MD5", taking(server("CRAM-MD5 DIGEST-MD5", cram="ok")), True),
    Row("CRAM-MD5, another password", taking(server("CRAM-MD5", cram="ok")), False, "wrong"),
    Row("CRAM-MD5 rejects; PLAIN", taking(server("CRAM-MD5 PLAIN", cram=NO, plain="ok")), True),
    Row("PLAIN rejects; LOGIN", taking(server("PLAIN LOGIN", plain=NO, login="ok")), True),
    Row("LOGIN only", taking(server("LOGIN", login="ok")), True),
    Row("DIGEST-MD5 only", taking(server("DIGEST-MD5")), False),
    Row("every mechanism refused", taking(server("PLAIN LOGIN CRAM-MD5")), False),
    Row("no AUTH", sends("250 Ok", offer="8BITMIME"), False),
    Row("no AUTH, none wanted", sends("250 Ok", offer="8BITMIME"), True, login=False),
    Row("no AUTH, none wanted, 530", sends("530 5.7.0 Authentication required", offer="8BITMIME"), False, login=False),
    Row("no AUTH, none wanted, 550", sends("550 5.7.1 relaying denied", offer="8BITMIME"), False, login=False),
    Row("another user name, taken", sends("250 2.1.0 Ok"), True, address="ada@lab.example"),
    Row("another user name, not owned", sends("553 5.7.1 not owned by auth user."), False, address="ada@lab.example"),
    Row("another name, 501", sends("501 mail from must be same as authorization user"), False, address="a@b.test"),
    Row("another name, 5.7.60", sends("550 5.7.60 SMTP; not permitted as this sender"), False, address="a@b.test"),
    Row("the address itself, not owned", sends("553 5.7.1 not owned by auth user."), False),
    Row("the relay is down", smtp_script(login="235 2.7.0 Logged in.\r\n421 4.4.0 no relay server"), False),
    Row("letters: ä", taking(server("PLAIN LOGIN", plain="ok")), False, "pässword"),
    Row("letters: Cyrillic", taking(server("CRAM-MD5", cram="ok")), False, "пароль"),
)  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_both_come_to_the_same(
    row: Row, leaf: CertificateFiles, context: CheckContext, certificates: CertificateLab
) -> None:
    with HostileServer(row.script, leaf) as hostile:
        theirs = _smtplib_sends(hostile.port, row, certificates)
        ours = _a_canary_sends(hostile.port, row, context)
    assert (theirs, ours) == (row.works, row.works)


def _smtplib_sends(port: int, row: Row, certificates: CertificateLab) -> bool:
    trust = ssl.create_default_context(cadata=certificates.ca_pem)
    try:
        with smtplib.SMTP_SSL(LOOPBACK, port, "lab.example", timeout=5, context=trust) as client:
            if row.login:
                client.login(USER, row.secret)
            else:
                client.ehlo()
            return client.mail(row.address)[0] == 250
    except (smtplib.SMTPException, UnicodeEncodeError):
        return False


def _a_canary_sends(port: int, row: Row, context: CheckContext) -> bool:
    route = replace(route_to(port, context, Protocol.SMTP), habits=Habits.begin({}, canaries=True))
    if not row.login:
        none = Authentication.NONE
        endpoint = Endpoint(Protocol.SMTP, LOOPBACK, port, Security.TLS, authentication=none)
        route = replace(route, endpoint=endpoint, dialect=dialect_of(Protocol.SMTP, none))
    return check_mailbox(route, Credential(USER, row.secret), context, row.address).verdict is Verdict.OK
