"""What a reader is told where there is no page: in the frame of the page, in their language."""

from collections.abc import Mapping

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from checks.model import Invalid, Unavailable, Unknown
from settings_store.changes.lifecycle import Refused
from web.pages.frame.cookies import is_embedded
from web.pages.frame.environment import at
from web.pages.frame.page import Page
from web.pages.frame.routing import Failed, PageNeeds, SignInNeeded
from web.problems.problem import Problem

_TITLES: Mapping[int, str] = {
    401: "signed_out",
    403: "not_allowed",
    404: "not_found",
    405: "not_found",
    409: "conflict",
    413: "too_large",
    429: "too_many",
    500: "failed",
    503: "unavailable",
}
"""The key of the heading and of what to do about it, by status."""


def install(app: FastAPI) -> None:
    """Gives the app a page for everything that may be raised."""
    app.add_exception_handler(SignInNeeded, _sign_in)
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(Invalid, _invalid)
    app.add_exception_handler(RequestValidationError, _not_found)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Unavailable, _unavailable)
    app.add_exception_handler(Failed, _failed)
    app.add_exception_handler(ClientDisconnect, _failed)


def page_of(request: Request) -> Page:
    """The page of a request, which may have failed before anybody knew whose it is."""
    found: Page | None = getattr(request.state, "page", None)
    return found or Page(request, None)


def failure(request: Request, status: int, detail: str = "", headers: Mapping[str, str] | None = None) -> Response:
    """The page that says what went wrong."""
    title = _TITLES.get(status, "invalid")
    answer = page_of(request).show(
        "failure.html",
        status,
        heading=f"frame.{title}.heading",
        todo=f"frame.{title}.todo",
        detail=detail,
        request_id=getattr(request.state, "request_id", ""),
    )
    answer.headers.update(headers or {})
    return answer


async def _sign_in(request: Request, error: Exception) -> Response:
    del error
    page = page_of(request)
    if is_embedded(request):  # the host app has another link
        return failure(request, 401)
    if request.headers.get("sec-fetch-dest") == "empty":  # our own script: it loads the page anew
        return failure(request, 401)
    asked = request.url.path if request.method == "GET" else ""
    return page.go(at("sign-in", next=asked + (f"?{request.url.query}" if asked and request.url.query else "")))


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101 -- what the handler is registered for
    return failure(request, error.status, page_of(request).told(error), error.headers)


async def _invalid(request: Request, error: Exception) -> Response:
    status = 404 if isinstance(error, Unknown) else 409 if isinstance(error, Refused) else 422
    return failure(request, status, page_of(request).told(error))


async def _not_found(request: Request, error: Exception) -> Response:
    """An address that a reader has mistyped: what is wrong with it says nothing to them."""
    del error
    return failure(request, 404)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 -- what the handler is registered for
    if getattr(request.state, "page", None) is None:  # there is no route that would have asked
        await run_in_threadpool(PageNeeds(None, public=True).page, request)
    return failure(request, error.status_code)


async def _unavailable(request: Request, error: Exception) -> Response:
    del error
    return failure(request, 503, headers={"Retry-After": "5"})


async def _failed(request: Request, error: Exception) -> Response:
    del error
    return failure(request, 500)
