"""IMAP (RFC 9051, RFC 3501): greeting, STARTTLS, capabilities, and a login that is proved by EXAMINE INBOX."""

import base64
import contextlib
import imaplib
import re
from collections.abc import Callable
from typing import Any, Final

import imapclient

from checks import redact
from checks.model import Code, Credential, Fault
from checks.network import Stream
from checks.protocols.dialect import Greeting, choose, initial_response, refuse_control_characters
from checks.protocols.replies import translate_imap, translate_oauth

_CAPABILITY = re.compile(r"\[?CAPABILITY ([^\]\r\n]*)", re.IGNORECASE)
_TAG = b"MP"
_TAGGED = re.compile(rb"(?P<tag>" + _TAG + rb"\d+) (?P<type>[A-Z]+) (?P<data>.*)", re.ASCII)
_MAX_LINES = 200  # untagged lines that a short command may bring


class Imap:
    """The dialect. It has no state of its own."""

    implicit_ports: Final = frozenset({993})
    starttls_ports: Final = frozenset({143})

    def greet(self, stream: Stream) -> Greeting:
        line = stream.readline()
        text = redact.words(line)
        kind = line[:10].upper()
        if kind.startswith(b"* BYE"):
            raise Fault(translate_imap(text, "greeting"), text)
        if not line:
            raise Fault(Code.CONNECT_CLOSED, "the server closed the connection before its greeting")
        if not kind.startswith((b"* OK", b"* PREAUTH")):
            raise Fault(Code.PROTOCOL_MISMATCH, text)
        return Greeting(text, _capabilities_in(line), preauth=kind.startswith(b"* PREAUTH"))

    def starttls(self, stream: Stream, greeting: Greeting) -> None:
        if greeting.preauth:  # RFC 9051, 11.1: STARTTLS is not valid any more, everything would stay in clear
            raise Fault(Code.TLS_PREAUTH, greeting.words)
        if "STARTTLS" not in self.capabilities(stream, greeting):
            raise Fault(Code.TLS_STARTTLS_NOT_OFFERED, greeting.words)
        status, text = _command(stream, b"STARTTLS")[1]
        if status != "OK":
            raise Fault(Code.TLS_STARTTLS_REFUSED, text)
        if stream.buffered:
            raise Fault(Code.TLS_STARTTLS_INJECTION, stream.excerpt())

    def capabilities(self, stream: Stream, greeting: Greeting) -> tuple[str, ...]:
        if greeting.capabilities is not None:
            return greeting.capabilities
        lines, (status, text) = _command(stream, b"CAPABILITY")
        if status != "OK":
            raise Fault(Code.PROTOCOL_ERROR, text)
        return next((found for line in lines if (found := _capabilities_in(line)) is not None), ())

    def mechanisms(self, capabilities: tuple[str, ...]) -> frozenset[str]:
        found = {item[5:] for item in capabilities if item.startswith("AUTH=")}
        found.discard("LOGIN")  # the obsolete SASL mechanism; the LOGIN command stands for it
        if "LOGINDISABLED" not in capabilities:
            found.add("LOGIN")
        return frozenset(found)

    def login(
        self,
        stream: Stream,
        credential: Credential,
        greeting: Greeting | None,  # noqa: ARG002 - SMTP wants it
        capabilities: tuple[str, ...],
    ) -> None:
        refuse_control_characters(credential)
        mechanism = choose(self.mechanisms(capabilities), credential.kind)
        session = _Session(stream, sasl_ir="SASL-IR" in capabilities)
        responder = _Responder(mechanism, credential)
        with _translated(stream, "login", responder):
            if mechanism == "LOGIN":
                session.login(credential.username, credential.secret)
            else:
                session.sasl_login(mechanism, responder)
        # A successful login is no proof: Exchange Online may answer the next command with
        # "BAD User is authenticated but not connected".
        with _translated(stream, "select", responder):
            session.select_folder("INBOX", readonly=True)

    def farewell(self, stream: Stream) -> None:
        with contextlib.suppress(OSError):
            stream.send(_TAG + b"9 LOGOUT\r\n")


DIALECT = Imap()


def _capabilities_in(line: bytes) -> tuple[str, ...] | None:
    found = _CAPABILITY.search(line.decode("ascii", "replace"))
    return tuple(found[1].upper().split()) if found else None


def _command(stream: Stream, command: bytes) -> tuple[list[bytes], tuple[str, str]]:
    """Sends a command without arguments: its untagged lines, and the tagged answer as (status, status and text)."""
    stream.send(_TAG + b"0 " + command + b"\r\n")
    lines: list[bytes] = []
    while len(lines) < _MAX_LINES:
        line = stream.readline()
        if not line:
            raise Fault(Code.CONNECT_CLOSED, f"the server closed the connection at {command.decode()}")
        if line.startswith(_TAG + b"0 "):
            text = redact.words(line.partition(b" ")[2])
            return lines, (text.partition(" ")[0].upper(), text)
        lines.append(line)
    raise Fault(Code.PROTOCOL_ERROR, redact.words(lines[-1]))


class _Responder:
    """Answers SASL challenges: the credential once, then nothing but an empty line, keeping what the server said."""

    def __init__(self, mechanism: str, credential: Credential) -> None:
        self.secret = credential.secret
        self._initial: bytes | None = initial_response(mechanism, credential) if mechanism != "LOGIN" else None
        self._after = b"\1" if mechanism == "OAUTHBEARER" else b""  # RFC 7628, 3.2.3
        self.challenge = b""

    @property
    def encoded(self) -> str:
        """The SASL response as it went over the wire, to be redacted."""
        return base64.b64encode(self._sent).decode()

    _sent = b""

    def __call__(self, challenge: bytes) -> bytes:
        if self._initial is None:
            self.challenge = challenge
            return self._after
        self._sent, self._initial = self._initial, None
        return self._sent


@contextlib.contextmanager
def _translated(stream: Stream, stage: str, responder: _Responder) -> Any:
    """imaplib's errors as faults, by the server's last line rather than by imaplib's sentence."""
    try:
        yield
    except imaplib.IMAP4.error:
        raw = stream.last_line
        text = redact.words(
            raw if raw.startswith(b"*") else raw.partition(b" ")[2], responder.encoded, responder.secret
        )
        if responder.challenge:
            raise Fault(translate_oauth(responder.challenge), text) from None
        if stream.ended and b"BYE" not in raw.upper()[:8]:
            raise Fault(Code.CONNECT_CLOSED, "the server closed the connection") from None
        raise Fault(translate_imap(text, "login" if stage == "login" else "select"), text) from None


class _Imap4(imaplib.IMAP4):
    """imaplib on a stream of ours: it reads no greeting, asks for no capabilities, logs nothing."""

    def __init__(self, stream: Stream, sasl_ir: bool) -> None:
        self._stream = stream
        self._sasl_ir = sasl_ir
        super().__init__()

    def open(self, host: str = "", port: int = 0, timeout: float | None = None) -> None:  # noqa: ARG002 - imaplib's
        """The stream is open already."""
        self.sock = self._stream.sock

    def _connect(self) -> None:
        # A fixed tag: imaplib makes one at random and compiles a regular expression for each connection.
        self.tagpre = _TAG  # type: ignore[assignment] # bytes at run time
        self.tagre = _TAGGED  # type: ignore[assignment] # a pattern of bytes at run time
        self.state = "NONAUTH"
        self.capabilities = ("IMAP4REV1",)
        self._cmd_log_len = 1
        self._cmd_log_idx = 0
        self._cmd_log: dict[int, object] = {}
        self._encoding = "utf-8"  # a LOGIN with other letters than ASCII: most servers take UTF-8, none a crash of ours

    def read(self, size: int) -> bytes:
        return self._stream.read(size)

    def readline(self) -> bytes:
        return self._stream.readline()

    def send(self, data: Any) -> None:
        self._stream.send(bytes(data))

    def shutdown(self) -> None:
        """The check closes the stream."""

    def _log(self, line: str) -> None:
        """imaplib keeps its last lines for a traceback; they would hold the credential."""

    def authenticate(self, mechanism: str, authobject: Callable[[bytes], bytes | None]) -> tuple[str, Any]:
        """AUTHENTICATE, with the initial response in the same line (RFC 4959) where the server takes it."""
        if not self._sasl_ir:
            return super().authenticate(mechanism, authobject)
        first = base64.b64encode(authobject(b"") or b"").decode()
        self.literal: Any = _Continuation(authobject).answer
        status, data = self._simple_command("AUTHENTICATE", mechanism, first)
        if status != "OK":
            raise self.error("refused")
        self.state = "AUTH"
        return status, data


class _Continuation:
    """imaplib asks it for an answer to each challenge; it tells it from a literal by its being a bound method."""

    def __init__(self, authobject: Callable[[bytes], bytes | None]) -> None:
        self._authobject = authobject

    def answer(self, challenge: bytes) -> bytes:
        return base64.b64encode(self._authobject(base64.b64decode(challenge)) or b"")


class _Session(imapclient.IMAPClient):  # type: ignore[misc] # imapclient is untyped
    """imapclient on a stream of ours."""

    def __init__(self, stream: Stream, sasl_ir: bool) -> None:
        self._stream = stream
        self._sasl_ir = sasl_ir
        super().__init__("", ssl=False)
        self._imap.debug = 0  # imapclient turns imaplib's protocol log on, which would hold the credential

    def _create_IMAP4(self) -> _Imap4:  # noqa: N802 - imapclient's
        return _Imap4(self._stream, self._sasl_ir)

    def _set_read_timeout(self) -> None:
        """The stream keeps its own deadline."""
