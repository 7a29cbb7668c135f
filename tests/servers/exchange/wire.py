"""HTTP/1.1 by hand: lean enough for hundreds of requests a second, and free to break every rule on purpose."""

import contextlib
import gzip
import select
import socket
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache

REASONS: Mapping[int, str] = {
    200: "OK",
    301: "Moved Permanently",
    302: "Found",
    307: "Temporary Redirect",
    308: "Permanent Redirect",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}
LONGEST = 1 << 20
"""Bytes of a request's head or body that are read."""
GZIP_BOMB_MIB = 64


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came. `headers` have lower-case names. `authorization` may hold a secret: never printed."""

    method: str
    target: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = b""

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def scheme(self) -> str:
        """The authorization scheme (`Basic`), empty without one."""
        return self.headers.get("authorization", "").partition(" ")[0]

    @property
    def credential(self) -> str:
        return self.headers.get("authorization", "").partition(" ")[2].strip()

    @property
    def host(self) -> str:
        return self.headers.get("host", "localhost")


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back, and how badly. A status of 0 closes the connection without a word.

    `{origin}` in a header becomes `https://` and the host that the client named, `{other}` the other host's origin.
    `wait` seconds pass before the first byte and `pause` seconds after every byte of the body. `repeat` sends the body
    so often, without a Content-Length. `cut` promises the whole body, sends half and closes. `reset` closes with RST.
    """

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    wait: float = 0.0
    pause: float = 0.0
    repeat: int = 1
    cut: bool = False
    reset: bool = False
    close: bool = False
    bomb: bool = False

    def plus(self, *headers: tuple[str, str]) -> "Answer":
        """The same with more headers."""
        return replace(self, headers=(*self.headers, *headers))

    @property
    def ends(self) -> bool:
        """Whether the connection ends with it."""
        return self.close or self.cut or self.reset or self.status == 0 or self.repeat > 1


@cache
def gzip_bomb() -> bytes:
    """Some 64 KiB that unpack to `GZIP_BOMB_MIB` MiB of white space."""
    return gzip.compress(b"<?xml version='1.0'?>" + b" " * (GZIP_BOMB_MIB << 20), 9)


class Connection:
    """One accepted connection, in the clear or in TLS. Raises `OSError` when the client has left."""

    def __init__(self, accepted: socket.socket) -> None:
        self._socket = accepted
        self._buffer = b""

    def request(self) -> Request | None:
        """The next request, None when the client has closed. Raises `ValueError` when it speaks no HTTP."""
        while b"\r\n\r\n" not in self._buffer:
            if not self._read():
                return None
            if len(self._buffer) > LONGEST or not self._buffer[:1].isalpha():
                raise ValueError("that is no HTTP")
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        words = first.split(" ")
        if len(words) != 3:
            raise ValueError("that is no HTTP")
        pairs = (line.partition(":") for line in lines)
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        return Request(words[0], words[1], headers, self._body(int(headers.get("content-length", "0"))))

    def _body(self, length: int) -> bytes:
        while len(self._buffer) < min(length, LONGEST) and self._read():
            pass
        body, self._buffer = self._buffer[:length], self._buffer[length:]
        return body

    def _read(self) -> bool:
        data = self._socket.recv(65536)
        self._buffer += data
        return bool(data)

    def answer(self, answer: Answer) -> None:
        """Send it as it says."""
        if answer.wait and select.select([self._socket], [], [], answer.wait)[0]:
            raise ConnectionError("the client has left, or is impatient")
        if answer.status:
            self._send(answer, gzip_bomb() if answer.bomb else answer.body)
        if answer.reset:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def _send(self, answer: Answer, body: bytes) -> None:
        head = _head(answer, len(body))
        if answer.pause:
            self._socket.sendall(head)
            self._drip(body, answer.pause)
        elif answer.repeat > 1:
            self._socket.sendall(head)
            for _ in range(answer.repeat):
                self._socket.sendall(body)
        else:
            self._socket.sendall(head + (body[: len(body) // 2] if answer.cut else body))

    def _drip(self, body: bytes, pause: float) -> None:
        for byte in body:
            self._socket.sendall(bytes([byte]))
            time.sleep(pause)

    def close(self) -> None:
        """Close; from the connection's own thread."""
        with contextlib.suppress(OSError):
            self._socket.close()


def _head(answer: Answer, length: int) -> bytes:
    lines = [f"HTTP/1.1 {answer.status} {REASONS.get(answer.status, 'Unknown')}"]
    lines += [f"{name}: {value}" for name, value in answer.headers]
    if answer.bomb:
        lines.append("Content-Encoding: gzip")
    if answer.repeat == 1:
        lines.append(f"Content-Length: {length}")
    if answer.ends:
        lines.append("Connection: close")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
