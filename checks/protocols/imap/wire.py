"""imapclient and imaplib on a stream of ours: one connection, read with their parsers, and nothing of it in a log."""

import base64
import contextlib
import hmac
import imaplib
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, Literal

import imapclient

from checks import library_guard, redact
from checks.codes import CODES, Code
from checks.model import Fault
from checks.network.dial import Deadline
from checks.network.stream import Stream
from checks.protocols.dialect import challenge_text
from checks.protocols.imap.replies import translate_imap
from checks.protocols.words.oauth import translate_oauth

TAG = b"MP"
AHEAD_SECONDS = 1.0  # for the answer to a command sent ahead, after the login was answered
LAST_WORDS_SECONDS = 2.0  # for the tagged answer that may follow an untagged refusal
MAX_LINES = 1_000  # that login and EXAMINE may bring: imaplib takes some time for each, and honest servers send ten
MAX_CHALLENGES = 4  # after the credential; the refusal of a token takes one
_TAGGED = re.compile(rb"(?P<tag>" + TAG + rb"\d+) (?P<type>[A-Z]+) (?P<data>.*)", re.ASCII)
# An untagged NO is a warning (RFC 9051, 7.1.2), an untagged BYE is the end.
# An untagged BAD that nothing follows is the end too: nginx says so of a backend that is away, others of the mailbox.
_ANSWER = re.compile(rb"(?:" + TAG + rb"\d+ (?=NO|BAD)|\* (?=BYE|BAD))(?P<words>.*)", re.ASCII | re.IGNORECASE)
_BARE = re.compile(rb"(?:" + TAG + rb"\d+ OK|\*)\b.*(?<!\r)\n\Z", re.ASCII | re.IGNORECASE | re.DOTALL)
FOREIGN = re.compile(rb"(?!" + TAG + rb"\d+ )[^ *+\r\n]+ (?:OK|NO|BAD)\b", re.ASCII | re.IGNORECASE)
"""A tagged answer (RFC 9051, 2.2.2) to a command that is not ours."""
_REFUSED = re.compile(TAG + rb"\d+ (?P<condition>NO|BAD)\b", re.ASCII | re.IGNORECASE)

Step = Callable[[bytes], bytes]
"""What answers a challenge of a mechanism. Raises `UnknownPrompt` to cancel."""


class UnknownPrompt(Exception):
    """A challenge that the client does not understand: it gives up the exchange (RFC 9051, 6.2.2)."""


def steps(mechanism: str, user: bytes, password: bytes, *, usual_prompts: bool = False) -> list[Step]:
    """The client's side of a SASL mechanism: PLAIN (RFC 4616), LOGIN (draft-murchison-sasl-login), CRAM-MD5 (2195).

    `usual_prompts`: LOGIN answers those only.
    """
    if mechanism == "PLAIN":
        return [lambda _: b"\0" + user + b"\0" + password]
    if mechanism == "LOGIN" and usual_prompts:
        return [_at({b"", b"username", b"user name"}, user), _at({b"password"}, password)]
    if mechanism == "LOGIN":
        return [lambda _: user, lambda _: password]
    return [lambda challenge: user + b" " + hmac.new(password, challenge, "md5").hexdigest().encode()]


def _at(prompts: Collection[bytes], answer: bytes) -> Step:
    def step(challenge: bytes) -> bytes:
        if challenge.lower().rstrip(b":\0") not in prompts:
            raise UnknownPrompt
        return answer

    return step


class Responder:
    """Answers SASL challenges: each step once, then only what ends a refusal, keeping what the server said.

    `token`: the credential is one, its refusals are JSON, and `after` answers them. `hasty`: a shortcut is in use, so
    what a server makes of it that asks again is no word about the password.
    """

    def __init__(
        self, answers: Sequence[Step] = (), *, token: bool = False, after: bytes = b"", hasty: bool = False
    ) -> None:
        self._answers = list(answers)
        self._token = token
        self._after = after
        self._hasty = hasty
        self._challenges = 0
        self.refusal = b""
        self.asked_again = False
        self.cancelled = False

    def __call__(self, challenge: bytes) -> bytes | None:
        """The answer; None where the exchange is given up."""
        if self._answers:
            try:
                return self._answers.pop(0)(challenge)
            except UnknownPrompt:
                self.cancelled = True
                return None
        self.asked_again = True
        self._challenges += 1
        if self._challenges > MAX_CHALLENGES:
            raise Fault(Code.PROTOCOL_ERROR, redact.decoded(challenge) or "the server asks again and again")
        if self._hasty and not (self._token and challenge):  # a token's refusal comes as a challenge
            raise Fault(Code.PROTOCOL_ERROR, "the server asks for the credential a second time")
        if self._token:
            self.refusal = challenge
        return self._after


def mechanism_refused(stream: Stream, fault: Fault) -> bool:
    """Whether a login was refused before anybody looked at the password: its mechanism or its form was not liked."""
    answer = _REFUSED.match(stream.last_line)
    if answer is None:
        return False
    if fault.code in {Code.AUTH_NO_MECHANISM, Code.AUTH_NOT_OFFERED}:
        return True
    return answer["condition"].upper() == b"BAD" and fault.code is Code.PROTOCOL_ERROR


@contextlib.contextmanager
def translated(
    stream: Stream,
    stage: Literal["login", "select"],
    responder: Responder | None = None,
    *,
    said: bytes = b"",
    bare_line_feed: bool = True,
) -> Iterator[None]:
    """imaplib's errors as faults, by the server's last line rather than by imaplib's sentence.

    `said` is what the login was answered with. `bare_line_feed`: lines without a carriage return are read.

    Of odd replies it raises other things too: `ValueError` of a literal with thousands of digits, for example.
    """
    with library_guard.Reading(lambda: Fault(Code.PROTOCOL_ERROR, redact.decoded(stream.last_line))):
        try:
            yield
        except imaplib.IMAP4.error:
            if not bare_line_feed and _BARE.match(stream.last_line):
                raise Fault(Code.PROTOCOL_BARE_LINE_FEED, redact.decoded(stream.last_line)) from None
            fault = _fault(stream, stage, responder.refusal if responder else b"")
            if responder and responder.cancelled:
                fault = Fault(Code.AUTH_NO_MECHANISM, fault.seen)
            raise (_of_login(said) if fault.code in _VAGUE else None) or fault from None


def _fault(stream: Stream, stage: Literal["login", "select"], refusal: bytes) -> Fault:
    """Only a line that is an answer is read as one: garbage is no "no"."""
    answer = _ANSWER.match(stream.last_line)
    if answer is None or not stream.last_line.endswith(b"\n"):
        if stream.ended:
            return Fault(Code.CONNECT_CLOSED, "the server closed the connection")
        foreign = FOREIGN.match(stream.last_line)  # a client that reads on has not stopped there
        return Fault(Code.PROTOCOL_FOREIGN_TAG if foreign else Code.PROTOCOL_ERROR, redact.decoded(stream.last_line))
    text = redact.decoded(answer["words"])
    if refusal:
        return Fault(translate_oauth(refusal), text)
    code = translate_imap(text, stage)
    return (_of_words_before(stream, stage) if code is Code.PROTOCOL_ERROR else None) or Fault(code, text)


def _of_words_before(stream: Stream, stage: Literal["login", "select"]) -> Fault | None:
    """hMailServer says "* Too many invalid logon attempts.", then "BAD Goodbye". Nothing lasting is read from it."""
    words = redact.decoded(stream.line_before.removeprefix(b"* "))
    code = translate_imap(f"BAD {words}", stage) if stream.line_before.startswith(b"* ") else Code.PROTOCOL_ERROR
    return None if code is Code.PROTOCOL_ERROR or CODES[code].permanent else Fault(code, words)


_VAGUE = frozenset({Code.SERVER_UNAVAILABLE, Code.PROTOCOL_ERROR, Code.CONNECT_CLOSED})


def _of_login(said: bytes) -> Fault | None:
    """What the answer to a login warned of (ALERT: RFC 9051, 7.1), where the mailbox was refused without a reason."""
    if b"[ALERT]" not in said.upper():
        return None
    text = redact.decoded(said.partition(b"]")[2].strip())
    code = translate_imap(f"BAD {text}", "login")
    return Fault(code, text) if CODES[code].permanent else None


class _Imap4(imaplib.IMAP4):
    """imaplib on a stream of ours: it reads no greeting, asks for no capabilities, logs nothing.

    `trailer` goes out in one piece with the next command.
    """

    def __init__(self, stream: Stream, *, bare_line_feed: bool, foreign_tag: bool) -> None:
        self._stream = stream
        self._bare_line_feed = bare_line_feed
        self._foreign_tag = foreign_tag
        self._lines = 0
        self.trailer = b""
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

    def read(self, size: int) -> bytes:
        return self._stream.read(size)

    def readline(self) -> bytes:
        line = self._counted_line()
        while self._foreign_tag and FOREIGN.match(line):
            line = self._counted_line()
        if self._bare_line_feed and line.endswith(b"\n") and not line.endswith(b"\r\n"):
            return line[:-1] + b"\r\n"
        return line

    def _counted_line(self) -> bytes:
        self._lines += 1
        if self._lines > MAX_LINES:
            words = redact.decoded(self._stream.last_line)
            raise Fault(Code.PROTOCOL_OVERSIZE, words, count=str(MAX_LINES))
        return self._read_line()

    def _read_line(self) -> bytes:
        """After an untagged BYE or BAD the answer to the login may still come, or not."""
        if self.untagged_responses.keys().isdisjoint({"BYE", "BAD"}):
            return self._stream.readline()
        whole = self._stream.deadline
        self._stream.deadline = Deadline(min(LAST_WORDS_SECONDS, whole.remaining()))
        try:
            return self._stream.readline()
        except TimeoutError:
            raise self.abort("nothing after an untagged refusal") from None
        finally:
            self._stream.deadline = whole

    def _check_bye(self) -> None:
        """imaplib leaves at BYE. What comes after it may be the answer that counts."""

    def send(self, data: Any) -> None:
        try:
            trailer, self.trailer = self.trailer, b""  # goes with the command, not with what answers a challenge
            self._stream.send(bytes(data) + trailer)
        except TimeoutError:
            raise Fault(Code.DEADLINE, "no answer in time") from None
        except OSError:  # imaplib would make an error of it that looks like a refusal
            raise Fault(Code.CONNECT_CLOSED, "the server closed the connection") from None

    def shutdown(self) -> None:
        """The check closes the stream."""

    def _log(self, line: str) -> None:
        """imaplib keeps its last lines for a traceback; they would hold the credential."""

    def examine_ahead(self) -> None:
        """The next command takes EXAMINE with it (RFC 9051, 5.5)."""
        self.trailer = TAG + b"%d EXAMINE INBOX\r\n" % (self.tagnum + 1)

    def login(self, user: bytes, password: bytes) -> tuple[Literal["OK"], list[bytes]]:  # type: ignore[override] # as bytes: who sends has encoded them
        """LOGIN with both as they go over the wire."""
        return self._finish("LOGIN", user, password)

    def authenticate(  # type: ignore[override] # as above
        self, mechanism: str, responder: Responder, *, inline: bool = False
    ) -> tuple[str, Any]:
        """AUTHENTICATE; `inline`: with the first response in the same line (RFC 4959)."""
        arguments = [mechanism.encode()]
        if inline:
            arguments.append(base64.b64encode(responder(b"") or b""))
        self.literal: Any = _Continuation(responder).answer
        return self._finish("AUTHENTICATE", *arguments)

    def identify(self, fields: Sequence[tuple[str, str]]) -> int:
        """ID (RFC 2971). How many fields the server gives in return; a refusal has none."""
        said = " ".join(f'"{text}"' for field in fields for text in field)
        try:
            self._simple_command("ID", f"({said})" if said else "NIL")
        except self.abort:
            raise
        except self.error:
            return 0
        told: list[Any] = self.untagged_responses.pop("ID", [])
        return sum(part.count(b'"') for part in told if isinstance(part, bytes)) // 4

    def _finish(self, command: str, *arguments: bytes) -> tuple[Literal["OK"], list[bytes]]:
        status, data = self._simple_command(command, *arguments)
        if status != "OK":
            raise self.error("refused")
        self.state = "AUTH"
        return "OK", data

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


class _Continuation:
    """imaplib asks it for an answer to each challenge; it tells it from a literal by its being a bound method."""

    def __init__(self, responder: Responder) -> None:
        self._responder = responder

    def answer(self, challenge: bytes | None) -> bytes:
        """The answer in base64, or "*". imaplib gives None for a bare "+", which lacks its space (RFC 9051, 7.6)."""
        answer = self._responder(challenge_text((challenge or b"").strip()))
        return b"*" if answer is None else base64.b64encode(answer)


class Session(imapclient.IMAPClient):  # type: ignore[misc] # imapclient is untyped
    """imapclient on a stream of ours."""

    def __init__(self, stream: Stream, *, bare_line_feed: bool, foreign_tag: bool) -> None:
        self._stream = stream
        self._reading = {"bare_line_feed": bare_line_feed, "foreign_tag": foreign_tag}
        super().__init__("", ssl=False)
        self._imap.debug = 0  # imapclient turns imaplib's protocol log on, which would hold the credential
        self.imap: _Imap4 = self._imap

    def _create_IMAP4(self) -> _Imap4:  # noqa: N802 - imapclient's
        return _Imap4(self._stream, **self._reading)

    def _set_read_timeout(self) -> None:
        """The stream keeps its own deadline."""

    def examine(self) -> None:
        """EXAMINE INBOX. What the folder holds is of no interest: imapclient stumbles over odd numbers there."""
        self._command_and_check("select", self._normalise_folder("INBOX"), True)
