"""Whatever bytes a server sends, an exchange ends in an answer, a `Fault` or an `OSError`, within its limits."""

import gzip
import socket

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.codes import Code
from checks.model import Fault
from checks.network.dial import Deadline
from checks.network.http import BODY_LIMIT, Reply, exchange
from checks.network.stream import Stream

OK = b"HTTP/1.1 200 OK\r\n"


def answered(raw: bytes, seconds: float = 5.0, *, closed: bool = True) -> Reply:
    """The answer that these bytes are, sent by a server that closes afterwards or stays silent."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(raw)
        if closed:
            theirs.shutdown(socket.SHUT_WR)
        return exchange(Stream(ours, Deadline(seconds)), b"POST / HTTP/1.1\r\n\r\n")


@pytest.mark.parametrize(
    ("raw", "body", "stays"),
    [
        (OK + b"Content-Length: 2\r\n\r\nhi", b"hi", True),
        (OK + b"Content-Length: 0\r\n\r\n", b"", True),
        (OK + b"Content-Length: 2\r\nConnection: close\r\n\r\nhi", b"hi", False),
        (OK + b"\r\nhi", b"hi", False),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\nh\r\n1\r\ni\r\n0\r\n\r\n", b"hi", True),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"Content-Length: 2\r\n\r\nhi", b"hi", True),
        (b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK + b"Content-Length: 2\r\n\r\nhi", b"hi", True),
        (b"HTTP/1.0 200 OK\r\n\r\nhi", b"hi", False),
    ],
)
def test_the_ways_to_send_a_body(raw: bytes, body: bytes, stays: bool) -> None:
    reply = answered(raw)
    assert (reply.status, reply.body, reply.stays, reply.cut) == (200, body, stays, False)


def test_an_answer_with_a_length_is_not_waited_for_any_longer() -> None:
    assert answered(OK + b"Content-Length: 2\r\n\r\nhi", 0.5, closed=False).body == b"hi"


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", Code.CONNECT_CLOSED),
        (b"220 mail.lab.example ESMTP\r\n", Code.PROTOCOL_MISMATCH),
        (OK + b"Content-Length: 9\r\n\r\nhi", Code.CONNECT_CLOSED),
        (OK + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n", Code.CONNECT_CLOSED),
        (OK + b"X: " + b"x" * 70_000, Code.PROTOCOL_OVERSIZE),
        (OK + b"X: y\r\n" * 200 + b"\r\n", Code.PROTOCOL_OVERSIZE),
        (b"HTTP/1.1 102 Processing\r\n\r\n" * 9 + OK, Code.PROTOCOL_ERROR),
    ],
)
def test_what_is_no_answer(raw: bytes, code: Code) -> None:
    with pytest.raises(Fault) as met:
        answered(raw)
    assert met.value.code is code


def test_a_server_that_falls_silent_is_left_at_the_deadline() -> None:
    with pytest.raises(TimeoutError):
        answered(OK + b"Content-Length: 9\r\n\r\nhi", 0.2, closed=False)


def test_a_long_body_is_cut() -> None:
    packed = gzip.compress(b" " * (4 * BODY_LIMIT))
    reply = answered(OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed) + packed)
    assert (len(reply.body), reply.cut) == (BODY_LIMIT, True)


def test_headers_of_one_name_are_kept_apart() -> None:
    reply = answered(OK + b"WWW-Authenticate: NTLM\r\nwww-authenticate: Basic\r\nContent-Length: 0\r\n\r\n")
    assert reply.values("www-authenticate") == ("NTLM", "Basic")


_PIECES = st.sampled_from(
    [b"HTTP/1.1 200 OK", b"HTTP/1.1 100 Continue", b"\r\n", b"\r\n\r\n", b"Content-Length: ", b"5", b"-1", b"\xff",
     b"\0", b"Transfer-Encoding: chunked", b"Content-Encoding: deflate", b"fffffffffffffffff", b"0", b"x", b": ", b" "]
)  # fmt: skip


@settings(deadline=None)  # a busy machine is no finding
@given(st.lists(_PIECES, max_size=14).map(b"".join))
def test_no_bytes_can_make_an_exchange_fail(raw: bytes) -> None:
    try:
        reply = answered(OK + raw)
    except (Fault, OSError):
        return
    assert len(reply.body) <= BODY_LIMIT
