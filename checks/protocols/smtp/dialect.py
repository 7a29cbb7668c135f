"""SMTP submission (RFC 6409, RFC 5321, RFC 4954): EHLO, STARTTLS, AUTH. Nothing is ever sent as mail."""

import contextlib
from typing import Final

from checks.clients.profile import ClientProfile, NextWay, SmtpClient
from checks.codes import Code
from checks.model import Credential, CredentialKind, Fault
from checks.network.stream import Stream
from checks.protocols.dialect import TOKEN_MECHANISMS, Greeting, Habits, lacking, refuse_control_characters
from checks.protocols.smtp import mechanisms
from checks.protocols.smtp.replies import translate_smtp
from checks.protocols.smtp.sender import prove_login, prove_sender
from checks.protocols.smtp.wire import own_name, read_reply
from checks.protocols.words.replies import mismatch, named


class Smtp:
    """The dialect. It has no state of its own."""

    implicit_ports: Final = frozenset({465})
    starttls_ports: Final = frozenset({25, 587})

    def greet(self, stream: Stream) -> Greeting:
        status, text = read_reply(stream, first=True)
        if status != 220:
            raise Fault(translate_smtp(status, text, "greeting"), f"{status} {text}")
        if named(f"220 {text}") not in ("SMTP", ""):
            raise mismatch(f"220 {text}")
        return Greeting(f"220 {text}")

    def starttls(self, stream: Stream, greeting: Greeting, client: ClientProfile) -> None:
        try:
            offered = self.capabilities(stream, greeting, client)
        except Fault as fault:
            if fault.code is Code.AUTH_NOT_OFFERED:
                raise Fault(Code.TLS_STARTTLS_NOT_OFFERED, fault.seen) from None
            raise
        if "STARTTLS" not in offered:
            raise Fault(Code.TLS_STARTTLS_NOT_OFFERED, greeting.words)
        stream.send(b"STARTTLS\r\n")
        status, text = read_reply(stream)
        if status != 220:
            # RFC 3207, 4: 454 is "TLS not available due to temporary reason", which is a key that cannot be read, for
            # months; RFC 5321, 3.8: 421 ends the connection.
            code = Code.SERVER_UNAVAILABLE if 400 <= status < 500 and status != 454 else Code.TLS_STARTTLS_REFUSED
            raise Fault(code, f"{status} {text}")
        if stream.buffered:
            raise Fault(Code.TLS_STARTTLS_INJECTION, stream.excerpt())

    def capabilities(
        self,
        stream: Stream,
        greeting: Greeting,  # noqa: ARG002 - IMAP has them there
        client: ClientProfile,  # noqa: ARG002 - IMAP's clients read on, or do not
    ) -> tuple[str, ...]:
        return say_hello(stream)

    def mechanisms(self, capabilities: tuple[str, ...]) -> frozenset[str]:
        return frozenset(name for line in capabilities if line.startswith("AUTH ") for name in line.split()[1:])

    def ways(self, capabilities: tuple[str, ...], kind: CredentialKind, client: ClientProfile) -> tuple[str, ...]:
        offered = self.mechanisms(capabilities)
        if kind is not CredentialKind.PASSWORD:
            return _token_ways(offered, client.smtp)
        fitting = tuple(mechanism for mechanism in client.smtp.mechanisms if mechanism in offered)
        if not fitting and client.smtp.unoffered and offered - set(TOKEN_MECHANISMS):
            return (client.smtp.unoffered,)
        return fitting[:1] if client.smtp.next_mechanism is NextWay.NEVER else fitting

    def login(
        self,
        stream: Stream,
        credential: Credential,
        greeting: Greeting | None,  # noqa: ARG002 - IMAP's
        capabilities: tuple[str, ...],
        habits: Habits,
        client: ClientProfile,
    ) -> None:
        refuse_control_characters(credential)
        # EHLO is said on each connection and each time anew after TLS (RFC 3207, 4.2), and its answer counts.
        capabilities = say_hello(stream, client.smtp.ehlo_name)
        ways = self.ways(capabilities, credential.kind, client)
        if not ways:
            raise lacking(self.mechanisms(capabilities))
        try:
            mechanisms.log_in(stream, credential, ways, habits.choice, client.smtp)
        except mechanisms.Believed as doubt:
            prove_login(stream, credential, capabilities, doubt)
        else:
            prove_sender(stream, credential, capabilities, habits)

    def farewell(self, stream: Stream) -> None:
        with contextlib.suppress(OSError):
            stream.send(b"QUIT\r\n")


DIALECT = Smtp()


def _token_ways(offered: frozenset[str], client: SmtpClient) -> tuple[str, ...]:
    fitting = tuple(mechanism for mechanism in client.token_mechanisms if mechanism in offered)
    if not fitting and client.token_unoffered and offered:
        return (client.token_unoffered,)
    return fitting[:1]


def say_hello(stream: Stream, name: str = "") -> tuple[str, ...]:
    """EHLO under a name, '' for the connection's own address: the extensions, in upper case. Raises `Fault`."""
    stream.send(b"EHLO " + (name.encode("ascii", "replace") or own_name(stream)) + b"\r\n")
    status, text = read_reply(stream)
    if status != 250:
        raise Fault(translate_smtp(status, text, "ehlo"), f"{status} {text}")
    if text.split("\n")[1:] == ["ENHANCEDSTATUSCODES"]:
        # Sendmail, to whom it refuses: the rest of the conversation is "550 Access denied".
        raise Fault(Code.SERVER_BLOCKS_ADDRESS, f"{status} {text}")
    # "AUTH=PLAIN" is how servers wrote it before RFC 2554; some still send both.
    return tuple(line.strip().upper().replace("AUTH=", "AUTH ") for line in text.split("\n")[1:])
