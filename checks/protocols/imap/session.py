"""A login with imapclient and imaplib, on a stream of ours and without a needless round trip."""

import base64
import contextlib
import imaplib
import re
from collections.abc import Callable, Iterator
from typing import Any, Literal

import imapclient

from checks import library_guard, redact
from checks.codes import CODES, Code
from checks.model import Credential, CredentialKind, Fault
from checks.network.dial import Deadline
from checks.network.stream import Stream
from checks.protocols.dialect import Habits, challenge_text, initial_response
from checks.protocols.imap.replies import translate_imap
from checks.protocols.oauth_replies import translate_oauth

TAG = b"MP"
AHEAD_SECONDS = 5.0  # for the answer to a command sent ahead, after the login was answered
MAX_LINES = 1_000  # that login and EXAMINE may bring: imaplib takes some time for each, and honest servers send ten
MAX_CHALLENGES = 4  # after the credential; the refusal of a token takes one
_TAGGED = re.compile(rb"(?P<tag>" + TAG + rb"\d+) (?P<type>[A-Z]+) (?P<data>.*)", re.ASCII)
# An untagged NO is a warning (RFC 9051, 7.1.2), an untagged BYE is the end.
# An untagged BAD that nothing follows is the end too: nginx says so of a backend that is away, others of the mailbox.
_ANSWER = re.compile(rb"(?:" + TAG + rb"\d+ (?=NO|BAD)|\* (?=BYE|BAD))(?P<words>.*)", re.ASCII | re.IGNORECASE)
_LAST_WORDS = re.compile(rb"\* (?:BYE|BAD)\b", re.ASCII | re.IGNORECASE)
LAST_WORDS_SECONDS = 2.0  # for the tagged answer that may follow an untagged refusal


def log_in(stream: Stream, mechanism: str, credential: Credential, *, sasl_ir: bool, habits: Habits) -> None:
    """One login with a mechanism (`LOGIN` is the command), proved by EXAMINE INBOX. Raises `Fault` or `OSError`.

    A successful login is no proof: Exchange Online may answer the next command with
    "BAD User is authenticated but not connected".

    EXAMINE is sent ahead of the login's answer (RFC 9051, 5.5), which saves a round trip, once a login on this route
    has shown that the server takes the initial response as it should.
    """
    plain = mechanism == "PLAIN" and sasl_ir
    ahead = bool(plain and habits.ahead)
    session = _Session(stream, sasl_ir, ahead)
    responder = _Responder(mechanism, credential, habits if ahead else None)
    with _translated(stream, "login", responder):
        if mechanism == "LOGIN":
            session.login(credential.username, credential.secret)
        else:
            session.sasl_login(mechanism, responder)
    said = stream.last_line
    with _translated(stream, "select", responder, said):
        session.examine(habits)
    if plain and habits.ahead is None and not responder.asked:
        habits.ahead = True


class _Responder:
    """Answers SASL challenges: the credential once, then only what ends a refusal, keeping what the server said."""

    def __init__(self, mechanism: str, credential: Credential, habits: Habits | None) -> None:
        """`habits` where a command was sent ahead."""
        self._habits = habits
        self._initial: bytes | None = initial_response(mechanism, credential) if mechanism != "LOGIN" else None
        self._after = b"\1" if mechanism == "OAUTHBEARER" else b""  # RFC 7628, 3.2.3
        self._oauth = credential.kind is CredentialKind.OAUTH2_TOKEN
        self._challenges = 0
        self.refusal = b""
        self.asked = False

    def __call__(self, challenge: bytes) -> bytes:
        if self._initial is not None:
            response, self._initial = self._initial, None
            return response
        self.asked = True
        self._challenges += 1
        if self._challenges > MAX_CHALLENGES:
            raise Fault(Code.PROTOCOL_ERROR, redact.decoded(challenge) or "the server asks again and again")
        if self._habits:
            # This one of the servers behind the name takes the command that was sent ahead for the answer. What it
            # says of that is no word about the password.
            self._habits.ahead = False
            raise Fault(Code.PROTOCOL_ERROR, "the server asks for the credential a second time")
        if self._oauth:
            self.refusal = challenge
        return self._after


@contextlib.contextmanager
def _translated(
    stream: Stream, stage: Literal["login", "select"], responder: _Responder, said: bytes = b""
) -> Iterator[None]:
    """imaplib's errors as faults, by the server's last line rather than by imaplib's sentence.

    Of odd replies it raises other things too: `ValueError` of a literal with thousands of digits, for example.
    `said` is what the login was answered with.
    """
    with library_guard.Reading(lambda: Fault(Code.PROTOCOL_ERROR, redact.decoded(stream.last_line))):
        try:
            yield
        except imaplib.IMAP4.error:
            fault = _fault(stream, stage, responder.refusal)
            raise (_of_login(said) if fault.code in _VAGUE else None) or fault from None


def _fault(stream: Stream, stage: Literal["login", "select"], refusal: bytes) -> Fault:
    """Only a line that is an answer is read as one: garbage is no "no"."""
    answer = _ANSWER.match(stream.last_line)
    if answer is None or not stream.last_line.endswith(b"\n"):
        if stream.ended:
            return Fault(Code.CONNECT_CLOSED, "the server closed the connection")
        return Fault(Code.PROTOCOL_ERROR, redact.decoded(stream.last_line))
    text = redact.decoded(answer["words"])
    if refusal:
        return Fault(translate_oauth(refusal), text)
    return Fault(translate_imap(text, stage), text)


_VAGUE = frozenset({Code.SERVER_UNAVAILABLE, Code.PROTOCOL_ERROR, Code.CONNECT_CLOSED})


def _of_login(said: bytes) -> Fault | None:
    """What the answer to a login warned of (ALERT: RFC 9051, 7.1), where the mailbox was refused without a reason."""
    if b"[ALERT]" not in said.upper():
        return None
    text = redact.decoded(said.partition(b"]")[2].strip())
    code = translate_imap(f"BAD {text}", "login")
    return Fault(code, text) if CODES[code].permanent else None


class _Imap4(imaplib.IMAP4):
    """imaplib on a stream of ours: it reads no greeting, asks for no capabilities, logs nothing."""

    def __init__(self, stream: Stream, sasl_ir: bool, ahead: bool) -> None:
        self._stream = stream
        self._sasl_ir = sasl_ir
        self._ahead = ahead
        self._trailer = b""
        self._lines = 0
        super().__init__()

    def open(self, host: str = "", port: int = 0, timeout: float | None = None) -> None:  # noqa: ARG002 - imaplib's
        """The stream is open already."""
        self.sock = self._stream.sock

    def _connect(self) -> None:
        # A fixed tag: imaplib makes one at random and compiles a regular expression for each connection.
        self.tagpre = TAG  # type: ignore[assignment] # bytes at run time
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
        self._lines += 1
        if self._lines > MAX_LINES:
            words = redact.decoded(self._stream.last_line)
            raise Fault(Code.PROTOCOL_OVERSIZE, words, count=str(MAX_LINES))
        try:
            line = self._stream.readline()
        except TimeoutError:
            if _LAST_WORDS.match(self._stream.last_line):
                raise self.abort("nothing after an untagged refusal") from None
            raise
        if _LAST_WORDS.match(line):
            self._stream.deadline = Deadline(min(LAST_WORDS_SECONDS, self._stream.deadline.remaining()))
        return line

    def send(self, data: Any) -> None:
        try:
            trailer, self._trailer = self._trailer, b""  # goes with the command, not with what answers a challenge
            self._stream.send(bytes(data) + trailer)
        except TimeoutError:
            raise Fault(Code.DEADLINE, "no answer in time") from None
        except OSError:  # imaplib would make an error of it that looks like a refusal
            raise Fault(Code.CONNECT_CLOSED, "the server closed the connection") from None

    def shutdown(self) -> None:
        """The check closes the stream."""

    def _log(self, line: str) -> None:
        """imaplib keeps its last lines for a traceback; they would hold the credential."""

    def login(self, user: str, password: str) -> tuple[Literal["OK"], list[bytes]]:
        """LOGIN; imaplib quotes the password, but not the user name."""
        return super().login(_quoted(user), password)

    def authenticate(self, mechanism: str, authobject: Callable[[bytes], bytes | None]) -> tuple[str, Any]:
        """AUTHENTICATE, with the initial response in the same line (RFC 4959) where the server takes it."""
        arguments = [mechanism]
        if self._sasl_ir:
            arguments.append(base64.b64encode(authobject(b"") or b"").decode())
        self.literal: Any = _Continuation(authobject).answer
        if self._ahead:
            self._trailer = TAG + b"%d EXAMINE INBOX\r\n" % (self.tagnum + 1)
        status, data = self._simple_command("AUTHENTICATE", *arguments)
        if status != "OK":
            raise self.error("refused")
        self.state = "AUTH"
        return status, data

    def examined_ahead(self) -> bool:
        """Whether the EXAMINE that went out with the login was answered with OK, and soon.

        A proxy may have thrown it away, or passed it on too early: then it has to be sent again.
        """
        tag = self._new_tag()
        whole = self._stream.deadline
        self._stream.deadline = Deadline(min(AHEAD_SECONDS, whole.remaining()))
        try:
            return bool(self._command_complete("EXAMINE", tag)[0] == "OK")
        except TimeoutError:
            return False
        except self.abort:
            raise
        except self.error:
            return False
        finally:
            self._stream.deadline = whole


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


class _Continuation:
    """imaplib asks it for an answer to each challenge; it tells it from a literal by its being a bound method."""

    def __init__(self, authobject: Callable[[bytes], bytes | None]) -> None:
        self._authobject = authobject

    def answer(self, challenge: bytes | None) -> bytes:
        """The answer in base64. imaplib gives None for a bare "+", which lacks its space (RFC 9051, 7.6)."""
        return base64.b64encode(self._authobject(challenge_text((challenge or b"").strip())) or b"")


class _Session(imapclient.IMAPClient):  # type: ignore[misc] # imapclient is untyped
    """imapclient on a stream of ours."""

    def __init__(self, stream: Stream, sasl_ir: bool, ahead: bool) -> None:
        self._stream = stream
        self._sasl_ir = sasl_ir
        self._ahead = ahead
        super().__init__("", ssl=False)
        self._imap.debug = 0  # imapclient turns imaplib's protocol log on, which would hold the credential

    def _create_IMAP4(self) -> _Imap4:  # noqa: N802 - imapclient's
        return _Imap4(self._stream, self._sasl_ir, self._ahead)

    def _set_read_timeout(self) -> None:
        """The stream keeps its own deadline."""

    def examine(self, habits: Habits) -> None:
        """EXAMINE INBOX. What the folder holds is of no interest: imapclient stumbles over odd numbers there."""
        if self._ahead:
            if self._imap.examined_ahead():
                return
            habits.ahead = False
        self._command_and_check("select", self._normalise_folder("INBOX"), True)
