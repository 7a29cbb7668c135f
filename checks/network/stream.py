"""A connection read by lines, with one deadline over all of it and a cap on what it will take in."""

import socket
import ssl
import time

from checks import redact
from checks.codes import Code
from checks.model import Fault
from checks.network.dial import Deadline

LINE_LIMIT = 65_536
TOTAL_LIMIT = 262_144
READS_LIMIT = 16_384  # pieces that all of it may come in: a byte in each is a server that wants to keep us busy
_QUICKACK = getattr(socket, "TCP_QUICKACK", None)  # Linux only


class Stream:
    """A connection read by lines, with one deadline over all of it and a cap on what it will take in.

    `last_line` is the last whole line read, after `line_before`; `received` counts all bytes so far, which tells a
    dripping server from a silent one; `ended` says that the server closed its side.
    """

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self.sock = sock
        self.deadline = deadline
        self.line_before = self.last_line = b""
        self.received = 0
        self.ended = False
        self._reads = 0
        self._buffer = bytearray()

    def readline(self) -> bytes:
        """The next line with its end, or what came before the connection closed ('' at its end).

        Raises `Fault(protocol.oversize)` and, when the deadline passes, `TimeoutError`.
        """
        searched = 0
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            if len(self._buffer) > LINE_LIMIT:
                raise Fault(Code.PROTOCOL_OVERSIZE, self.excerpt(), count=str(LINE_LIMIT))
            if not self._fill():
                end = len(self._buffer) - 1
                break
        line = bytes(self._buffer[: end + 1])
        del self._buffer[: end + 1]
        if line:
            self.line_before, self.last_line = self.last_line, line
        return line

    def read(self, size: int) -> bytes:
        """Exactly `size` bytes, fewer at the end of the connection."""
        if size > TOTAL_LIMIT:
            raise Fault(Code.PROTOCOL_OVERSIZE, f"literal of {size} bytes", count=str(TOTAL_LIMIT))
        while len(self._buffer) < size and self._fill():
            pass
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data

    def unasked(self, seconds: float) -> bytes:
        """A line that has come by now, or comes within so many seconds; '' where none does. Raises `OSError`."""
        end = time.monotonic() + seconds
        while b"\n" not in self._buffer and not self.ended:
            self.sock.settimeout(max(0.0, min(end - time.monotonic(), self.deadline.remaining())))
            try:
                data = self.sock.recv(16_384)
            except (BlockingIOError, ssl.SSLWantReadError, TimeoutError):
                return b""
            self.count(len(data))
            self._buffer += data
            self.ended = not data
        return self.readline() if b"\n" in self._buffer else b""

    def _fill(self) -> bool:
        self.sock.settimeout(self.deadline.remaining())
        if _QUICKACK is not None:
            # A server with Nagle on (Postfix) holds its next line back until the last was acknowledged.
            self.sock.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)
        data = self.sock.recv(16_384)
        self.count(len(data))
        if self.received > TOTAL_LIMIT:
            raise Fault(Code.PROTOCOL_OVERSIZE, self.excerpt(), count=str(TOTAL_LIMIT))
        self._buffer += data
        self.ended = not data
        return bool(data)

    def count(self, size: int) -> None:
        """Notes a read of so many bytes. Raises `Fault(protocol.oversize)` where there were too many of them."""
        self.received += size
        self._reads += 1
        if self._reads > READS_LIMIT:
            raise Fault(Code.PROTOCOL_OVERSIZE, self.excerpt(), count=str(self.received))

    def send(self, data: bytes) -> None:
        """All of `data`. Raises `OSError`: where the other side has left, with what it said before, if it said why."""
        self.sock.settimeout(self.deadline.remaining())
        try:
            self.sock.sendall(data)
        except (ConnectionError, ssl.SSLEOFError):
            self.sock.recv(1)  # a TLS alert may lie there, such as "client certificate required" (RFC 8446, 4.4.2.4)
            raise

    @property
    def buffered(self) -> bytes:
        """What was received and not yet read."""
        return bytes(self._buffer)

    def excerpt(self) -> str:
        """What lies in the buffer, for `seen`. Not yet redacted, and for that reason not shortened to what is shown."""
        return redact.decoded(bytes(self._buffer))

    def close(self) -> None:
        """Closes without a farewell: nobody waits for one."""
        self.sock.close()
