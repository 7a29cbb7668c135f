"""What clients did: connections and requests at every listener. For the server's process."""

import threading
from collections import Counter
from typing import Any

from tests.servers.exchange.wire import Request


class Record:
    """Counts. Safe for many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._number = 0
        self._open: Counter[str] = Counter()
        self.forget()

    def forget(self) -> None:
        """Forget everything but the connections that are open now."""
        with self._lock:
            self._connections: Counter[str] = Counter()
            self._peak = self._open["secure"]
            self._requests: list[tuple[str, int, str, str, str, int]] = []

    def connected(self, where: str) -> int:
        """A client came. The number of its connection, unique in the process."""
        with self._lock:
            self._number += 1
            self._connections[where] += 1
            self._open[where] += 1
            self._peak = max(self._peak, self._open["secure"])
            return self._number

    def left(self, where: str) -> None:
        with self._lock:
            self._open[where] -= 1

    def asked(self, where: str, connection: int, request: Request, status: int) -> None:
        entry = (where, connection, request.method, request.target, request.scheme, status)
        with self._lock:
            self._requests.append(entry)

    def document(self) -> dict[str, Any]:
        with self._lock:
            return {
                "connections": dict(self._connections),
                "open": dict(self._open),
                "peak": self._peak,
                "requests": list(self._requests),
            }
