"""A reader of server-sent events, as a browser reads them: it keeps the last id, and can leave after any byte."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tests.web.api import Api

SECONDS = 10  # less than a heartbeat's, unless a test says otherwise


def soon(condition: Callable[[], bool]) -> bool:
    """Whether it is so within ten seconds."""
    give_up = time.monotonic() + SECONDS
    while not condition() and time.monotonic() < give_up:
        time.sleep(0.01)
    return condition()


@dataclass(frozen=True)
class Seen:
    """An event as it was dispatched. `id` is the last one by then."""

    name: str
    data: Any
    id: str


@dataclass
class Reader:
    """One connection. `last_id` is what a new one would go on after, `comments` how many came."""

    connection: socket.socket
    last_id: str
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    comments: int = 0
    retry: str = ""
    raw: bytearray = field(default_factory=bytearray)
    _rest: bytes = b""

    def read_head(self) -> None:
        while b"\r\n\r\n" not in self._rest:
            self._more()
        head, _, self._rest = self._rest.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        self.status = int(first.split()[1])
        self.headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}

    def events(self) -> Iterator[Seen]:
        """Until the server ends the stream."""
        text = b""
        for chunk in self.chunks():
            text += chunk
            while b"\n\n" in text:
                block, _, text = text.partition(b"\n\n")
                yield from self._block(block.decode())

    def until(self, name: str) -> list[Seen]:
        """All events up to and with the first of that name."""
        found: list[Seen] = []
        for seen in self.events():
            found.append(seen)
            if seen.name == name:
                return found
        raise AssertionError(f"the stream ended after {[each.name for each in found]}")

    def chunks(self) -> Iterator[bytes]:
        while True:
            while b"\r\n" not in self._rest:
                self._more()
            size, _, rest = self._rest.partition(b"\r\n")
            wanted = int(size, 16)
            while len(rest) < wanted + 2:
                self._more()
                rest = self._rest.partition(b"\r\n")[2]
            self._rest = rest[wanted + 2 :]
            if not wanted:
                return
            yield rest[:wanted]

    def _block(self, block: str) -> Iterator[Seen]:
        name, data = "message", ""
        for line in block.split("\n"):
            key, _, value = line.partition(":")
            value = value.removeprefix(" ")
            self.comments += not key
            if key == "id":
                self.last_id = value
            elif key == "event":
                name = value
            elif key == "data":
                data += value
            elif key == "retry":
                self.retry = value
        if data:
            yield Seen(name, json.loads(data), self.last_id)

    def _more(self) -> None:
        found = self.connection.recv(65536)
        if not found:
            raise ConnectionError("the server ended the connection")
        self.raw += found
        self._rest += found


@contextmanager
def reading(
    api: Api, path: str, last_id: str = "", *, key: str = "", accept: str = "text/event-stream", small: bool = False
) -> Iterator[Reader]:
    """A stream, from its head on. `small`: the reader's system keeps next to nothing for it."""
    url = urlsplit(api.url)
    with socket.socket() as connection:
        if small:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(SECONDS)
        connection.connect((url.hostname, url.port))
        lines = [f"GET {path} HTTP/1.1", f"Host: {url.netloc}", f"Authorization: Bearer {key or api.key}"]
        lines += [f"Accept: {accept}", *([f"Last-Event-ID: {last_id}"] if last_id else [])]
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        reader = Reader(connection, last_id)
        reader.read_head()
        yield reader
