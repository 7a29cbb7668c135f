"""How every exception that a request can end with becomes a problem."""

import logging
import math
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from checks.model import Invalid, Unavailable, Unknown
from settings_store.changes.lifecycle import Refused
from settings_store.connecting.attempts import NotNow, ServersBusy, TooOften, UnderWay
from web.problems.codes import ProblemCode
from web.problems.pointers import pointer
from web.problems.problem import FieldProblem, Problem, answer
from web.problems.refusals import of_refused
from worker.service.access.access import Exceeds

log = logging.getLogger(__name__)

_BY_STATUS = {
    400: ProblemCode.MALFORMED_BODY,
    404: ProblemCode.NOT_FOUND,
    405: ProblemCode.METHOD_NOT_ALLOWED,
    406: ProblemCode.NOT_ACCEPTABLE,
    408: ProblemCode.REQUEST_TIMEOUT,
    413: ProblemCode.BODY_TOO_LARGE,
    415: ProblemCode.UNSUPPORTED_MEDIA_TYPE,
    429: ProblemCode.TOO_MANY_REQUESTS,
    431: ProblemCode.HEADERS_TOO_LARGE,
    503: ProblemCode.UNAVAILABLE,
}
_NOT_NOW = {
    UnderWay: ProblemCode.CONFLICT,
    TooOften: ProblemCode.TOO_MANY_REQUESTS,
    ServersBusy: ProblemCode.UNAVAILABLE,
}
_MOST_ERRORS = 100
"""An answer does not grow with what was sent: so many errors are told."""
_RETRY_SECONDS = "5"
_NO_SUCH_METHOD = 405
_FRAMES = 6  # of a traceback: enough to find the place


def install(app: FastAPI) -> None:
    """Gives the app a handler for everything that may be raised."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Invalid, _invalid)
    app.add_exception_handler(Unavailable, _unavailable)


class Failures:
    """Middleware: what is raised outside of the routes is answered as what is raised inside, and so is our failure."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def noted(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except ClientDisconnect:
            return  # nobody listens any more
        except Exception as error:  # noqa: BLE001 -- the last one to know: whatever it is, it is answered
            if started:
                log.error("an answer broke off: %s", place_of(error))
                return
            request = Request(scope)
            await (await _of(request, error))(scope, receive, send)


async def _of(request: Request, error: Exception) -> Response:
    if isinstance(error, Problem):
        return answer(request, error)
    if isinstance(error, Invalid):
        return answer(request, of_invalid(error))
    if isinstance(error, Unavailable):
        return await _unavailable(request, error)
    return await _internal(request, error)


def place_of(error: BaseException) -> str:
    """What an exception is and where it was raised, without its words."""
    frames = traceback.extract_tb(error.__traceback__)
    where = " < ".join(f"{Path(each.filename).name}:{each.lineno}" for each in reversed(frames[-_FRAMES:]))
    return f"{type(error).__name__} at {where}"


def of_invalid(error: Invalid) -> Problem:
    """Input that the use cases refuse."""
    detail = str(error)
    if isinstance(error, Unknown):
        return Problem(ProblemCode.NOT_FOUND, detail)
    if isinstance(error, Refused):
        return of_refused(error)
    if isinstance(error, Exceeds):
        return Problem(ProblemCode.NOT_ALLOWED, detail)
    if isinstance(error, NotNow):
        headers = {"Retry-After": f"{math.ceil(error.seconds)}"}
        return Problem(_NOT_NOW[type(error)], detail, headers=headers)
    place = error.field if ":" in error.field else f"/{error.field}"
    errors = [FieldProblem(pointer=place, code="invalid", detail=detail)] if error.field else []
    return Problem(ProblemCode.INVALID_REQUEST, detail, errors=errors)


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101 -- what the handler is registered for
    return answer(request, error)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, Invalid)  # noqa: S101 -- what the handler is registered for
    return answer(request, of_invalid(error))


async def _unreadable(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 -- what the handler is registered for
    found = error.errors()
    if any(each["type"] == "json_invalid" for each in found):
        return answer(request, Problem(ProblemCode.MALFORMED_BODY, "the body is no JSON: " + _where(found)))
    told = found[:_MOST_ERRORS]
    errors = [
        FieldProblem(pointer=pointer(each["loc"], error.body), code=each["type"], detail=_said(each)) for each in told
    ]
    first = errors[0]
    detail = f"{first.pointer}: {first.detail}" + (f" (and {len(found) - 1} more)" if len(found) > 1 else "")
    return answer(request, Problem(ProblemCode.INVALID_REQUEST, detail, errors=errors))


def _said(error: Any) -> str:
    """What pydantic says; where a rule of ours was broken, that rule's own words."""
    return str(error["msg"]).removeprefix("Value error, ")


def _where(found: Sequence[Any]) -> str:
    each = next(each for each in found if each["type"] == "json_invalid")
    return f"{each.get('ctx', {}).get('error', 'it cannot be read')} at character {each['loc'][-1]}"


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 -- what the handler is registered for
    code = _BY_STATUS.get(error.status_code, ProblemCode.INTERNAL)
    details = {
        404: "there is no such path",
        405: f"{request.method} is not what this path takes",
    }
    detail = details.get(error.status_code, str(error.detail))
    headers = dict(error.headers or {})
    if error.status_code == _NO_SUCH_METHOD:
        headers["Allow"] = ", ".join(sorted(_methods(request)))  # the framework names those of the first route only
    return answer(request, Problem(code, detail, headers=headers))


def _methods(request: Request) -> set[str]:
    path = request.scope["path"]
    return {method for route in request.app.state.routes if route.path_regex.match(path) for method in route.methods}


async def _unavailable(request: Request, error: Exception) -> Response:
    log.warning("a request is refused: %s", error)
    detail = "the database or the broker is not available; nothing that was stored is lost"
    return answer(request, Problem(ProblemCode.UNAVAILABLE, detail, headers={"Retry-After": _RETRY_SECONDS}))


async def _internal(request: Request, error: Exception) -> Response:
    """The words of the exception stay with us: they may hold what was sent."""
    name = getattr(request.state, "request_id", "")
    log.error("a request failed: %s %s %s", name, request.method, place_of(error))
    return answer(request, Problem(ProblemCode.INTERNAL, "we failed; the request_id helps us to find out why"))
