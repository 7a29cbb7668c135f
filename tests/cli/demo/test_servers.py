"""The sandbox servers, spoken to by the standard library's clients and, where those are too polite, by hand."""

import base64
import imaplib
import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import closing

import pytest

from cli.demo.cast import APP_PASSWORD, DOMAIN, FAULTS, Cast, address, make_cast
from cli.demo.directory import Directory
from cli.demo.sandbox import HOST, MailServer, Sandbox, running_sandbox

CAST = make_cast()
GOOD = address("akira.abe")
WRONG = address("bela.abe")
APP = address("ines.abe")
NOT_ENABLED = address("kaya.berg")
ODD = 'o"dd\\{3}@' + DOMAIN
ODD_PASSWORD = 'p w"\\{7} ü'


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    old, new = CAST.old_directory(), CAST.new_directory()
    with running_sandbox(old, Directory({**new.passwords, ODD: ODD_PASSWORD}, new.refusals)) as running:
        yield running


@pytest.fixture
def server(sandbox: Sandbox) -> MailServer:
    return sandbox.new


def trusting(server: MailServer) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=server.ca_pem)


def imap(server: MailServer) -> imaplib.IMAP4_SSL:
    return imaplib.IMAP4_SSL(HOST, server.imap_port, ssl_context=trusting(server), timeout=5)


def plain(username: str, password: str) -> str:
    return base64.b64encode(f"\0{username}\0{password}".encode()).decode()


class Wire:
    """Bytes as they are: `say` sends one chunk, `hear` reads up to and with the first line that starts with a word."""

    def __init__(self, server: MailServer, tls: bool = True) -> None:
        raw = socket.create_connection((HOST, server.imap_port), timeout=5)
        self.socket = trusting(server).wrap_socket(raw, server_hostname=HOST) if tls else raw
        self._file = self.socket.makefile("rb")

    def say(self, chunk: bytes) -> None:
        self.socket.sendall(chunk)

    def hear(self, start: str) -> str:
        for line in self._file:
            if line.decode().startswith(start):
                return line.decode().rstrip()
        raise EOFError(start)

    def close(self) -> None:
        self._file.close()
        self.socket.close()


@pytest.fixture
def wire(server: MailServer) -> Iterator[Wire]:
    with closing(Wire(server)) as connection:
        connection.hear("* OK")
        yield connection


def test_the_greeting_carries_the_capabilities(server: MailServer) -> None:
    with closing(Wire(server)) as connection:
        assert connection.hear("*") == (
            "* OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ AUTH=PLAIN] demo.example IMAP server ready"
        )


def test_login_examine_noop_and_logout(server: MailServer) -> None:
    with imap(server) as client:
        assert client.login(GOOD, CAST.passwords[GOOD])[0] == "OK"
        assert client.select("INBOX", readonly=True) == ("OK", [b"0"])
        assert client.noop()[0] == "OK"
        assert client.logout()[0] == "BYE"


def test_authenticate_plain_without_an_initial_response(server: MailServer) -> None:
    with imap(server) as client:
        answer = client.authenticate("PLAIN", lambda _: f"\0{GOOD}\0{CAST.passwords[GOOD]}".encode())
        assert answer[0] == "OK"


def test_authenticate_plain_with_an_initial_response(wire: Wire) -> None:
    wire.say(f"a AUTHENTICATE PLAIN {plain(GOOD, CAST.passwords[GOOD])}\r\n".encode())
    assert wire.hear("a ").startswith("a OK")


@pytest.mark.parametrize("response", ["*", "!!!!", base64.b64encode(b"only").decode()])
def test_a_cancelled_or_malformed_response_is_bad(wire: Wire, response: str) -> None:
    wire.say(b"a AUTHENTICATE PLAIN\r\n")
    wire.hear("+")
    wire.say(f"{response}\r\n".encode())
    assert wire.hear("a ").startswith("a BAD")


@pytest.mark.parametrize("sign", ["", "+"])
def test_literals_carry_any_byte(wire: Wire, sign: str) -> None:
    def literal(text: str) -> bytes:
        return f"{{{len(text.encode())}{sign}}}\r\n".encode()

    wire.say(b"a LOGIN " + literal(ODD))
    if not sign:
        wire.hear("+")
    wire.say(ODD.encode() + b" " + literal(ODD_PASSWORD))
    if not sign:
        wire.hear("+")
    wire.say(ODD_PASSWORD.encode() + b"\r\n")
    assert wire.hear("a ").startswith("a OK")


def test_quoted_strings_are_unescaped(wire: Wire) -> None:
    username, password = (text.replace("\\", "\\\\").replace('"', '\\"') for text in (ODD, ODD_PASSWORD))
    wire.say(f'a LOGIN "{username}" "{password}"\r\n'.encode())
    assert wire.hear("a ").startswith("a OK")


@pytest.mark.parametrize(
    ("chunk", "answer"),
    [
        (b"a LOGIN {99999999}\r\n", "* BYE The literal is too long"),
        (b"a" * 20_000 + b"\r\n", "* BYE The line is too long"),
    ],
)
def test_what_is_too_long_ends_the_connection(wire: Wire, chunk: bytes, answer: str) -> None:
    wire.say(chunk)
    assert wire.hear("*") == answer


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("a", "a BAD"),
        ("a FETCH 1 BODY[]", "a BAD"),
        ("a LOGIN one", "a BAD"),
        ("a EXAMINE INBOX", "a BAD"),
        ("a STARTTLS", "a BAD"),
        ("a AUTHENTICATE CRAM-MD5", "a NO [CANNOT]"),
    ],
)
def test_misplaced_commands_are_refused(wire: Wire, line: str, answer: str) -> None:
    wire.say(f"{line}\r\n".encode())
    assert wire.hear("a").startswith(answer)


def test_a_wrong_password_is_refused_in_the_servers_words(server: MailServer) -> None:
    with imap(server) as client, pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
        client.login(WRONG, CAST.passwords[WRONG])


def test_what_was_planted_for_imap_only_lets_smtp_in(server: MailServer) -> None:
    with imap(server) as client, pytest.raises(imaplib.IMAP4.error, match="not enabled for IMAP"):
        client.login(NOT_ENABLED, CAST.passwords[NOT_ENABLED])
    with smtp(server) as mail:
        assert mail.login(NOT_ENABLED, CAST.passwords[NOT_ENABLED])[0] == 235


def smtp(server: MailServer) -> smtplib.SMTP:
    client = smtplib.SMTP(HOST, server.smtp_port, local_hostname="test.example", timeout=5)
    client.ehlo()
    client.starttls(context=trusting(server))
    client.ehlo()
    return client


def test_starttls_comes_before_any_login(sandbox: Sandbox) -> None:
    with imaplib.IMAP4(HOST, sandbox.old.imap_port, timeout=5) as client:
        assert {"STARTTLS", "LOGINDISABLED"} <= set(client.capabilities)
        with pytest.raises(imaplib.IMAP4.error, match="PRIVACYREQUIRED"):
            client.login(GOOD, CAST.passwords[GOOD])
        client.starttls(ssl_context=trusting(sandbox.old))
        assert "AUTH=PLAIN" in client.capabilities
        assert client.login(GOOD, CAST.passwords[GOOD])[0] == "OK"


def test_a_command_sent_in_clear_after_starttls_is_dropped(sandbox: Sandbox) -> None:
    with closing(Wire(sandbox.old, tls=False)) as wire:
        wire.say(b"a STARTTLS\r\nb LOGOUT\r\n")
        wire.hear("a OK")
        tls = trusting(sandbox.old).wrap_socket(wire.socket, server_hostname=HOST)
        tls.sendall(b"c NOOP\r\n")
        assert tls.recv(100) == b"c OK NOOP completed\r\n"
        tls.close()


def test_smtp_offers_auth_only_after_starttls(server: MailServer) -> None:
    with smtplib.SMTP(HOST, server.smtp_port, local_hostname="test.example", timeout=5) as client:
        client.ehlo()
        assert client.has_extn("starttls")
        assert not client.has_extn("auth")
    with smtp(server) as client:
        assert sorted(client.esmtp_features["auth"].split()) == ["LOGIN", "PLAIN"]


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_smtp_login_good_wrong_and_refused(server: MailServer, mechanism: str) -> None:
    def attempt(username: str) -> tuple[int, bytes]:
        with smtp(server) as client:
            client.user, client.password = username, CAST.passwords[username]
            return client.auth(mechanism, client.auth_plain if mechanism == "PLAIN" else client.auth_login)

    assert attempt(GOOD)[0] == 235
    with pytest.raises(smtplib.SMTPAuthenticationError, match=r"535, b'5\.7\.8"):
        attempt(WRONG)
    with pytest.raises(smtplib.SMTPAuthenticationError) as refused:
        attempt(APP)
    assert (
        f"{refused.value.smtp_code} {refused.value.smtp_error!r}"
        == "534 b'5.7.9 Application-specific password required.'"
    )
    assert APP_PASSWORD.smtp.startswith("534 5.7.9")


def test_smtp_takes_no_mail(server: MailServer) -> None:
    with smtp(server) as client:
        client.login(GOOD, CAST.passwords[GOOD])
        assert client.mail(GOOD)[0] == 250, "a mailbox that may send is known by it"
        assert client.rcpt(GOOD)[0] == 550


def test_the_certificates_come_from_a_ca_that_nobody_trusts(server: MailServer) -> None:
    with pytest.raises(ssl.SSLCertVerificationError) as refused:
        imaplib.IMAP4_SSL(HOST, server.imap_port, ssl_context=ssl.create_default_context(), timeout=5)
    assert refused.value.verify_code == 20


def test_the_faults_name_people_who_exist_and_nobody_twice() -> None:
    planted = [address(who) for fault in FAULTS for who in fault.people]
    assert len(planted) == len(set(planted))
    assert set(planted) <= set(CAST.passwords)


def test_no_password_shows_in_a_representation() -> None:
    cast = Cast({"someone@demo.example": "planted-secret"})
    assert "planted-secret" not in f"{cast!r} {cast.new_directory()!r}"
