"""A handler that is called for a request with an Idempotency-Key: once, in one transaction with its answer.

FastAPI calls a handler in a thread that has a copy of the request's context: so the handler's wrapper finds the key
there, opens the transaction, and the use cases join it, all in that one thread. What must not hold a transaction, as it
waits for others, is marked `asks_others`; its answer is kept afterwards.
"""

import functools
import inspect
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeVar

from fastapi.routing import APIRoute
from pydantic import TypeAdapter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse

from settings_store.access.answers import Answer, AnswerLost, Asked
from web.problems.codes import ProblemCode
from web.problems.problem import FieldProblem, Problem
from web.repetition.header import HEADER, REPLAYED, asked_of
from worker.service.repetition import Outcome, Repetition, Told

_MARK = "asks_others"
_FAILED = 400
Handler = TypeVar("Handler", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class _Attempt:
    repetition: Repetition
    asked: Asked


class _NotKept(Exception):
    """Ends the transaction of an answer that tells of a failure."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


_attempt: ContextVar[_Attempt | None] = ContextVar("attempt", default=None)


def asks_others(handler: Handler) -> Handler:
    """Marks a handler that asks other servers while it works, and changes nothing that a repetition would double."""
    setattr(handler, _MARK, True)
    return handler


def keeps_afterwards(handler: Callable[..., Any]) -> bool:
    """Whether the answer is kept after the handler, and not in one transaction with what it does."""
    return inspect.iscoroutinefunction(handler) or getattr(handler, _MARK, False)


async def answered(
    request: Request, caller: str, handler: Callable[[Request], Awaitable[Response]], *, afterwards: bool
) -> Response:
    """The answer of a handler, or that of the first time. Raises `Problem` where the key does not fit."""
    asked = await asked_of(request, caller)
    if asked is None:
        return await handler(request)
    repetition: Repetition = request.app.state.preflight.repetition
    if afterwards:
        return await _reserved(repetition, asked, request, handler)
    token = _attempt.set(_Attempt(repetition, asked))
    try:
        return await handler(request)
    finally:
        _attempt.reset(token)


def once(route: APIRoute, handler: Callable[..., Any]) -> Callable[..., Any]:
    """A route's handler, done in one transaction with the keeping of its answer where the request has a key."""

    @functools.wraps(handler)
    def call(**values: Any) -> Any:
        attempt = _attempt.get()
        if attempt is None:
            return handler(**values)

        def act() -> Answer:
            given = values.get(route.dependant.response_param_name or "")
            return _answer(_response(route, handler(**values), given))

        try:
            return _told(_opened(attempt.repetition.once, attempt.asked, act))
        except _NotKept as failed:
            return failed.response

    return call


async def _reserved(
    repetition: Repetition, asked: Asked, request: Request, handler: Callable[[Request], Awaitable[Response]]
) -> Response:
    if (told := await run_in_threadpool(_opened, repetition.reserve, asked)) is not None:
        return _told(told)
    try:
        response = await handler(request)
        answer = _answer(response)
    except _NotKept as failed:
        await run_in_threadpool(repetition.release, asked)
        return failed.response
    except BaseException:
        await run_in_threadpool(repetition.release, asked)
        raise
    await run_in_threadpool(repetition.keep, asked, answer)
    return response


def _opened(step: Callable[..., Any], *values: object) -> Any:
    try:
        return step(*values)
    except AnswerLost:
        detail = (
            "the first request was answered, and its answer cannot be decrypted any more; look whether it took effect"
        )
        raise Problem(ProblemCode.CONFLICT, detail) from None


def _response(route: APIRoute, returned: Any, given: Response | None) -> Response:
    """What FastAPI would make of what a handler returns."""
    if isinstance(returned, Response):
        return returned
    model = route.response_model
    content = None if model is None else _adapter(model).dump_json(returned, by_alias=True)
    status = (given.status_code if given else None) or route.status_code or 200
    response = Response(content, status, media_type="application/json" if content is not None else None)
    if given is not None:
        response.headers.raw.extend(given.headers.raw)
    return response


@functools.cache
def _adapter(model: Any) -> TypeAdapter[Any]:
    return TypeAdapter(model)


def _answer(response: Response) -> Answer:
    """What is kept of a response. Raises `_NotKept` for a failure, and `Problem` for one that cannot be."""
    if isinstance(response, StreamingResponse | FileResponse):
        detail = "this answer is too long to be kept; send the request without a key"
        error = FieldProblem(pointer=f"header:{HEADER}", code="invalid", detail=detail)
        raise Problem(ProblemCode.INVALID_REQUEST, f"{HEADER}: {detail}", errors=[error])
    if response.status_code >= _FAILED:
        raise _NotKept(response)
    headers = {name: value for name, value in response.headers.items() if name != "content-length"}
    return Answer(response.status_code, headers, bytes(response.body))


def _told(told: Told) -> Response:
    outcome, answer = told
    if outcome is Outcome.REUSED:
        detail = f"this {HEADER} came with another request before; give every request its own"
        raise Problem(ProblemCode.KEY_REUSED, detail)
    if outcome is Outcome.UNDER_WAY or answer is None:
        detail = "the first request with this key is not answered yet; send it again in a moment"
        raise Problem(ProblemCode.UNDER_WAY, detail, headers={"Retry-After": "1"})
    response = Response(answer.body, answer.status, answer.headers)
    if outcome is Outcome.REPLAYED:
        response.headers[REPLAYED] = "true"
    return response
