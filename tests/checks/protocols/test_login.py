"""Logins: what each answer of a server means, at which step, and that there is never a second attempt."""

import base64
import time
from dataclasses import replace

import pytest

from checks.clients.node import NODE
from checks.codes import Code, Verdict, verdict_of
from checks.context import CheckContext
from checks.model import Credential, CredentialKind, Endpoint, Protocol, Security
from checks.protocols.login import open_route
from checks.runner import check_endpoint, check_mailbox
from tests.checks.helpers import LOOPBACK, SECRET, USER, attempt, echoes, insecurely, route_to, stalls, trusting
from tests.servers.behaviours import floods, imap_script, smtp_script
from tests.servers.certificates import CertificateFiles, CertificateLab, Validity
from tests.servers.conversation import Conversation
from tests.servers.hostile import HostileServer
from tests.servers.lab import MailLab
from tests.servers.process import free_port

IMAP, SMTP = Protocol.IMAP, Protocol.SMTP
TOKEN = CredentialKind.OAUTH2_TOKEN
REFUSED_TOKEN = base64.b64encode(b'{"status":"401","schemes":"Bearer","scope":"https://mail.lab.example/"}').decode()


def sasl(data: bytes) -> bytes:
    """What stands after the mechanism in what a server received."""
    return base64.b64encode(data)


STEPS = [(IMAP, " LOGIN "), (IMAP, "EXAMINE"), (SMTP, "^EHLO"), (SMTP, "^AUTH")]


class TestTrouble:
    @pytest.mark.parametrize(("protocol", "step"), STEPS)
    def test_a_connection_dropped_at_a_step(
        self, protocol: Protocol, step: str, leaf: CertificateFiles, context: CheckContext
    ) -> None:
        make = imap_script if protocol is IMAP else smtp_script
        with HostileServer(make((step, None)), leaf) as server:
            result = attempt(server, context, protocol)
            assert (result.code, result.verdict) == (Code.CONNECT_CLOSED, Verdict.INCONCLUSIVE)
            assert server.connections == 1

    @pytest.mark.parametrize(("protocol", "step"), STEPS)
    def test_silence_at_a_step(
        self, protocol: Protocol, step: str, leaf: CertificateFiles, certificates: CertificateLab
    ) -> None:
        script = stalls(imap_script() if protocol is IMAP else smtp_script(), step)
        begun = time.monotonic()
        with HostileServer(script, leaf) as server:
            result = attempt(server, trusting(certificates, 0.3), protocol)
        assert (result.code, result.verdict) == (Code.DEADLINE, Verdict.INCONCLUSIVE)
        assert time.monotonic() - begun < 5

    @pytest.mark.parametrize(
        ("protocol", "cut"), [(IMAP, "MP0 NO [AUTHENTICATIONFAILED] Auth"), (SMTP, "535 5.7.8 Error: auth")]
    )
    def test_half_an_answer_is_no_answer(
        self, protocol: Protocol, cut: str, leaf: CertificateFiles, context: CheckContext
    ) -> None:
        script = imap_script() if protocol is IMAP else smtp_script()

        def behave(conversation: Conversation) -> None:
            line = conversation.line

            def until_then() -> str:
                text = line()
                if " LOGIN " in text or "AUTH" in text:
                    conversation.send(cut)
                    raise ConnectionError("enough")
                return text

            conversation.line = until_then  # type: ignore[method-assign]
            script(conversation)

        with HostileServer(behave, leaf) as server:
            result = attempt(server, context, protocol)
        assert (result.code, result.verdict) == (Code.CONNECT_CLOSED, Verdict.INCONCLUSIVE)

    @pytest.mark.parametrize(
        ("protocol", "name", "code"),
        [
            (IMAP, "close", Code.CONNECT_CLOSED),
            (IMAP, "imap_bye", Code.SERVER_TOO_MANY_CONNECTIONS),
            (SMTP, "reset", Code.CONNECT_CLOSED),
            (IMAP, "client_certificate", Code.TLS_CLIENT_CERTIFICATE),
            (SMTP, "old_tls", Code.TLS_VERSION),
            (IMAP, "smtp", Code.PROTOCOL_MISMATCH),
        ],
    )
    def test_what_is_met_before_the_login_is_no_fact_about_the_mailbox(
        self, protocol: Protocol, name: str, code: Code, leaf: CertificateFiles, context: CheckContext
    ) -> None:
        """Given an endpoint that passed its check and broke in the middle of the run."""
        with HostileServer(name, leaf) as server:
            result = attempt(server, context, protocol)
        assert (result.code, result.verdict) == (code, Verdict.INCONCLUSIVE)
        assert SECRET.encode() not in server.received

    @pytest.mark.parametrize(
        ("protocol", "answer", "code"),
        [
            (IMAP, "{tag} NO [AUTHENTICATIONFAILED] Authentication failed.\r\n", Code.AUTH_REJECTED),
            (IMAP, "{tag} NO [AUTHENTICATIONFAILED] no\r\n* BYE Disconnected\r\n", Code.AUTH_REJECTED),
            (IMAP, "* BYE Autologout\r\n", Code.SERVER_UNAVAILABLE),
            (IMAP, "* OK wait a moment\r\n", Code.CONNECT_CLOSED),
            (SMTP, "535 5.7.8 Error: authentication failed\r\n", Code.AUTH_REJECTED),
            (SMTP, "535-5.7.8 Error: authentication failed\r\n", Code.CONNECT_CLOSED),
        ],
    )
    def test_a_server_that_leaves_with_its_answer(
        self, protocol: Protocol, answer: str, code: Code, leaf: CertificateFiles, context: CheckContext
    ) -> None:
        behaviour = echoes(protocol, lambda tag, _: answer.replace("{tag}", tag), close=True)
        with HostileServer(behaviour, leaf) as server:
            result = attempt(server, context, protocol)
            assert (result.code, result.verdict) == (code, verdict_of(code))
            assert server.connections == 1

    def test_a_server_that_is_gone_is_inconclusive(self, context: CheckContext) -> None:
        result = check_mailbox(route_to(free_port(), context), Credential(USER, SECRET), context)
        assert (result.code, result.verdict) == (Code.CONNECT_REFUSED, Verdict.INCONCLUSIVE)

    def test_a_flood_in_answer_to_a_login(self, leaf: CertificateFiles, context: CheckContext) -> None:
        flood = floods(b"* OK still thinking\r\n" * 3_000)

        def behave(conversation: Conversation) -> None:
            conversation.start_tls()
            conversation.send("* OK Ready\r\n")
            conversation.line()
            flood(conversation)

        with HostileServer(behave, leaf) as server:
            assert attempt(server, context).code is Code.PROTOCOL_OVERSIZE

    def test_a_server_that_asks_again_and_again_gets_the_password_once(
        self, leaf: CertificateFiles, certificates: CertificateLab
    ) -> None:
        script = imap_script(("^$|^[A-Za-z0-9+/=]{20,}$", "+ "), login="+ ")
        with HostileServer(script, leaf) as server:
            waiting = replace(trusting(certificates, 0.5), client=NODE)
            result = attempt(server, waiting, capabilities=("AUTH=PLAIN",))
            assert result.verdict is not Verdict.OK
            assert server.received.count(sasl(f"\0{USER}\0{SECRET}".encode())) == 1


class TestRealServers:
    @pytest.mark.parametrize("protocol", [IMAP, SMTP])
    @pytest.mark.parametrize("starttls", [False, True])
    def test_one_login_each_and_no_second_attempt(
        self, lab: MailLab, protocol: Protocol, starttls: bool, context: CheckContext
    ) -> None:
        own = CheckContext(type(context.trust)(lab.certificates.ca_pem), context.policy)
        security = Security.STARTTLS if starttls else Security.TLS
        dovecot, postfix = lab.dovecot, lab.postfix
        imap = dovecot.imap_port if starttls else dovecot.imaps_port
        port = imap if protocol is IMAP else postfix.submission_port if starttls else postfix.smtps_port
        route = open_route(check_endpoint(Endpoint(protocol, "localhost", port, security), own), own)
        (good, password), (bad, _), *_ = lab.users.items()

        accepted = [check_mailbox(route, Credential(good, password), own) for _ in range(3)]
        rejected = check_mailbox(route, Credential(bad, "not-it"), own)

        assert [result.code for result in accepted] == [Code.OK] * 3
        assert (rejected.code, rejected.verdict) == (Code.AUTH_REJECTED, Verdict.FAIL)
        assert lab.dovecot.logins(protocol.value) == {good: 3}
        assert lab.dovecot.rejections(protocol.value) == {bad: 1}
        left = (dovecot if protocol is IMAP else postfix).partings()
        assert left == {True: 5}, f"the check of the endpoint is one: {dovecot.log.read_text()}"

    def test_a_route_without_verification_resumes_and_logs_in(
        self, leaf: CertificateFiles, certificates: CertificateLab
    ) -> None:
        expired = certificates.issue(validity=Validity.EXPIRED)
        lenient = trusting(certificates, insecure=True)
        with HostileServer("imap", expired) as server:
            result = check_endpoint(Endpoint(IMAP, LOOPBACK, server.port), lenient)
            route = open_route(result, lenient)
            assert route.tls_context is insecurely(route, lenient).tls_context
            codes = [check_mailbox(route, Credential(USER, SECRET), lenient).code for _ in range(3)]
        assert codes == [Code.OK] * 3
        assert leaf != expired
