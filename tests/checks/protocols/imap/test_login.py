"""Logins: what each answer of a server means, at which step, and that there is never a second attempt."""

import base64
from dataclasses import replace

import pytest

from checks.clients.node import NODE
from checks.clients.profile import ClientProfile
from checks.clients.python import PYTHON
from checks.codes import Code, Verdict, verdict_of
from checks.context import CheckContext
from checks.model import CredentialKind, Protocol
from tests.checks.helpers import SECRET, USER, attempt, briefly
from tests.servers.behaviours import imap_script
from tests.servers.certificates import CertificateFiles
from tests.servers.hostile import HostileServer

IMAP, SMTP = Protocol.IMAP, Protocol.SMTP
TOKEN = CredentialKind.OAUTH2_TOKEN
REFUSED_TOKEN = base64.b64encode(b'{"status":"401","schemes":"Bearer","scope":"https://mail.lab.example/"}').decode()


def sasl(data: bytes) -> bytes:
    """What stands after the mechanism in what a server received."""
    return base64.b64encode(data)


PLAIN = sasl(f"\0{USER}\0{SECRET}".encode())
LOGIN_OF_IMAPLIB = f'MP0 LOGIN {USER} "{SECRET}"'.encode()  # which leaves the user name as it is


class TestImap:
    @pytest.mark.parametrize(
        ("reply", "code"),
        [
            ("{tag} OK Logged in", Code.OK),
            ("* CAPABILITY IMAP4rev1 MORE\r\n{tag} OK [CAPABILITY IMAP4rev1] Logged in", Code.OK),
            ("{tag} NO [AUTHENTICATIONFAILED] Authentication failed.", Code.AUTH_REJECTED),
            ("* BYE Too bad\r\n{tag} NO [AUTHENTICATIONFAILED] Authentication failed.", Code.AUTH_REJECTED),
            ("{tag} NO [UNAVAILABLE] Temporary authentication failure.", Code.AUTH_TEMPORARY),
            ("{tag} NO [ALERT] Application-specific password required", Code.AUTH_APP_PASSWORD),
            ("{tag} BAD Command unknown", Code.PROTOCOL_ERROR),
            ("complete garbage without a tag", Code.PROTOCOL_ERROR),
            ("* NO [ALERT] Your mailbox is almost full\r\n?", Code.PROTOCOL_ERROR),
            ("+ !!! not base64 !!!\r\n{tag} NO [AUTHENTICATIONFAILED] no", Code.AUTH_REJECTED),
            ("* X {999999999}", Code.PROTOCOL_OVERSIZE),
            ("* X {x}\r\n{tag} OK Logged in", Code.OK),
        ],
    )
    @pytest.mark.parametrize(
        ("client", "sent", "unsent"), [(PYTHON, b" LOGIN ", b"AUTHENTICATE"), (NODE, b" AUTHENTICATE PLAIN", b"LOGIN")]
    )
    def test_answers_to_a_login(
        self,
        reply: str,
        code: Code,
        client: ClientProfile,
        sent: bytes,
        unsent: bytes,
        leaf: CertificateFiles,
        context: CheckContext,
    ) -> None:
        """Neither client goes on to another way, whatever the server says of the first."""
        with HostileServer(imap_script(login=reply), leaf) as server:
            result = attempt(server, replace(briefly(context), client=client), capabilities=("AUTH=PLAIN",))
            # Too much at once is a matter of the moment, until it comes twice.
            moment = code is Code.PROTOCOL_OVERSIZE
            assert (result.code, result.verdict) == (code, Verdict.INCONCLUSIVE if moment else verdict_of(code))
            assert server.received.count(sent) == 1
            assert unsent not in server.received

    @pytest.mark.parametrize(("client", "code"), [(PYTHON, Code.PROTOCOL_FOREIGN_TAG), (NODE, Code.OK)])
    def test_an_answer_with_another_tag_is_no_word_about_the_password(
        self, client: ClientProfile, code: Code, leaf: CertificateFiles, context: CheckContext
    ) -> None:
        reply = "OTHER1 NO [AUTHENTICATIONFAILED] not for us\r\n{tag} OK Logged in"
        with HostileServer(imap_script(login=reply), leaf) as server:
            assert attempt(server, replace(briefly(context), client=client)).code is code

    @pytest.mark.parametrize(
        ("reply", "code"),
        [
            ("* 3 EXISTS\r\n* OK [UIDVALIDITY none] odd\r\n{tag} OK [READ-ONLY] Done", Code.OK),
            ("{tag} BAD User is authenticated but not connected.", Code.MAILBOX_NOT_CONNECTED),
            ("{tag} NO [NONEXISTENT] Mailbox doesn't exist", Code.MAILBOX_NO_INBOX),
            ("{tag} NO [INUSE] Mailbox is locked", Code.MAILBOX_IN_USE),
            ("{tag} NO something", Code.SERVER_UNAVAILABLE),
            ("* BYE [UNAVAILABLE] shutting down", Code.SERVER_UNAVAILABLE),
        ],
    )
    def test_answers_to_examine(self, reply: str, code: Code, leaf: CertificateFiles, context: CheckContext) -> None:
        with HostileServer(imap_script(("EXAMINE", reply)), leaf) as server:
            result = attempt(server, briefly(context))
        assert (result.code, result.verdict) == (code, verdict_of(code))

    @pytest.mark.parametrize(
        ("client", "capabilities", "expected"),
        [
            (PYTHON, ("IMAP4REV1", "SASL-IR", "AUTH=PLAIN"), LOGIN_OF_IMAPLIB),
            (PYTHON, ("IMAP4REV1",), LOGIN_OF_IMAPLIB),
            (PYTHON, ("IMAP4REV1", "AUTH=PLAIN", "LOGINDISABLED"), b"MP0 AUTHENTICATE PLAIN\r\n" + PLAIN),
            (NODE, ("IMAP4REV1", "SASL-IR", "AUTH=PLAIN"), b"MP0 AUTHENTICATE PLAIN " + PLAIN),
            (NODE, ("IMAP4REV1", "AUTH=PLAIN"), b"MP0 AUTHENTICATE PLAIN\r\n" + PLAIN),
            (NODE, ("IMAP4REV1",), f'MP0 LOGIN "{USER}" "{SECRET}"'.encode()),
            (
                NODE,
                ("IMAP4REV1", "AUTH=LOGIN", "AUTH=CRAM-MD5"),
                b"MP0 AUTHENTICATE LOGIN\r\n" + sasl(USER.encode()) + b"\r\n" + sasl(SECRET.encode()),
            ),
        ],
    )
    def test_ways_to_log_in(
        self,
        client: ClientProfile,
        capabilities: tuple[str, ...],
        expected: bytes,
        leaf: CertificateFiles,
        context: CheckContext,
    ) -> None:
        script = imap_script(
            ("AUTHENTICATE (PLAIN|LOGIN)$", "+ "),
            (f"^{sasl(USER.encode()).decode()}$", "+ UGFzc3dvcmQ6"),
            (r"^[A-Za-z0-9+/=]{20,}$", "MP0 OK Logged in"),
        )
        with HostileServer(script, leaf) as server:
            result = attempt(server, replace(context, client=client), capabilities=capabilities)
            assert result.verdict is Verdict.OK
        assert expected + b"\r\n" in server.received
        assert server.received.endswith(b'EXAMINE "INBOX"\r\nMP9 LOGOUT\r\n')

    @pytest.mark.parametrize(
        ("capabilities", "kind", "code"),
        [
            (("IMAP4REV1", "LOGINDISABLED"), CredentialKind.PASSWORD, Code.AUTH_NOT_OFFERED),
            (("IMAP4REV1", "LOGINDISABLED", "AUTH=CRAM-MD5"), CredentialKind.PASSWORD, Code.AUTH_NO_MECHANISM),
            (("IMAP4REV1", "LOGINDISABLED", "AUTH=XOAUTH2"), CredentialKind.PASSWORD, Code.AUTH_OAUTH_REQUIRED),
            (("IMAP4REV1", "AUTH=PLAIN"), TOKEN, Code.AUTH_NO_MECHANISM),
        ],
    )
    def test_no_way_to_log_in(
        self,
        capabilities: tuple[str, ...],
        kind: CredentialKind,
        code: Code,
        leaf: CertificateFiles,
        context: CheckContext,
    ) -> None:
        with HostileServer("imap", leaf) as server:
            result = attempt(server, context, capabilities=capabilities, kind=kind)
        assert (result.code, result.verdict) == (code, Verdict.FAIL)
        assert SECRET.encode() not in server.received

    @pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])
    @pytest.mark.parametrize("sasl_ir", ["SASL-IR", "X"])
    def test_a_refused_token(self, mechanism: str, sasl_ir: str, leaf: CertificateFiles, context: CheckContext) -> None:
        refusal = f"+ {REFUSED_TOKEN}"
        script = imap_script(
            (f"AUTHENTICATE {mechanism}$", "+ "),
            (f"AUTHENTICATE {mechanism} ", refusal),
            (r"^(AQ==)?$", "MP0 NO AUTHENTICATE failed."),
            (r"^[A-Za-z0-9+/=]{20,}$", refusal),
        )
        with HostileServer(script, leaf) as server:
            result = attempt(server, context, capabilities=(sasl_ir, f"AUTH={mechanism}"), kind=TOKEN)
            assert (result.code, result.verdict) == (Code.AUTH_TOKEN_REJECTED, Verdict.FAIL)
            assert server.received.count(b"AUTHENTICATE") == 1
        assert (b"\r\nAQ==\r\n" in server.received) == (mechanism == "OAUTHBEARER")

    def test_an_accepted_token(self, leaf: CertificateFiles, context: CheckContext) -> None:
        with HostileServer("imap", leaf) as server:
            result = attempt(server, context, capabilities=("SASL-IR", "AUTH=XOAUTH2"), kind=TOKEN, secret="ya29.token")
        assert result.verdict is Verdict.OK
        assert sasl(f"user={USER}\1auth=Bearer ya29.token\1\1".encode()) in server.received
