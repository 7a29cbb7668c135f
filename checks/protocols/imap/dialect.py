"""IMAP (RFC 9051, RFC 3501): greeting, STARTTLS, capabilities, and a login that is proved by EXAMINE INBOX."""

import contextlib
import re
from typing import Final

from checks import redact
from checks.clients.profile import ClientProfile
from checks.codes import Code
from checks.model import Credential, CredentialKind, Fault
from checks.network.stream import Stream
from checks.protocols.dialect import Greeting, Habits, refuse_control_characters
from checks.protocols.imap import sending, session
from checks.protocols.imap.replies import translate_imap
from checks.protocols.imap.wire import FOREIGN, TAG
from checks.protocols.words.replies import mismatch

_CAPABILITY = re.compile(r"(?:\[|^\* )CAPABILITY ([^\]\r\n]*)", re.IGNORECASE)
_MAX_LINES = 200  # untagged lines that a short command may bring


class Imap:
    """The dialect. It has no state of its own."""

    implicit_ports: Final = frozenset({993})
    starttls_ports: Final = frozenset({143})

    def greet(self, stream: Stream) -> Greeting:
        line = stream.readline()
        text = redact.decoded(line)
        kind = line[:10].upper()
        if kind.startswith(b"* BYE"):
            raise Fault(translate_imap(text, "greeting"), text)
        if not line:
            raise Fault(Code.CONNECT_CLOSED, "the server closed the connection before its greeting")
        if not kind.startswith((b"* OK", b"* PREAUTH")):
            raise mismatch(text)
        return Greeting(text, _capabilities_in(line), preauth=kind.startswith(b"* PREAUTH"))

    def starttls(self, stream: Stream, greeting: Greeting, client: ClientProfile) -> None:
        if greeting.preauth:  # RFC 9051, 11.1: STARTTLS is not valid any more, everything would stay in clear
            raise Fault(Code.TLS_PREAUTH, greeting.words)
        if "STARTTLS" not in self.capabilities(stream, greeting, client):
            raise Fault(Code.TLS_STARTTLS_NOT_OFFERED, greeting.words)
        status, text = _command(stream, b"STARTTLS", client)[1]
        if status != "OK":
            raise Fault(Code.TLS_STARTTLS_REFUSED, text)
        if stream.buffered:
            raise Fault(Code.TLS_STARTTLS_INJECTION, stream.excerpt())

    def capabilities(self, stream: Stream, greeting: Greeting, client: ClientProfile) -> tuple[str, ...]:
        if greeting.capabilities is not None:
            _refuse_foreign(stream.unasked(0.0), client)
            return greeting.capabilities
        lines, (status, text) = _command(stream, b"CAPABILITY", client)
        if status != "OK":
            raise Fault(Code.PROTOCOL_ERROR, text)
        return next((found for line in lines if (found := _capabilities_in(line)) is not None), ())

    def mechanisms(self, capabilities: tuple[str, ...]) -> frozenset[str]:
        return session.offered(capabilities)

    def ways(self, capabilities: tuple[str, ...], kind: CredentialKind, client: ClientProfile) -> tuple[str, ...]:
        if kind is not CredentialKind.PASSWORD:
            return sending.token_mechanisms(capabilities, client.imap)
        return sending.ways(capabilities, client.imap)

    def login(
        self,
        stream: Stream,
        credential: Credential,
        greeting: Greeting | None,  # noqa: ARG002 - SMTP wants it
        capabilities: tuple[str, ...],
        habits: Habits,
        client: ClientProfile,
    ) -> None:
        refuse_control_characters(credential)
        session.log_in(stream, credential, capabilities, habits, client.imap)

    def farewell(self, stream: Stream) -> None:
        with contextlib.suppress(OSError):
            stream.send(TAG + b"9 LOGOUT\r\n")


DIALECT = Imap()


def _capabilities_in(line: bytes) -> tuple[str, ...] | None:
    found = _CAPABILITY.search(line.decode("ascii", "replace"))
    return tuple(found[1].upper().split()) if found else None


def _command(stream: Stream, command: bytes, client: ClientProfile) -> tuple[list[bytes], tuple[str, str]]:
    """Sends a command without arguments: its untagged lines, and the tagged answer as (status, status and text)."""
    stream.send(TAG + b"0 " + command + b"\r\n")
    lines: list[bytes] = []
    while len(lines) < _MAX_LINES:
        line = stream.readline()
        if not line.endswith(b"\n"):
            words = redact.decoded(line) or "".join(map(redact.decoded, lines[-1:]))
            raise Fault(Code.CONNECT_CLOSED, f"the server closed the connection at {command.decode()} {words}".strip())
        if line.startswith(TAG + b"0 "):
            text = redact.decoded(line.partition(b" ")[2])
            return lines, (text.partition(" ")[0].upper(), text)
        _refuse_foreign(line, client)
        lines.append(line)
    raise Fault(Code.PROTOCOL_OVERSIZE, redact.decoded(lines[-1]), count=str(_MAX_LINES))


def _refuse_foreign(line: bytes, client: ClientProfile) -> None:
    """What answers a command that nobody sent shows that somebody in between did: `PROXY BAD`, for HAProxy's header."""
    if FOREIGN.match(line) and not client.imap.foreign_tag:
        raise Fault(Code.PROTOCOL_FOREIGN_TAG, redact.decoded(line))
