"""HTTP/1.1 as uvicorn speaks it, with an end to patience: slow headers, readers that do not read, too many connections.

uvicorn itself waits for the rest of a request as long as its sender likes, and answers a broken one in plain text.
"""

import asyncio
import json
import uuid
from collections import Counter
from collections.abc import Callable
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from web.problems.codes import ProblemCode
from web.problems.problem import MEDIA_TYPE, Problem, document
from web.request_ids import HEADERS

HEADER_SECONDS = 10.0
_READ_SECONDS = 60.0  # how long a client may leave an answer unread
REST_SECONDS = 10.0  # how long a body is thrown away that nobody wants, so that its sender sees the answer
_HEADER_BYTES = 16 * 1024
_TOO_LARGE = 431


class _Connection(h11.Connection):
    """Remembers why a request could not be read."""

    hint = 400

    def next_event(self) -> Any:
        try:
            event = super().next_event()
            # h11 counts only while it waits for the rest: what came at once may have had more.
            if isinstance(event, h11.Request) and _size(event) > _HEADER_BYTES:
                raise h11.RemoteProtocolError("line and headers are too large", error_status_hint=_TOO_LARGE)
        except h11.RemoteProtocolError as error:
            self.hint = error.error_status_hint
            raise
        return event


def _size(request: h11.Request) -> int:
    """How many bytes line and headers had, but for blanks and line ends."""
    return len(request.target) + sum(len(name) + len(value) for name, value in request.headers)


class PatientProtocol(H11Protocol):
    """One connection. `most` is how many the process holds."""

    most = 800

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.conn = self._readable = _Connection(h11.SERVER, _HEADER_BYTES)
        self._headers_due: asyncio.TimerHandle | None = None
        self._rest_due: asyncio.TimerHandle | None = None
        self._reading_due: asyncio.TimerHandle | None = None
        self.since = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's own
        """Somebody has connected."""
        super().connection_made(transport)
        self.since = self.loop.time()
        self._headers_due = self.loop.call_later(HEADER_SECONDS, self._too_slow)
        if len(self.connections) > self.most:
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        _cancel(self._headers_due, self._rest_due, self._reading_due)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """A part of a request."""
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE or not self.conn.trailing_data[0]:
            _cancel(self._headers_due)
            self._headers_due = None
        elif self._headers_due is None:
            self.since = self.loop.time()
            self._headers_due = self.loop.call_later(HEADER_SECONDS, self._too_slow)
        if self.conn.their_state is not h11.SEND_BODY:
            _cancel(self._rest_due)
            self._rest_due = None

    def on_response_complete(self) -> None:
        """What is still to come of the request is wanted by nobody."""
        super().on_response_complete()
        if self.conn.their_state is h11.SEND_BODY and self._rest_due is None:
            self._rest_due = self.loop.call_later(REST_SECONDS, self.transport.close)

    def pause_writing(self) -> None:
        """The client does not read."""
        super().pause_writing()
        self._reading_due = self.loop.call_later(_READ_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """The client reads on."""
        super().resume_writing()
        _cancel(self._reading_due)
        self._reading_due = None

    def send_400_response(self, msg: str) -> None:
        """The request cannot be read."""
        del msg
        if self._readable.hint == _TOO_LARGE:
            self.refuse(ProblemCode.HEADERS_TOO_LARGE, f"line and headers may have {_HEADER_BYTES:,} bytes")
        else:
            self.refuse(ProblemCode.MALFORMED_REQUEST, "this is no HTTP/1.1 request")

    def refuse(self, code: ProblemCode, detail: str) -> None:
        """Answers with a problem and hangs up, unless an answer has begun."""
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE) and not self.transport.is_closing():
            self.transport.write(_problem(self.conn, Problem(code, detail)))
        self.transport.close()

    @property
    def sending(self) -> bool:
        """Whether the client has not sent its request yet, or not all of it."""
        return self.conn.their_state in (h11.IDLE, h11.SEND_BODY)

    def _too_slow(self) -> None:
        if self.conn.trailing_data[0]:
            self.refuse(ProblemCode.REQUEST_TIMEOUT, f"the headers did not arrive within {HEADER_SECONDS:.0f} s")
        else:
            self.transport.close()

    def _make_room(self) -> None:
        """Of the address that has most that wait, the one that has waited longest goes: it may be all of one sender."""
        waiting = [each for each in self.connections if isinstance(each, PatientProtocol) and each.sending]
        waiting = [each for each in waiting if each is not self]
        if not waiting:
            self.refuse(ProblemCode.UNAVAILABLE, "there are too many connections; try again in a moment")
            return
        held = Counter(each.client[0] if each.client else "" for each in waiting)
        victim = max(waiting, key=lambda each: (held[each.client[0] if each.client else ""], -each.since))
        self.connections.discard(victim)
        victim.transport.abort()


def protocol(most: int) -> type[PatientProtocol]:
    """The protocol of a server that holds so many connections."""
    return type("PatientProtocol", (PatientProtocol,), {"most": most})


def _cancel(*timers: asyncio.TimerHandle | None) -> None:
    for timer in timers:
        if timer is not None:
            timer.cancel()


def _problem(connection: h11.Connection, problem: Problem) -> bytes:
    request_id = f"req_{uuid.uuid4().hex}"
    body = json.dumps(document(problem, "", request_id)).encode()
    fixed = {**HEADERS, "Content-Type": MEDIA_TYPE, "Content-Length": str(len(body)), "X-Request-Id": request_id}
    headers = [(name.encode(), value.encode()) for name, value in {**fixed, "Connection": "close"}.items()]
    send: Callable[[Any], bytes | None] = connection.send
    events = h11.Response(status_code=problem.status, headers=headers), h11.Data(data=body), h11.EndOfMessage()
    return b"".join(send(event) or b"" for event in events)
