"""One accepted connection of the TLS server."""

import socket
import ssl
from collections.abc import Callable

from tests.servers.conversation import Conversation, Kind


class TlsConversation(Conversation):
    """A connection whose TLS is the server's present one."""

    def __init__(self, connection: socket.socket, context: Callable[[], ssl.SSLContext]) -> None:
        super().__init__(connection, None)
        self._context = context

    def start_tls(self, kind: Kind = "good", context: ssl.SSLContext | None = None) -> None:
        """Shake hands as a server; the server's quirk decides how, not what is given. Raises `ssl.SSLError`."""
        del kind, context
        # a client that sends a secret here instead of its ClientHello is to be found out
        self.received += self._socket.recv(65536, socket.MSG_PEEK) + b"\r\n"  # the first line in TLS begins anew
        wrapped = self._context().wrap_socket(self._socket, server_side=True, do_handshake_on_connect=False)
        # the handshake is not done by wrap_socket, so that `abort` finds the socket meanwhile
        self._socket = wrapped
        wrapped.do_handshake()

    def take(self, count: int) -> bytes:
        """The next `count` bytes. Raises `ConnectionError` when the client has left."""
        while len(self._buffer) < count:
            self._buffer += self._read()
        taken, self._buffer = self._buffer[:count], self._buffer[count:]
        return taken
