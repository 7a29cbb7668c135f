"""What is seen of every request from outside: counted, traced, and one line of the access log.

Neither of them has a path as it was asked for, a query string, a header or a body: those hold names, addresses, and now
and then a secret. A request is known by the template of its route.
"""

import contextlib
import json
import logging
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.access.caller import Caller
from web.documents import rfc3339
from web.probes import PATHS
from worker import tracing
from worker.metrics import counters

log = logging.getLogger(__name__)

UNKNOWN = "unknown"
"""The route of a request that has none: one word, however many paths are tried."""
ABORTED = 0
"""The status of a request that went away before it was answered."""
Line = Mapping[str, Any]


def write_line(fields: Line) -> None:
    """Writes one JSON object, in ASCII, as a line of standard error: what is in a value cannot end the line.

    Nobody reading it is no reason to fail.
    """
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(json.dumps(fields) + "\n")
        sys.stderr.flush()


class Observed:
    """The whole application, looked at."""

    def __init__(self, app: ASGIApp, write: Callable[[Line], None] | None = None) -> None:
        self._app, self._write = app, write

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        seen = _Seen()
        method = counters.method_label(scope["method"])
        try:
            with tracing.request(method, scope["headers"]) as span:
                try:
                    await self._app(scope, receive, seen.watching(send))
                finally:
                    tracing.answered(span, method, _route(scope), seen.status)
        except Exception as error:  # it was answered with 500, and its words may hold what was sent
            log.error(
                "a request failed: %s\n%s", type(error).__name__, "".join(traceback.format_tb(error.__traceback__))
            )
            if not seen.status:
                raise
        finally:
            seen.end()
            self._tell(scope, method, seen)

    def _tell(self, scope: Scope, method: str, seen: "_Seen") -> None:
        route = _route(scope)
        counters.request_answered(method, route, seen.status, seen.seconds)
        if self._write is not None and scope["path"] not in PATHS:
            self._write(_line(scope, method, route, seen))


class _Seen:
    """What came of one request so far."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._streams = False
        self.status = ABORTED

    @property
    def seconds(self) -> float:
        """Since it came."""
        return time.monotonic() - self._begun

    def watching(self, send: Send) -> Send:
        """`send`, looked at."""

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.status = message["status"]
                self._streams = _is_stream(message)
                if self._streams:
                    counters.stream_opened()
            await send(message)

        return watched

    def end(self) -> None:
        """It is over."""
        if self._streams:
            counters.stream_closed()


def _is_stream(message: Message) -> bool:
    types = [value for name, value in message.get("headers", ()) if name.lower() == b"content-type"]
    return any(value.startswith(b"text/event-stream") for value in types)


def _route(scope: Scope) -> str:
    return str(getattr(scope.get("route"), "path_format", None) or UNKNOWN)


def _line(scope: Scope, method: str, route: str, seen: _Seen) -> dict[str, Any]:
    state = scope.get("state", {})
    caller: Caller | None = state.get("caller")
    client = scope.get("client")
    return {
        "at": rfc3339(time.time()),
        "event": "request",
        "method": method,
        "route": route,
        "status": seen.status,
        "ms": round(seen.seconds * 1000, 1),
        "request_id": state.get("request_id"),
        "key_id": caller.key.id if caller else None,
        "account_id": caller.key.account_id if caller else None,
        "address": caller.address if caller else client[0] if client else None,
    }
