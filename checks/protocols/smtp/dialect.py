"""SMTP submission (RFC 6409, RFC 5321, RFC 4954): EHLO, STARTTLS, AUTH. Nothing is ever sent as mail."""

import base64
import contextlib
from typing import Final

from checks import redact
from checks.codes import Code
from checks.model import Credential, Fault
from checks.network.stream import Stream
from checks.protocols.dialect import (
    Greeting,
    Habits,
    challenge_text,
    choose,
    initial_response,
    refuse_control_characters,
)
from checks.protocols.oauth_replies import translate_oauth
from checks.protocols.other_service import mismatch, named
from checks.protocols.smtp.replies import translate_smtp

_MAX_LINES = 100  # of one reply


class Smtp:
    """The dialect. It has no state of its own."""

    implicit_ports: Final = frozenset({465})
    starttls_ports: Final = frozenset({25, 587})

    def greet(self, stream: Stream) -> Greeting:
        status, text = _reply(stream, first=True)
        if status != 220:
            raise Fault(translate_smtp(status, text, "greeting"), f"{status} {text}")
        if named(f"220 {text}") not in ("SMTP", ""):
            raise mismatch(f"220 {text}")
        return Greeting(f"220 {text}")

    def starttls(self, stream: Stream, greeting: Greeting) -> None:
        try:
            offered = self.capabilities(stream, greeting)
        except Fault as fault:
            if fault.code is Code.AUTH_NOT_OFFERED:
                raise Fault(Code.TLS_STARTTLS_NOT_OFFERED, fault.seen) from None
            raise
        if "STARTTLS" not in offered:
            raise Fault(Code.TLS_STARTTLS_NOT_OFFERED, greeting.words)
        stream.send(b"STARTTLS\r\n")
        status, text = _reply(stream)
        if status != 220:
            # RFC 3207, 4: 454 is "TLS not available due to temporary reason", which is a key that cannot be read, for
            # months; RFC 5321, 3.8: 421 ends the connection.
            code = Code.SERVER_UNAVAILABLE if 400 <= status < 500 and status != 454 else Code.TLS_STARTTLS_REFUSED
            raise Fault(code, f"{status} {text}")
        if stream.buffered:
            raise Fault(Code.TLS_STARTTLS_INJECTION, stream.excerpt())

    def capabilities(self, stream: Stream, greeting: Greeting) -> tuple[str, ...]:  # noqa: ARG002 - IMAP has them there
        stream.send(b"EHLO " + _own_name(stream) + b"\r\n")
        status, text = _reply(stream)
        if status != 250:
            raise Fault(translate_smtp(status, text, "ehlo"), f"{status} {text}")
        if text.split("\n")[1:] == ["ENHANCEDSTATUSCODES"]:
            # Sendmail, to whom it refuses: the rest of the conversation is "550 Access denied".
            raise Fault(Code.SERVER_BLOCKS_ADDRESS, f"{status} {text}")
        # "AUTH=PLAIN" is how servers wrote it before RFC 2554; some still send both.
        return tuple(line.strip().upper().replace("AUTH=", "AUTH ") for line in text.split("\n")[1:])

    def mechanisms(self, capabilities: tuple[str, ...]) -> frozenset[str]:
        return frozenset(name for line in capabilities if line.startswith("AUTH ") for name in line.split()[1:])

    def login(
        self,
        stream: Stream,
        credential: Credential,
        greeting: Greeting | None,
        capabilities: tuple[str, ...],
        habits: Habits,  # noqa: ARG002 - IMAP's
    ) -> None:
        refuse_control_characters(credential)
        # EHLO is said on each connection and each time anew after TLS (RFC 3207, 4.2), and its answer counts.
        capabilities = self.capabilities(stream, greeting or Greeting(""))
        mechanism = choose(self.mechanisms(capabilities), credential.kind)
        if mechanism == "LOGIN":
            _login(stream, credential)
        else:
            _authenticate(stream, mechanism, credential)

    def farewell(self, stream: Stream) -> None:
        with contextlib.suppress(OSError):
            stream.send(b"QUIT\r\n")


DIALECT = Smtp()


def _authenticate(stream: Stream, mechanism: str, credential: Credential) -> None:
    first = base64.b64encode(initial_response(mechanism, credential))
    stream.send(b"AUTH " + mechanism.encode() + b" " + first + b"\r\n")
    status, text = _reply(stream)
    refusal = b""
    if status == 334:
        # PLAIN, or nothing said: the server did not take the initial response. Else a refusal (RFC 7628, 3.2.3).
        refusal = challenge_text(text.strip().encode()) if mechanism != "PLAIN" else b""
        stream.send((_answer(mechanism) if refusal else first) + b"\r\n")
        status, text = _reply(stream)
    if status != 235:
        code = translate_oauth(refusal) if refusal else translate_smtp(status, text, "auth")
        raise Fault(code, f"{status} {text}")


def _answer(mechanism: str) -> bytes:
    """To a refusal, so that the status of it comes."""
    return b"AQ==" if mechanism == "OAUTHBEARER" else b""


def _login(stream: Stream, credential: Credential) -> None:
    """AUTH LOGIN (draft-murchison-sasl-login): user name and password, each asked for."""
    stream.send(b"AUTH LOGIN\r\n")
    status, text = _reply(stream)
    for answer in (credential.username, credential.secret):
        if status != 334:
            break
        stream.send(base64.b64encode(answer.encode()) + b"\r\n")
        status, text = _reply(stream)
    if status != 235:
        raise Fault(translate_smtp(status, text, "auth"), f"{status} {text}")


def _own_name(stream: Stream) -> bytes:
    """An address literal (RFC 5321, 4.1.3): a host name of ours would be looked up, and may not exist."""
    address = str(stream.sock.getsockname()[0]).partition("%")[0]
    return f"[IPv6:{address}]".encode() if ":" in address else f"[{address}]".encode()


def _reply(stream: Stream, *, first: bool = False) -> tuple[int, str]:
    """One reply (RFC 5321, 4.2): its status and its text, lines joined by a line feed, enhanced code still in it.

    Raises `Fault`. A reply that is no SMTP is `protocol.mismatch` as a greeting, else `protocol.error`.
    """
    lines: list[str] = []
    while len(lines) < _MAX_LINES:
        line = stream.readline()
        if not line.endswith(b"\n"):  # a reply that was cut short may say the opposite of the whole one
            words = redact.decoded(line) or "".join(lines[-1:])
            raise Fault(Code.CONNECT_CLOSED, "the server closed the connection" + (f": {words}" if words else ""))
        if len(line) < 4 or not line[:3].isdigit() or line[3:4] not in b" -\r\n":
            raise mismatch(redact.decoded(line)) if first else Fault(Code.PROTOCOL_ERROR, redact.decoded(line))
        lines.append(line[4:].decode("utf-8", "replace").rstrip("\r\n"))
        if line[3:4] != b"-":
            return int(line[:3]), "\n".join(lines)
    raise Fault(Code.PROTOCOL_OVERSIZE, lines[-1], count=str(_MAX_LINES))
