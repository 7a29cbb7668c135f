"""A TCP server that misbehaves on request and remembers every byte it was sent.

`HostileServer("silent")` takes a name of `tests.servers.behaviours`; `HostileServer(Script(...))` plays a dialogue.
"""

import contextlib
import socket
import threading
from collections.abc import Callable

from tests.servers.behaviours import BEHAVIOURS
from tests.servers.certificates import CertificateFiles
from tests.servers.conversation import Behaviour, Conversation
from tests.servers.process import LOOPBACK, Server


class HostileServer(Server):
    """Listens on `port` of loopback and treats every client as `behaviour` says (a name, a script, any function)."""

    def __init__(self, behaviour: str | Behaviour, certificate: CertificateFiles | None = None) -> None:
        """`certificate` is needed by behaviours that speak TLS."""
        self._behaviour = BEHAVIOURS[behaviour] if isinstance(behaviour, str) else behaviour
        self._certificate = certificate
        self._conversations: list[Conversation] = []
        self._threads: list[threading.Thread] = []
        self._listener: socket.socket | None = None
        self.port = 0

    def start(self) -> None:
        self._listener = socket.create_server((LOOPBACK, 0), backlog=100)
        self.port = self._listener.getsockname()[1]
        self._begin(self._accept, self._listener)

    def stop(self) -> None:
        if self._listener is None:
            return
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()
        for conversation in self._conversations:
            conversation.abort()
        for thread in self._threads:
            thread.join()
        self._listener.close()
        self._listener = None

    @property
    def connections(self) -> int:
        """How many clients came."""
        return len(self._conversations)

    @property
    def received(self) -> bytes:
        """Everything that all clients sent: as it came over the wire, or decrypted after TLS was started here."""
        return b"".join(bytes(conversation.received) for conversation in self._conversations)

    def _begin(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True, name=f"hostile-{self.port}")
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                conversation = Conversation(connection, self._certificate)
                self._conversations.append(conversation)
                self._begin(self._serve, conversation)

    def _serve(self, conversation: Conversation) -> None:
        # OSError covers ssl.SSLError and clients that leave
        with contextlib.suppress(OSError):
            self._behaviour(conversation)
        conversation.close()
