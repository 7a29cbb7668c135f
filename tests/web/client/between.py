"""Something between the client and the service: it loses answers, cuts streams, or answers for the service."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

SECONDS = 20


@dataclass
class Between:
    """A proxy on loopback. Each connection is treated by the next of `plans`; when they are used up it is let through.

    A plan is bytes, which are answered in the service's place, or how many bytes of the answer come through.
    """

    behind: tuple[str, int]
    plans: list[bytes | int] = field(default_factory=list)
    url: str = ""
    heads: list[bytes] = field(default_factory=list)

    def treat(self, connection: socket.socket) -> None:
        plan = self.plans.pop(0) if self.plans else None
        with connection, contextlib.suppress(OSError):
            connection.settimeout(SECONDS)
            if isinstance(plan, bytes):
                self.heads.append(connection.recv(65536))
                connection.sendall(plan)
                return
            with socket.create_connection(self.behind, timeout=SECONDS) as onward:
                back = threading.Thread(target=_pump, args=(connection, onward, self.heads.append), daemon=True)
                back.start()
                _pass(onward, connection, plan)
                for each in (onward, connection):  # closing alone tells nobody while the other thread reads
                    with contextlib.suppress(OSError):
                        each.shutdown(socket.SHUT_RDWR)
                back.join(SECONDS)

    def lose(self, count: int = 1) -> None:
        """The next answers are lost, after the service has begun to send them."""
        self.plans += [0] * count

    def answer(self, status: str, body: bytes = b"", *headers: str) -> None:
        """The next request gets this, and the service hears nothing of it."""
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers, "", ""]
        self.plans.append("\r\n".join(lines).encode() + body)


def _pump(source: socket.socket, target: socket.socket, note: Callable[[bytes], object]) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            note(data)
            target.sendall(data)


def _pass(onward: socket.socket, connection: socket.socket, most: int | None) -> None:
    left = most
    while data := onward.recv(65536):
        if left is not None and len(data) > left:
            connection.sendall(data[:left])
            return
        connection.sendall(data)
        left = None if left is None else left - len(data)


@contextlib.contextmanager
def between(behind: tuple[str, int]) -> Iterator[Between]:
    """Runs meanwhile."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        found = Between(behind, url=f"http://127.0.0.1:{listener.getsockname()[1]}")

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    threading.Thread(target=found.treat, args=(connection,), daemon=True).start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield found
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(SECONDS)
