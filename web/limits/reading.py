"""How a request is read: its address, its media type, and its body, which is neither too large nor too slow."""

import asyncio
import email.message
import time
from typing import Any
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.types import Message, Receive

from web.limits.json_body import UNUSABLE_TEXT, parse, unusable
from web.problems.codes import ProblemCode
from web.problems.problem import FieldProblem, Problem

MOST_BYTES = 1_000_000
FIRST_SECONDS = 20.0
_SLOWEST = 1_000  # bytes a second, on the average and beyond the first seconds
_IN_THREAD = 50_000  # bytes of JSON that would hold up the other requests
_WITHOUT_BODY = frozenset({"GET", "DELETE"})
_REPLACED = "\ufffd"  # what the server makes of bytes of a path that are no UTF-8


class ReadRequest(Request):
    """A request whose body has been read as JSON."""

    value: Any

    async def json(self) -> Any:
        """The body."""
        return self.value


async def readable(request: Request, *, wants_json: bool, most: int) -> Request:
    """The request, with its body read where it is to be JSON, else with one that ends when it is too much.

    Raises `Problem`.
    """
    _require_usable_address(request)
    body = _Body(request.receive, most)
    body.require_room(request.headers.get("content-length", "0"))
    if request.method in _WITHOUT_BODY:
        return request  # streams ask it for as long as they live whether anybody listens
    if not wants_json:
        return Request(request.scope, body.receive)
    read = ReadRequest(request.scope, body.receive)
    if not (text := await read.body()):
        return read
    _require_json(request)
    read.value = parse(text) if len(text) < _IN_THREAD else await run_in_threadpool(parse, text)
    return read


class _Body:
    def __init__(self, receive: Receive, most: int) -> None:
        self._receive, self._most = receive, most
        self._begun, self._got, self._whole = time.monotonic(), 0, False

    def require_room(self, length: str) -> None:
        """Raises `Problem` for what is too large by its own word. The server has made sure that it is a number."""
        if int(length) > self._most:
            raise self._too_large()

    async def receive(self) -> Message:
        """What comes next. Raises `Problem` where that is too much, or too late."""
        if self._whole:
            return await self._receive()
        until = self._begun + FIRST_SECONDS + self._got / _SLOWEST
        try:
            async with asyncio.timeout(max(0.0, until - time.monotonic())):
                message = await self._receive()
        except TimeoutError:
            detail = "the body came too slowly; nothing was done"
            raise Problem(ProblemCode.REQUEST_TIMEOUT, detail, headers={"Connection": "close"}) from None
        self._whole = not message.get("more_body", False)
        self._got += len(message.get("body", b""))
        if self._got > self._most:
            raise self._too_large()
        return message

    def _too_large(self) -> Problem:
        return Problem(
            ProblemCode.BODY_TOO_LARGE,
            f"this path takes up to {self._most:,} bytes",
            extensions={"limit": self._most},
        )


def _require_json(request: Request) -> None:
    given = request.headers.get("content-type", "")
    message = email.message.Message()
    message["content-type"] = given
    kind = message.get_content_subtype() if message.get_content_maintype() == "application" else ""
    charset = str(message.get_param("charset", "utf-8")).lower()
    plain = request.headers.get("content-encoding", "identity").lower() == "identity"
    if not (given and (kind == "json" or kind.endswith("+json")) and charset in {"utf-8", "utf8"} and plain):
        detail = "send the body as JSON in UTF-8, not compressed, with Content-Type: application/json"
        raise Problem(ProblemCode.UNSUPPORTED_MEDIA_TYPE, detail, headers={"Accept": "application/json"})


def _require_usable_address(request: Request) -> None:
    if any(unusable(str(value)) or _REPLACED in str(value) for value in request.path_params.values()):
        raise Problem(ProblemCode.NOT_FOUND, "there is no such path")
    query = request.scope["query_string"].decode("latin-1")
    for name, value in parse_qsl(query, keep_blank_values=True, errors="surrogateescape"):
        if unusable(name) or unusable(value):
            pointer = "query:" + ("" if unusable(name) else name[:100])
            error = FieldProblem(pointer=pointer, code="unusable", detail=UNUSABLE_TEXT)
            raise Problem(ProblemCode.INVALID_REQUEST, f"{pointer}: {UNUSABLE_TEXT}", errors=[error])
