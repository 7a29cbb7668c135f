"""A real connection whose other end has said everything already, and then left."""

import contextlib
import socket
import threading
from collections.abc import Iterator

from checks.network.dial import Deadline
from checks.network.stream import Stream
from tests.fuzz.invariants import SECONDS
from tests.servers.process import LOOPBACK

_AT_ONCE = 16_384  # bytes that fit into the buffers of any system, so that no thread is needed


@contextlib.contextmanager
def says(data: bytes) -> Iterator[Stream]:
    """A stream on which a server says `data`, whatever it is asked, and closes its side."""
    with socket.create_server((LOOPBACK, 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        server, _ = listener.accept()
    with client, server:
        speaker = threading.Thread(target=_say, args=(server, data), daemon=True)
        if len(data) <= _AT_ONCE:
            _say(server, data)
        else:
            speaker.start()
        try:
            yield Stream(client, Deadline(SECONDS))
        finally:
            client.close()
            if speaker.ident:
                speaker.join()


def _say(server: socket.socket, data: bytes) -> None:
    with contextlib.suppress(OSError):
        server.sendall(data)
        server.shutdown(socket.SHUT_WR)
