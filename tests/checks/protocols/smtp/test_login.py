"""Logins: what each answer of a server means, at which step, and that there is never a second attempt."""

import base64

import pytest

from checks.codes import Code, Verdict, verdict_of
from checks.context import CheckContext
from checks.model import CredentialKind, Protocol
from tests.checks.helpers import SECRET, USER, attempt, briefly
from tests.servers.behaviours import smtp_script
from tests.servers.certificates import CertificateFiles
from tests.servers.hostile import HostileServer

IMAP, SMTP = Protocol.IMAP, Protocol.SMTP
TOKEN = CredentialKind.OAUTH2_TOKEN
REFUSED_TOKEN = base64.b64encode(b'{"status":"401","schemes":"Bearer","scope":"https://mail.lab.example/"}').decode()


def sasl(data: bytes) -> bytes:
    """What stands after the mechanism in what a server received."""
    return base64.b64encode(data)


class TestSmtp:
    @pytest.mark.parametrize(
        ("reply", "code"),
        [
            ("235 2.7.0 Accepted", Code.OK),
            ("235-2.7.0 Welcome\r\n235 2.7.0 Accepted", Code.OK),
            ("535 5.7.8 Error: authentication failed", Code.AUTH_REJECTED),
            ("454 4.7.0 Temporary authentication failure", Code.AUTH_TEMPORARY),
            ("421 4.3.2 Service shutting down", Code.SERVER_UNAVAILABLE),
            ("534-5.7.9 Application-specific password required.\r\n534 5.7.9 Learn more", Code.AUTH_APP_PASSWORD),
            ("250 fine, whatever that is", Code.PROTOCOL_ERROR),
            ("no status at all", Code.PROTOCOL_ERROR),
            ("5", Code.PROTOCOL_ERROR),
        ],
    )
    def test_answers_to_auth(self, reply: str, code: Code, leaf: CertificateFiles, context: CheckContext) -> None:
        with HostileServer(smtp_script(login=reply), leaf) as server:
            result = attempt(server, briefly(context), SMTP)
            assert (result.code, result.verdict) == (code, verdict_of(code))
            assert server.received.count(b"AUTH ") == 1
            assert b"MAIL" not in server.received.upper()

    @pytest.mark.parametrize(("reply", "code"), [("235 ok", Code.OK), ("535 5.7.8 no", Code.AUTH_REJECTED)])
    def test_a_server_that_knows_auth_login_only(
        self, reply: str, code: Code, leaf: CertificateFiles, context: CheckContext
    ) -> None:
        script = smtp_script(
            ("^EHLO", "250-mail.lab.example\r\n250 AUTH LOGIN CRAM-MD5"),
            ("^AUTH LOGIN$", "334 VXNlcm5hbWU6"),
            (sasl(USER.encode()).decode(), "334 UGFzc3dvcmQ6"),
            (sasl(SECRET.encode()).decode(), reply),
        )
        with HostileServer(script, leaf) as server:
            assert attempt(server, context, SMTP).code is code
            assert server.received.count(b"AUTH LOGIN") == 1

    def test_a_server_that_takes_no_initial_response(self, leaf: CertificateFiles, context: CheckContext) -> None:
        script = smtp_script(("^AUTH PLAIN", "334 "), (r"^[A-Za-z0-9+/=]{20,}$", "235 ok"))
        with HostileServer(script, leaf) as server:
            assert attempt(server, context, SMTP).code is Code.OK

    @pytest.mark.parametrize(
        ("offer", "kind", "code"),
        [
            ("AUTH DIGEST-MD5 NTLM", CredentialKind.PASSWORD, Code.AUTH_NO_MECHANISM),
            ("AUTH XOAUTH2", CredentialKind.PASSWORD, Code.AUTH_OAUTH_REQUIRED),
            ("8BITMIME", CredentialKind.PASSWORD, Code.AUTH_NOT_OFFERED),
            ("AUTH PLAIN LOGIN", TOKEN, Code.AUTH_NO_MECHANISM),
        ],
    )
    def test_no_way_to_log_in(
        self, offer: str, kind: CredentialKind, code: Code, leaf: CertificateFiles, context: CheckContext
    ) -> None:
        with HostileServer(smtp_script(("^EHLO", f"250-mail.lab.example\r\n250 {offer}")), leaf) as server:
            result = attempt(server, context, SMTP, kind=kind)
            assert (result.code, result.verdict) == (code, Verdict.FAIL)
            assert b"AUTH" not in server.received

    @pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])
    @pytest.mark.parametrize("challenge", [REFUSED_TOKEN, "!!! no base64 !!!"])
    def test_a_refused_token(
        self, mechanism: str, challenge: str, leaf: CertificateFiles, context: CheckContext
    ) -> None:
        script = smtp_script(
            ("^EHLO", f"250-mail.lab.example\r\n250 AUTH {mechanism}"),
            (r"^(AQ==)?$", "535 5.7.8 Username and Password not accepted"),
            login=f"334 {challenge}",
        )
        with HostileServer(script, leaf) as server:
            result = attempt(server, context, SMTP, kind=TOKEN)
        assert result.code is (Code.AUTH_TOKEN_REJECTED if challenge == REFUSED_TOKEN else Code.PROTOCOL_ERROR)
