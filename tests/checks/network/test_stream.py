"""A stream reads the same lines however the network cuts them, and never takes in more than it allows."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.codes import Code
from checks.model import Fault
from checks.network.dial import Deadline
from checks.network.stream import LINE_LIMIT, TOTAL_LIMIT, Stream


@pytest.fixture
def pair() -> Iterator[tuple[Stream, socket.socket]]:
    """A stream and the server's end of it, over TCP."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        server, _ = listener.accept()
    with client, server:
        yield Stream(client, Deadline(2)), server


class Chunks:
    """A socket that hands out what it is told, piece by piece; TCP itself may put pieces together."""

    def __init__(self, chunks: list[bytes]) -> None:
        self._chunks = [chunk for chunk in chunks if chunk]

    def recv(self, _: int) -> bytes:
        return self._chunks.pop(0) if self._chunks else b""

    def settimeout(self, _: float) -> None:
        """Never waits."""

    def setsockopt(self, *_: int) -> None:
        """Has none."""


@given(st.lists(st.binary(max_size=20), max_size=30))
def test_lines_do_not_depend_on_the_chunks(chunks: list[bytes]) -> None:
    stream = Stream(Chunks(chunks), Deadline(5))  # type: ignore[arg-type] # as much of a socket as is needed
    lines = list(iter(stream.readline, b""))
    assert b"".join(lines) == b"".join(chunks)
    assert all(line.endswith(b"\n") and line.count(b"\n") == 1 for line in lines[:-1])
    assert stream.ended


@given(st.lists(st.binary(max_size=20), max_size=30), st.integers(0, 300))
def test_a_counted_read_does_not_depend_on_the_chunks(chunks: list[bytes], size: int) -> None:
    stream = Stream(Chunks(chunks), Deadline(5))  # type: ignore[arg-type] # as much of a socket as is needed
    whole = b"".join(chunks)
    assert stream.read(size) == whole[:size]
    assert b"".join(iter(stream.readline, b"")) == whole[size:]


def test_a_line_cut_by_the_end_comes_as_it_is(pair: tuple[Stream, socket.socket]) -> None:
    stream, server = pair
    server.sendall(b"whole\r\nhal")
    server.close()
    assert [stream.readline(), stream.readline(), stream.readline()] == [b"whole\r\n", b"hal", b""]
    assert stream.last_line == b"hal"


def test_silence_ends_with_the_deadline(pair: tuple[Stream, socket.socket]) -> None:
    stream, _ = pair
    stream.deadline = Deadline(0.2)
    begun = time.monotonic()
    with pytest.raises(TimeoutError):
        stream.readline()
    assert 0.15 < time.monotonic() - begun < 5


def test_a_byte_now_and_then_does_not_move_the_deadline(pair: tuple[Stream, socket.socket]) -> None:
    stream, server = pair
    stream.deadline = Deadline(0.4)
    stop = threading.Event()

    def drip() -> None:
        while not stop.wait(0.05):
            server.sendall(b"x")

    thread = threading.Thread(target=drip)
    thread.start()
    begun = time.monotonic()
    with pytest.raises(TimeoutError):
        stream.readline()
    stop.set()
    thread.join()
    assert time.monotonic() - begun < 5
    assert stream.received > 2


@pytest.mark.parametrize("block", [b"x" * 16_384, b"line\n" * 3_000])
def test_a_flood_ends_at_the_limit(block: bytes) -> None:
    class Flood(Chunks):
        def recv(self, _: int) -> bytes:
            return block

    stream = Stream(Flood([]), Deadline(5))  # type: ignore[arg-type] # as much of a socket as is needed
    with pytest.raises(Fault) as fault:
        while stream.readline():
            pass
    assert fault.value.code is Code.PROTOCOL_OVERSIZE
    assert stream.received <= TOTAL_LIMIT + len(block)
    assert len(stream.buffered) <= LINE_LIMIT + 2 * len(block)


def test_a_literal_beyond_the_limit_is_not_read() -> None:
    stream = Stream(Chunks([b"x"]), Deadline(5))  # type: ignore[arg-type] # as much of a socket as is needed
    with pytest.raises(Fault) as fault:
        stream.read(10**12)
    assert fault.value.code is Code.PROTOCOL_OVERSIZE
    assert stream.received == 0
