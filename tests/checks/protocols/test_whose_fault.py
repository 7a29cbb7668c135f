"""Servers that refuse for reasons of their own: what they say is told as theirs, over real connections."""

import struct
from dataclasses import replace

import pytest

from checks.codes import CODES, Blame, Code, Verdict
from checks.context import CheckContext
from checks.model import Protocol, Security
from tests.checks.helpers import attempt, briefly, examine
from tests.servers.behaviours import SMTP_GREETING, imap_script, says, smtp_script
from tests.servers.certificates import CertificateFiles
from tests.servers.conversation import Behaviour, Conversation, Script
from tests.servers.hostile import HostileServer

IMAP, SMTP = Protocol.IMAP, Protocol.SMTP
TLS, STARTTLS = Security.TLS, Security.STARTTLS


class TestInClearOnATlsPort:
    """What is said before any TLS, where TLS was to come first."""

    @pytest.mark.parametrize(
        ("protocol", "words", "code", "other"),
        [
            (
                SMTP,
                "421 Too many concurrent SMTP connections; please try again later.",
                "server.too_many_connections",
                "",
            ),
            (SMTP, "421 4.7.0 [192.0.2.1] Connection rate limit exceeded", "server.throttled", ""),
            (SMTP, "421 4.3.2 Too many open connections.", "server.too_many_connections", ""),
            (SMTP, "421-4.7.0 wait\r\n421 4.7.0 Try again later", "server.unavailable", ""),
            (SMTP, "554 5.7.1 Your IP address is blocked", "server.blocks_address", ""),
            (SMTP, "421 Refused. Your reverse DNS entry does not resolve.", "server.reverse_dns", ""),
            (SMTP, "421 4.7.1 mail.example.com Error: No client certificate presented", "tls.client_certificate", ""),
            (IMAP, "* BYE Too many connections from your address", "server.too_many_connections", ""),
            (IMAP, "* BYE [UNAVAILABLE] Internal error", "server.unavailable", ""),
            (IMAP, "HTTP/1.0 400 Bad request\r\nConnection: close\r\n", "protocol.mismatch", "HTTP"),
            (SMTP, "HTTP/1.1 400 Bad Request\r\nServer: nginx\r\n", "protocol.mismatch", "HTTP"),
            (SMTP, "+OK POP3 ready", "protocol.mismatch", "POP3"),
            (IMAP, "220 mail.example.com ESMTP", "protocol.mismatch", "SMTP"),
        ],
    )
    def test_the_words_count(
        self, protocol: Protocol, words: str, code: str, other: str, leaf: CertificateFiles, context: CheckContext
    ) -> None:
        behaviour = _in_clear(f"{words}\r\n")
        found = examine(behaviour, leaf, briefly(context, 3.0), protocol, TLS)
        assert (found.code, found.facts.get("other", "")) == (code, other)
        with HostileServer(behaviour, leaf) as server:
            met = attempt(server, briefly(context, 3.0), protocol)
        assert (met.code, met.verdict) == (code, Verdict.INCONCLUSIVE)
        assert words.split("\r\n")[0][:40] in met.seen

    @pytest.mark.parametrize(("protocol", "words"), [(SMTP, SMTP_GREETING), (IMAP, "* OK Ready")])
    def test_a_welcome_in_clear_is_still_a_port_without_tls(
        self, protocol: Protocol, words: str, leaf: CertificateFiles, context: CheckContext
    ) -> None:
        found = examine(says(f"{words}\r\n".encode()), leaf, briefly(context, 3.0), protocol, TLS)
        assert found.code is Code.TLS_PLAINTEXT_PORT


class TestAnotherService:
    @pytest.mark.parametrize(
        ("greeting", "other"),
        [
            ("220 mail.example.com LMTP server ready", "LMTP"),
            ("220 mail.example.com Cyrus LMTP v3.6 server ready", "LMTP"),
            ("220 ProFTPD Server (ftp.example.com)", "FTP"),
        ],
    )
    def test_it_greets_like_smtp(
        self, greeting: str, other: str, leaf: CertificateFiles, context: CheckContext
    ) -> None:
        found = examine(says(f"{greeting}\r\n".encode()), leaf, briefly(context, 3.0), SMTP, STARTTLS)
        assert (found.verdict, found.code, found.facts["other"]) == (Verdict.FAIL, Code.PROTOCOL_MISMATCH, other)

    @pytest.mark.parametrize("protocol", [IMAP, SMTP])
    def test_a_web_server_waits_to_be_spoken_to(
        self, protocol: Protocol, leaf: CertificateFiles, context: CheckContext
    ) -> None:
        def web(conversation: Conversation) -> None:
            conversation.line()
            conversation.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

        found = examine(web, leaf, briefly(context), protocol, STARTTLS)
        assert (found.verdict, found.code, found.facts["other"]) == (Verdict.FAIL, Code.PROTOCOL_MISMATCH, "HTTP")


class TestStarttls:
    @pytest.mark.parametrize(
        ("rule", "code"),
        [
            (("^EHLO", "502 5.5.2 Error: command not recognized"), Code.TLS_STARTTLS_NOT_OFFERED),
            (("^EHLO", "500 Command unrecognized"), Code.TLS_STARTTLS_NOT_OFFERED),
            (("^EHLO", "250-mail.lab.example\r\n250 ENHANCEDSTATUSCODES"), Code.SERVER_BLOCKS_ADDRESS),
            (("^EHLO", "550 Bad HELO"), Code.SERVER_REFUSES_NAME),
            (("^EHLO", "501 5.5.4 Invalid EHLO name: address literal"), Code.SERVER_REFUSES_NAME),
            (("^EHLO", "504 5.5.2 <[192.0.2.1]>: Helo command rejected"), Code.SERVER_REFUSES_NAME),
            (("^EHLO", "450 4.7.25 Client host rejected: cannot find your hostname"), Code.SERVER_REVERSE_DNS),
        ],
    )
    def test_how_an_ehlo_is_refused(
        self, rule: tuple[str, str], code: Code, leaf: CertificateFiles, context: CheckContext
    ) -> None:
        script = replace(smtp_script(rule), tls="starttls")
        assert examine(script, leaf, briefly(context), SMTP, STARTTLS).code is code

    @pytest.mark.parametrize(
        ("reply", "code"),
        [
            ("454 4.7.0 TLS not available due to local problem", Code.TLS_STARTTLS_REFUSED),
            ("454 TLS currently unavailable", Code.TLS_STARTTLS_REFUSED),
            ("421 4.3.2 Service shutting down", Code.SERVER_UNAVAILABLE),
        ],
    )
    def test_how_starttls_is_refused(
        self, reply: str, code: Code, leaf: CertificateFiles, context: CheckContext
    ) -> None:
        offer = ("^EHLO", "250-mail.lab.example\r\n250 STARTTLS")
        script = replace(smtp_script(offer, ("STARTTLS", reply)), tls=None)
        assert examine(script, leaf, briefly(context), SMTP, STARTTLS).code is code


class TestRefusedAtEhlo:
    """Sendmail, to whom its access map refuses: EHLO is answered, but nothing is offered."""

    @pytest.mark.parametrize(
        ("answer", "code"),
        [
            (
                "250-mail.lab.example Hello [192.0.2.1], pleased to meet you\r\n250 ENHANCEDSTATUSCODES",
                "blocks_address",
            ),
            ("550 5.7.1 Access denied", "blocks_address"),
            ("550 5.7.1 Fix reverse DNS for 192.0.2.1", "reverse_dns"),
        ],
    )
    def test_on_a_port_with_tls_too(
        self, answer: str, code: str, leaf: CertificateFiles, context: CheckContext
    ) -> None:
        script = smtp_script(("^EHLO", answer))
        assert examine(script, leaf, briefly(context), SMTP, TLS).code == f"server.{code}"
        with HostileServer(script, leaf) as server:
            met = attempt(server, briefly(context), SMTP)
        assert (met.code, met.verdict) == (f"server.{code}", Verdict.INCONCLUSIVE)

    @pytest.mark.parametrize("answer", ["250 mail.lab.example", "250-mail.lab.example\r\n250 HELP"])
    def test_a_server_that_only_offers_little_is_not_taken_for_it(
        self, answer: str, leaf: CertificateFiles, context: CheckContext
    ) -> None:
        found = examine(smtp_script(("^EHLO", answer)), leaf, briefly(context), SMTP, TLS)
        assert found.code is Code.AUTH_NOT_OFFERED


class TestLoadGuard:
    """Above its load limit a server refuses connections (Sendmail's RefuseLA), though it took one a moment before."""

    @pytest.mark.parametrize("protocol", [IMAP, SMTP])
    @pytest.mark.parametrize(
        ("behaviour", "code"),
        [
            (lambda conversation: conversation.reset(), Code.CONNECT_CLOSED),
            (lambda _: None, Code.CONNECT_CLOSED),
            (lambda conversation: (conversation.start_tls(), None)[1], Code.CONNECT_CLOSED),
        ],
    )
    def test_a_login_that_is_let_go_says_nothing_of_its_mailbox(
        self, behaviour: Behaviour, code: Code, protocol: Protocol, leaf: CertificateFiles, context: CheckContext
    ) -> None:
        with HostileServer(behaviour, leaf) as server:
            met = attempt(server, briefly(context), protocol)
        assert (met.code, met.verdict) == (code, Verdict.INCONCLUSIVE)
        assert met.wait

    @pytest.mark.parametrize("protocol", [IMAP, SMTP])
    def test_nor_does_a_refused_connection(
        self, protocol: Protocol, leaf: CertificateFiles, context: CheckContext
    ) -> None:
        server = HostileServer("smtp", leaf)
        with server:
            pass
        met = attempt(server, briefly(context), protocol)
        assert (met.code, met.verdict) == (Code.CONNECT_REFUSED, Verdict.INCONCLUSIVE)
        assert met.wait

    def test_a_greeting_and_nothing_more(self, leaf: CertificateFiles, context: CheckContext) -> None:
        def lets_go(conversation: Conversation) -> None:
            conversation.start_tls()
            conversation.send(f"{SMTP_GREETING}\r\n")

        with HostileServer(lets_go, leaf) as server:
            met = attempt(server, briefly(context), SMTP)
        assert (met.code, met.verdict) == (Code.CONNECT_CLOSED, Verdict.INCONCLUSIVE)


class TestAfterTheLogin:
    """The password was right, or nobody came to judge it."""

    @pytest.mark.parametrize(
        ("login", "examine_reply", "code"),
        [
            ("{tag} OK [ALERT] Please enable IMAP access", "{tag} NO [ALERT]", Code.AUTH_PROTOCOL_DISABLED),
            ("{tag} OK [ALERT] Please enable IMAP access", "* BAD [ALERT]", Code.AUTH_PROTOCOL_DISABLED),
            ("{tag} OK [ALERT] IMAP is disabled in your settings", "{tag} NO", Code.AUTH_PROTOCOL_DISABLED),
            ("{tag} OK [ALERT] Your password has expired", "{tag} NO [ALERT]", Code.AUTH_EXPIRED),
            ("{tag} OK [ALERT] Planned maintenance tonight", "{tag} NO [ALERT]", Code.SERVER_UNAVAILABLE),
            ("{tag} OK Logged in", "* BAD [ALERT] Please turn on IMAP", Code.AUTH_PROTOCOL_DISABLED),
            ("{tag} OK Logged in", "* BYE [ALERT] Fatal error: No such file or directory", Code.MAILBOX_BROKEN),
            ("* BYE [ALERT] Fatal error: No such file or directory", "", Code.MAILBOX_BROKEN),
            ("* BYE [ALERT] Fatal error: Not a directory", "", Code.MAILBOX_BROKEN),
            ("* BYE [ALERT] Fatal error: Input/output error", "", Code.SERVER_UNAVAILABLE),
            ("* BAD internal server error", "", Code.SERVER_UNAVAILABLE),
            ("* BAD [UNAVAILABLE] upstream timed out", "", Code.SERVER_UNAVAILABLE),
            ("* BYE Temporary problem, please try again later", "", Code.AUTH_TEMPORARY),
            ("* BAD [ALERT] odd\r\n{tag} NO [AUTHENTICATIONFAILED] no", "", Code.AUTH_REJECTED),
            ("* Too many invalid logon attempts.\r\n{tag} BAD Goodbye", "", Code.SERVER_THROTTLED),
            ("* OK Account is locked\r\n{tag} BAD What?", "", Code.PROTOCOL_ERROR),
            ("{tag} NO authorization failure", "", Code.AUTH_POLICY),
            ("{tag} NO [ALERT] country blocked", "", Code.SERVER_BLOCKS_ADDRESS),
            ("{tag} NO [REFERRAL imap://u;AUTH=*@other.example/] Try other.example", "", Code.MAILBOX_ELSEWHERE),
            ("{tag} NO failed: Could not connect to server", "", Code.AUTH_TEMPORARY),
            ("{tag} NO [ALERT] Client didn't present valid SSL certificate", "", Code.TLS_CLIENT_CERTIFICATE),
        ],
    )
    def test_imap(
        self, login: str, examine_reply: str, code: Code, leaf: CertificateFiles, context: CheckContext
    ) -> None:
        """The whole deadline is never used up: an untagged refusal that nothing follows is the answer."""
        script = imap_script(("EXAMINE", examine_reply or "{tag} NO"), login=login)
        with HostileServer(_hanging_up(script) if login.startswith("* B") else script, leaf) as server:
            result = attempt(server, briefly(context, 8.0))
        assert result.code is code, result.seen
        assert result.ms is not None
        assert result.ms < 4_000

    @pytest.mark.parametrize(
        ("reply", "code", "blame"),
        [
            ("535 auth failed (this user authenticate too many times)", Code.SERVER_THROTTLED, Blame.SERVER),
            ("535 Error: authentication failed, system busy", Code.SERVER_THROTTLED, Blame.SERVER),
            ("535 5.7.8 Error: too many attempts", Code.SERVER_THROTTLED, Blame.SERVER),
            ("535 Database connection lost", Code.AUTH_TEMPORARY, Blame.SERVER),
            ("535 LDAP server unreachable", Code.AUTH_TEMPORARY, Blame.SERVER),
            ("535 connect ECONNREFUSED 127.0.0.1:3306", Code.AUTH_TEMPORARY, Blame.SERVER),
            ("503 Authentication from your network is blocked by policy", Code.SERVER_BLOCKS_ADDRESS, Blame.SERVER),
            ("535 Logins from this country are not allowed", Code.SERVER_BLOCKS_ADDRESS, Blame.SERVER),
            ("535 5.7.8 Client didn't present valid SSL certificate", Code.TLS_CLIENT_CERTIFICATE, Blame.SERVER),
            ("535 5.7.25 Reverse DNS validation failed", Code.SERVER_REVERSE_DNS, Blame.US),
        ],
    )
    def test_smtp(self, reply: str, code: Code, blame: Blame, leaf: CertificateFiles, context: CheckContext) -> None:
        with HostileServer(smtp_script(login=reply), leaf) as server:
            result = attempt(server, briefly(context), SMTP)
        assert result.code is code, result.seen
        assert CODES[code].blame is blame


def _in_clear(words: str) -> Behaviour:
    """Waits for the client's first message and answers it in clear text."""

    def behave(conversation: Conversation) -> None:
        conversation.peek()
        conversation.send(words)

    return behave


def _hanging_up(script: Script) -> Behaviour:
    """The same, but nothing follows the answer to the login."""

    def behave(conversation: Conversation) -> None:
        conversation.start_tls()
        conversation.send(script.greeting + "\r\n")
        while (reply := script._reply(line := conversation.line())) is not None:  # noqa: SLF001 - its answers, cut short
            conversation.send(reply.replace("{tag}", line.split()[0]) + "\r\n")
            if "AUTHENTICATE" in line:
                return

    return behave


def _server_hello_of_2009() -> bytes:
    """A ServerHello of TLS 1.2 without the extension of RFC 5746 (renegotiation_info)."""
    body = b"\x03\x03" + bytes(32) + b"\x00" + b"\xc0\x2f" + b"\x00"  # version, random, session, cipher, compression
    message = b"\x02" + struct.pack(">I", len(body))[1:] + body
    return b"\x16\x03\x03" + struct.pack(">H", len(message)) + message


@pytest.mark.parametrize("protocol", [IMAP, SMTP])
def test_a_server_without_secure_renegotiation_has_a_code_of_its_own(
    protocol: Protocol, leaf: CertificateFiles, context: CheckContext
) -> None:
    found = examine(says(_server_hello_of_2009()), leaf, briefly(context, 3.0), protocol, TLS)
    assert (found.verdict, found.code) == (Verdict.FAIL, Code.TLS_NO_SECURE_RENEGOTIATION)


@pytest.mark.parametrize("protocol", [IMAP, SMTP])
def test_and_so_it_has_after_starttls(protocol: Protocol, leaf: CertificateFiles, context: CheckContext) -> None:
    def of_2009(conversation: Conversation) -> None:
        conversation.send("* OK [CAPABILITY IMAP4rev1 STARTTLS] Ready\r\n" if protocol is IMAP else "220 ESMTP\r\n")
        while "STARTTLS" not in (line := conversation.line()):
            conversation.send("250-mail.lab.example\r\n250 STARTTLS\r\n")
        conversation.send(f"{line.split()[0]} OK Begin\r\n" if protocol is IMAP else "220 2.0.0 Ready\r\n")
        conversation.peek()
        conversation.send(_server_hello_of_2009())
        conversation.hang()

    found = examine(of_2009, leaf, briefly(context, 3.0), protocol, STARTTLS)
    assert (found.verdict, found.code) == (Verdict.FAIL, Code.TLS_NO_SECURE_RENEGOTIATION)
