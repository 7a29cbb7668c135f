"""What the hostile server is made of: one accepted connection, and dialogues written down as rules."""

import contextlib
import re
import socket
import ssl
import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from tests.servers.certificates import CertificateFiles

Kind = Literal["good", "old", "no_shared_cipher", "rsa_key_exchange", "client_certificate"]


def server_context(certificate: CertificateFiles, kind: Kind = "good") -> ssl.SSLContext:
    """TLS as asked: `old` speaks TLS 1.0 and 1.1 only, `client_certificate` insists on one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if kind == "old":
        context.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # deprecated is what it is meant to be
            context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    if kind == "no_shared_cipher":
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers("aNULL:@SECLEVEL=0")
    if kind == "rsa_key_exchange":
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers("AES256-SHA")
    if kind == "client_certificate":
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(certificate.chain)
    context.load_cert_chain(certificate.chain, certificate.key)
    return context


class Conversation:
    """One accepted connection. What is read is kept in `received`: as it came over the wire, decrypted once TLS has
    started; the client's first TLS message is in it too."""

    def __init__(self, connection: socket.socket, certificate: CertificateFiles | None) -> None:
        self.received = bytearray()
        self._socket = connection
        self._buffer = b""
        self._certificate = certificate
        self._aborted = threading.Event()

    def send(self, data: bytes | str) -> None:
        self._socket.sendall(data.encode() if isinstance(data, str) else data)

    def line(self) -> str:
        """The next line without its end; empty lines too. Raises `ConnectionError` when the client has left."""
        while b"\n" not in self._buffer:
            self._buffer += self._read()
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line.rstrip(b"\r").decode(errors="replace")

    def peek(self) -> bytes:
        """Wait until the client has said something, and leave it there."""
        return self._socket.recv(65536, socket.MSG_PEEK)

    def hang(self) -> None:
        """Read and say nothing until the client leaves."""
        while True:
            self._read()

    def pause(self, seconds: float) -> None:
        """Wait, but not longer than the server runs."""
        if self._aborted.wait(seconds):
            raise ConnectionError("the server stops")

    def start_tls(self, kind: Kind = "good", context: ssl.SSLContext | None = None) -> None:
        """Shake hands as a server, with a context of the caller's own if given. Raises `ssl.SSLError` when refused."""
        assert self._certificate is not None, "this behaviour needs a certificate"
        # a client that sends a secret here instead of its ClientHello is to be found out
        self.received += self.peek()
        context = context or server_context(self._certificate, kind)
        self._socket = context.wrap_socket(self._socket, server_side=True, do_handshake_on_connect=False)
        # the handshake is not done by wrap_socket, so that `abort` finds the socket meanwhile
        assert isinstance(self._socket, ssl.SSLSocket)
        self._socket.do_handshake()

    @property
    def waiting(self) -> bytes:
        """What has been read, but not asked for yet."""
        return self._buffer

    @property
    def resumed(self) -> bool:
        """Whether the client came back with a session."""
        return isinstance(self._socket, ssl.SSLSocket) and bool(self._socket.session_reused)

    def reset(self) -> None:
        """Make closing send an RST instead of a FIN (SO_LINGER of zero seconds)."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    def end(self) -> None:
        """Say that nothing more will come, and go on reading (FIN)."""
        socket.socket.shutdown(self._socket, socket.SHUT_WR)

    def abort(self) -> None:
        """Wake up whoever reads, writes or waits; from another thread."""
        self._aborted.set()
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def close(self) -> None:
        """Read what has arrived but was of no interest so far, so that `received` is complete, and close."""
        with contextlib.suppress(OSError):
            self._socket.setblocking(False)
            while True:
                self._read()
        self._socket.close()

    def _read(self) -> bytes:
        data = self._socket.recv(65536)
        if not data:
            raise ConnectionError("the client has left")
        self.received += data
        return data


Behaviour = Callable[[Conversation], None]


@dataclass(frozen=True, slots=True)
class Script:
    """A dialogue. `greeting` is sent first; each line of the client is answered by the first rule whose pattern is
    found in it (letter case ignored). A reply may have several lines; `{tag}` becomes the first word of the client's
    line. A reply of None closes the connection. A line that no rule matches is refused in the greeting's protocol.

    `tls`: "implicit" before the greeting, "starttls" when the client asks, None never. `injected` is sent with the
    reply to STARTTLS, in one segment.
    """

    greeting: str
    rules: tuple[tuple[str, str | None], ...] = ()
    tls: Literal["implicit", "starttls"] | None = "implicit"
    injected: str = ""
    kind: Kind = "good"

    def __call__(self, conversation: Conversation) -> None:
        if self.tls == "implicit":
            conversation.start_tls(self.kind)
        conversation.send(self.greeting + "\r\n")
        while (reply := self._reply(line := conversation.line())) is not None:
            tag = (line.split() or ["*"])[0]
            conversation.send(reply.replace("{tag}", tag) + "\r\n" + (self.injected if self._starts_tls(line) else ""))
            if self._starts_tls(line):
                conversation.start_tls(self.kind)

    @property
    def _is_imap(self) -> bool:
        return self.greeting.startswith("*")

    def _starts_tls(self, line: str) -> bool:
        return self.tls == "starttls" and "STARTTLS" in line.upper().split()

    def _reply(self, line: str) -> str | None:
        for pattern, reply in self.rules:
            if re.search(pattern, line, re.IGNORECASE):
                return reply
        if self._starts_tls(line):
            return "{tag} OK Begin TLS" if self._is_imap else "220 2.0.0 Ready to start TLS"
        return "{tag} BAD Unknown command" if self._is_imap else "500 5.5.1 Unknown command"
