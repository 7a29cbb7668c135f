"""A firewall in front of a mail server, as far as one is to be had without privileges: it judges by the peer's address.

It cannot refuse or drop a connection before it is there; those who do are in `tests.servers.namespaces`.
"""

import contextlib
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from tests.servers.process import LOOPBACK

Treatment = Literal["admit", "close", "reset", "silent", "say"]


@dataclass(frozen=True, slots=True)
class Rule:
    """What an address meets: `then` after `admitted` connections were let through; None: `admit` for ever."""

    then: Treatment = "admit"
    admitted: int = 0


class Gate:
    """Listens at `port` (0: any) on these addresses and passes on to `target` what its rules admit. Counts who came."""

    def __init__(
        self,
        target: int,
        rules: Mapping[str, Rule],
        *,
        words: str = "554 5.7.1 Your address is blocked by our policy",
        listens: tuple[str, ...] = (LOOPBACK,),
        port: int = 0,
    ) -> None:
        self.rules, self.came = dict(rules), Counter[str]()
        self._target, self._words = target, words
        self._open: list[socket.socket] = []
        self._stopped = False
        self._listeners = [self._listener(address, port) for address in listens[:1]]
        self.port: int = self._listeners[0].getsockname()[1]
        self._listeners += [self._listener(address, self.port) for address in listens[1:]]

    @staticmethod
    def _listener(address: str, port: int) -> socket.socket:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return socket.create_server((address, port), family=family, backlog=128)

    def __enter__(self) -> "Gate":  # noqa: PYI034 -- nothing inherits from it
        for listener in self._listeners:
            threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped = True
        for sock in (*self._listeners, *self._open):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()

    def _accept(self, listener: socket.socket) -> None:
        while not self._stopped:
            try:
                connection, peer = listener.accept()
            except OSError:
                return
            self._open.append(connection)
            rule = self.rules.get(peer[0], Rule())
            self.came[peer[0]] += 1
            treatment = "admit" if self.came[peer[0]] <= rule.admitted else rule.then
            threading.Thread(target=self._treat, args=(connection, treatment), daemon=True).start()

    def _treat(self, connection: socket.socket, treatment: Treatment) -> None:
        if treatment == "silent":
            return
        with connection:
            if treatment == "reset":
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            elif treatment == "say":
                connection.sendall(f"{self._words}\r\n".encode())
            elif treatment == "admit":
                self._pass_on(connection)

    def _pass_on(self, connection: socket.socket) -> None:
        with socket.socket() as inner:  # no name is looked up: tests may have made the resolver say what they want
            inner.connect((LOOPBACK, self._target))
            back = threading.Thread(target=_pump, args=(inner.recv, connection), daemon=True)
            back.start()
            _pump(connection.recv, inner)
            back.join(5)


def _pump(read: Callable[[int], bytes], target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := read(65_536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
