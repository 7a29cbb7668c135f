"""HTTP/1.1 on a stream of ours (RFC 9112): one deadline over everything, a cap on every part, no redirects, no proxies.

The endpoint probe and the mailbox check share it, so both meet a server in the same way.
"""

import contextlib
import http
import http.client
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from checks import library_guard, redact
from checks.codes import Code
from checks.model import Fault
from checks.network.dial import Deadline
from checks.network.stream import Stream

BODY_LIMIT = 65_536  # bytes after decompression; the answer to a GetFolder has about 1,500
_WIRE_LIMIT = 4 * BODY_LIMIT  # of one answer as it comes: head, body, chunk lines
_INTERIM = 5  # answers of status 1xx before the final one: a server sends one or two
_ENCODINGS = {"gzip", "x-gzip", "deflate"}
USER_AGENT = "MailPreflight"
_BODY_SECONDS = 1.0  # for a body that nobody wants

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent. The header `Authorization` is not kept here: whoever logs in adds it when it sends."""

    method: str
    target: str
    host: str
    headers: Headers = ()
    body: bytes = b""

    def encoded(self, *more: tuple[str, str], body: bytes | None = None) -> bytes:
        """As bytes, with `more` headers; `body` stands in for the request's own."""
        content = self.body if body is None else body
        fields = [("Host", self.host), *self.headers, *more]
        if self.method == "POST":
            fields.append(("Content-Length", str(len(content))))
        head = "".join(f"{name}: {value}\r\n" for name, value in fields)
        return f"{self.method} {self.target} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + content


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. Names of headers are in lower case; `cut` says that the body was longer than `BODY_LIMIT`.

    `stays` says whether the connection can take another request.
    """

    status: int
    reason: str
    headers: Headers
    body: bytes
    cut: bool = False
    stays: bool = True

    def values(self, name: str) -> tuple[str, ...]:
        """All values of a header, in order."""
        return tuple(value for key, value in self.headers if key == name)

    def header(self, name: str) -> str:
        """The values of a header as one, '' where there is none."""
        return ", ".join(self.values(name))

    @property
    def line(self) -> str:
        """Status and reason, as people know them."""
        return f"HTTP {self.status} {self.reason}".rstrip()


def exchange(stream: Stream, sent: bytes, method: str = "POST") -> Reply:
    """Sends a request and reads the answer to it. Raises `Fault`, and `OSError` (time-outs included)."""
    stream.send(sent)
    response = http.client.HTTPResponse(_Makes(stream), method=method)  # type: ignore[arg-type] # all it asks of a socket
    try:
        # Of a chunk with a negative size, for one, http.client raises ValueError.
        with library_guard.Reading(lambda: Fault(Code.PROTOCOL_ERROR, _status_line(response))):
            return _read(response)
    finally:
        response.close()


def head_of_answer(stream: Stream, sent: bytes) -> Reply:
    """Sends a POST and reads status and headers of the answer. Raises `Fault`, and `OSError` (time-outs included).

    Of its body, what comes at once is read, so that an honest server can finish, and dropped.
    """
    stream.send(sent)
    response = http.client.HTTPResponse(_Makes(stream), method="POST")  # type: ignore[arg-type] # all it asks of a socket
    try:
        with library_guard.Reading(lambda: Fault(Code.PROTOCOL_ERROR, _status_line(response))):
            _begin_or_fault(response)
            reply = _reply(response, b"", stays=False)
        stream.deadline = Deadline(min(_BODY_SECONDS, stream.deadline.remaining()))
        with contextlib.suppress(Fault, OSError, ValueError, http.client.HTTPException):
            response.read(BODY_LIMIT)
        return reply
    finally:
        response.close()


def _begin_or_fault(response: http.client.HTTPResponse) -> None:
    try:
        _begin(response)
    except http.client.HTTPException as error:
        raise _fault(error) from None


def _read(response: http.client.HTTPResponse) -> Reply:
    try:
        _begin(response)
        raw = response.read(BODY_LIMIT + 1)
        if response.length and len(raw) <= BODY_LIMIT:  # read() is silent about a body that breaks off
            raise http.client.IncompleteRead(raw, response.length)
        stays = not response.will_close and response.isclosed()
        return _reply(response, raw, stays)
    except http.client.HTTPException as error:
        raise _fault(error) from None


def _begin(response: http.client.HTTPResponse) -> None:
    """Reads the head of the final answer; `http.client` takes any interim one but 100 for it (RFC 9110, 15.2)."""
    for _ in range(_INTERIM):
        response.begin()
        if not 100 <= response.status < 200 or response.status == http.HTTPStatus.SWITCHING_PROTOCOLS:
            return
        response.headers = response.msg = None  # type: ignore[assignment] # else begin() does nothing
    raise Fault(Code.PROTOCOL_ERROR, f"{_INTERIM} interim answers and no final one")


def _status_line(response: http.client.HTTPResponse) -> str:
    return f"HTTP {response.status} {response.reason}, and then what is no HTTP"


def _reply(response: http.client.HTTPResponse, raw: bytes, stays: bool) -> Reply:
    headers = tuple((name.lower(), str(value)) for name, value in response.headers.items())
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    body = _unpacked(raw) if encoding in _ENCODINGS else raw
    return Reply(response.status, response.reason, headers, body[:BODY_LIMIT], len(body) > BODY_LIMIT, stays)


def _unpacked(raw: bytes) -> bytes:
    """At most `BODY_LIMIT + 1` bytes, whatever a few kilobytes of gzip or deflate (RFC 1950, RFC 1951) unfold to."""
    for window in (47, -15):
        try:
            return zlib.decompressobj(window).decompress(raw, BODY_LIMIT + 1)
        except zlib.error:
            continue
    return raw


def _fault(error: http.client.HTTPException) -> Fault:
    if isinstance(error, http.client.RemoteDisconnected):
        return Fault(Code.CONNECT_CLOSED, "the server closed the connection instead of an answer")
    if isinstance(error, http.client.IncompleteRead):
        return Fault(Code.CONNECT_CLOSED, "the server closed the connection within its answer")
    if isinstance(error, (http.client.BadStatusLine, http.client.UnknownProtocol)):
        return Fault(Code.PROTOCOL_MISMATCH, str(error))
    return Fault(Code.PROTOCOL_OVERSIZE, str(error), count=str(_WIRE_LIMIT))  # a line or a head without an end


class _Makes:
    """What http.client asks of a socket: a file to read from."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def makefile(self, mode: str) -> io.BufferedReader:  # noqa: ARG002 - http.client's
        return io.BufferedReader(_Bytes(self._stream))


class _Bytes(io.RawIOBase):
    """The stream as a raw file: each read has what is left of the deadline, all reads together have `_WIRE_LIMIT`."""

    def __init__(self, stream: Stream) -> None:
        super().__init__()
        self._stream = stream
        self._left = _WIRE_LIMIT

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type] # io's buffers have no public type before Python 3.12
        sock = self._stream.sock
        sock.settimeout(self._stream.deadline.remaining())
        count = sock.recv_into(view)
        self._stream.count(count)
        self._left -= count
        if self._left < 0:
            raise Fault(Code.PROTOCOL_OVERSIZE, "the answer does not end", count=str(_WIRE_LIMIT))
        return count


def excerpt(reply: Reply) -> str:
    """What the server said, for `seen`: the status, what its diagnostic headers say, the text of its page."""
    told = [reply.header(name) for name in ("x-ms-diagnostics", "x-caserrorcode") if reply.header(name)]
    return "; ".join([reply.line, *told, *_text(reply.body)])


def _text(body: bytes) -> Iterator[str]:
    """The words of a page or of a SOAP message, without its marks. Not yet redacted."""
    text = " ".join(_without_marks(redact.decoded(body[:4_096])).split())
    if text:
        yield text


def _without_marks(text: str) -> str:
    pieces = text.split("<")
    return pieces[0] + " ".join(piece.partition(">")[2] for piece in pieces[1:])
