"""A mail or web server with any chain and any quirk; it remembers who came and every byte it was sent."""

import contextlib
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterable

from tests.servers.conversation import Conversation
from tests.servers.pki.chain import Chain
from tests.servers.process import LOOPBACK, Server
from tests.servers.tls_conversation import TlsConversation
from tests.servers.tls_quirks import Quirk, behaviour, quirky_context

_LOGIN = re.compile(rb"^(?:\S+ )?(?:LOGIN|AUTHENTICATE|AUTH)\b.*$|^Authorization:.*$", re.MULTILINE | re.IGNORECASE)


class TlsServer(Server):
    """Serves `protocol` (imap, smtp or https) with `security` (tls or starttls) on one port of several addresses.

    Logins are accepted, whatever they say: they are to be found in `logins`.
    """

    def __init__(
        self,
        chain: Chain,
        protocol: str = "imap",
        security: str = "tls",
        quirk: Quirk = Quirk.NONE,
        addresses: Iterable[str] = (LOOPBACK,),
    ) -> None:
        self._chains = dict.fromkeys(addresses, chain)
        self._quirk = quirk
        self._behaviour = behaviour(protocol, security, quirk)
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._listeners: list[socket.socket] = []
        self._conversations: list[Conversation] = []
        self._threads: list[threading.Thread] = []
        self.port = 0

    def start(self) -> None:
        self.port = 0
        for address in self._chains:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            listener = socket.create_server((address, self.port), family=family, backlog=100)
            self.port = listener.getsockname()[1]
            self._listeners.append(listener)
            self._begin(self._accept, listener, address)

    def stop(self) -> None:
        for listener in self._listeners:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
        for thread in self._threads[: len(self._listeners)]:
            thread.join()
        for conversation in self._conversations:
            conversation.abort()
        for thread in self._threads:
            thread.join()
        for listener in self._listeners:
            listener.close()
        self._listeners, self._threads = [], []

    def swap(self, chain: Chain, address: str | None = None) -> None:
        """Another chain from the next connection on; on one address only when it is given."""
        for each in self._chains if address is None else (address,):
            self._chains[each] = chain
            self._contexts.pop(each, None)

    @property
    def connections(self) -> int:
        """How many clients came."""
        return len(self._conversations)

    @property
    def received(self) -> bytes:
        """Everything that all clients sent: as it came over the wire, or decrypted after TLS was started here."""
        return b"".join(bytes(conversation.received) for conversation in self._conversations)

    @property
    def logins(self) -> list[str]:
        """The lines with which clients tried to log in."""
        return [found.decode(errors="replace").strip() for found in _LOGIN.findall(self.received)]

    def _context(self, address: str) -> ssl.SSLContext:
        if address not in self._contexts:
            self._contexts[address] = quirky_context(self._chains[address], self._quirk)
        return self._contexts[address]

    def _begin(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True, name=f"tls-{self.port}")
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket, address: str) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                conversation = TlsConversation(connection, lambda: self._context(address))
                self._conversations.append(conversation)
                self._begin(self._serve, conversation)

    def _serve(self, conversation: Conversation) -> None:
        # OSError covers ssl.SSLError and clients that leave
        with contextlib.suppress(OSError):
            self._behaviour(conversation)
        conversation.close()
