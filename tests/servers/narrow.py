"""A box between client and server that cannot bear a TLS ClientHello of several packets."""

import contextlib
import socket
import threading
from enum import StrEnum

from tests.servers.process import LOOPBACK, Server

_HANDSHAKE = b"\x16\x03"  # how the record of a ClientHello begins (RFC 8446, 5.1)
_HEADER = 5


class Does(StrEnum):
    """What becomes of a connection with a ClientHello that is too large."""

    DROP = "swallows all that the client sends from then on"
    CLOSE = "closes"


class NarrowProxy(Server):
    """Passes everything between `port` and `target_port`, but for a ClientHello of more than `limit` bytes.

    `large` counts those that were stopped, `blocks` at most.
    """

    def __init__(self, target_port: int, limit: int = 1_200, does: Does = Does.DROP, blocks: int = 1_000) -> None:
        self._target_port = target_port
        self._limit = limit
        self._does = does
        self._blocks = blocks
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self.large = 0
        self.connections = 0
        self.port = 0

    def start(self) -> None:
        listener = socket.create_server((LOOPBACK, 0))
        self.port = listener.getsockname()[1]
        self._sockets.append(listener)
        self._begin(self._accept, listener)

    def stop(self) -> None:
        for sock in self._sockets:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for sock in self._sockets:
            sock.close()

    def _begin(self, work: object, *arguments: socket.socket) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)  # type: ignore[arg-type]  # one of our methods
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            self.connections += 1
            server = socket.create_connection((LOOPBACK, self._target_port))
            self._sockets += [client, server]
            self._begin(self._pass_up, client, server)
            self._begin(self._pass_down, server, client)

    def _pass_up(self, client: socket.socket, server: socket.socket) -> None:
        """Until a ClientHello is too large, or the client has closed."""
        swallowing = False
        with contextlib.suppress(OSError):
            while data := client.recv(65_536):
                if not swallowing and self._is_too_large(data):
                    if self._does is Does.CLOSE:
                        break
                    swallowing = True
                if not swallowing:
                    server.sendall(data)
        for sock in (client, server):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def _pass_down(self, server: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(65_536):
                client.sendall(data)
            client.shutdown(socket.SHUT_WR)

    def _is_too_large(self, data: bytes) -> bool:
        if not data.startswith(_HANDSHAKE) or len(data) < _HEADER:
            return False
        if _HEADER + int.from_bytes(data[3:_HEADER]) <= self._limit or self.large >= self._blocks:
            return False
        self.large += 1
        return True
