"""The getter grants, for pages: a handler is given a page of who has the right that it names, and nobody else's."""

import logging
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from fastapi import APIRouter, Depends
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from checks.model import Invalid, Unavailable, Unknown
from settings_store.access.roles import Right
from settings_store.access.sessions import Session
from web.api.changes.change_document import change_of
from web.limits.rates import Policy, Rates, is_expensive, too_many
from web.limits.reading import readable
from web.pages.frame.cookies import is_embedded, session_secret
from web.pages.frame.page import Page
from web.pages.frame.same_origin import is_ours
from web.problems.codes import ProblemCode
from web.problems.handlers import place_of
from web.problems.problem import Problem

log = logging.getLogger(__name__)

MOST_BYTES = 5_000_000
"""Of a form: it may have a file of mailboxes."""
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_KNOWN = (Problem, Invalid, Unavailable, RequestValidationError, HTTPException, ClientDisconnect)


class SignInNeeded(Exception):
    """Nobody has signed in, or not any more."""


class Failed(Exception):
    """We failed. What it was is in the log."""


class PageNeeds:
    """A dependency that asks for a right. The table of routes reads it from here."""

    def __init__(self, right: Right | None, *, public: bool = False) -> None:
        """`right` None: whoever has signed in; `public`: anybody."""
        self.right, self.public = right, public

    def __call__(self, request: Request) -> Page:
        page: Page = request.state.page
        return page

    def page(self, request: Request) -> Page:
        """The page for this request. Raises `SignInNeeded`, and `Problem` for who may not."""
        secret = session_secret(request)
        session = request.app.state.preflight.sign_in.session(secret) if secret else None
        page = request.state.page = Page(request, session)
        if self.public:
            return page
        if session is None or session.embedded is not is_embedded(request):
            raise SignInNeeded
        if self.right is not None and self.right not in session.rights:
            raise Problem(ProblemCode.NOT_ALLOWED, page.t("frame.not_allowed.detail"))
        if session.embedded:
            _require_within(page, session, request)
        return page


def _require_within(page: Page, session: Session, request: Request) -> None:
    """An embedded page has one domain and its changes. Raises `Unknown` for everything else."""
    named = request.path_params
    if "change_id" in named:
        domain = page.account.changes.domain_of(change_of(named["change_id"]))
    else:
        domain = named.get("domain", "").lower()
    if domain != session.domain:
        raise Unknown("there is no such page", "path")


def page_for(right: Right) -> Any:
    """The page of who has a right: `page: Annotated[Page, page_for(Right.READ)]`."""
    return Depends(PageNeeds(right))


def page_of_anybody() -> Any:
    """The page of whoever looks, signed in or not."""
    return Depends(PageNeeds(None, public=True))


def page_signed_in() -> Any:
    """The page of whoever has signed in, whatever they may do."""
    return Depends(PageNeeds(None))


class PageRoute(APIRoute):
    """A route of the page."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint, **{**options, "response_model": None, "include_in_schema": False})
        found = next(_needed(self.dependant), None)
        if found is None:
            raise TypeError(f"{path} does not say whose page it is")
        self.needs: PageNeeds = found

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, behind the questions where the request comes from, and whether its sender may have it."""
        handler = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            try:
                return await self._answered(request, handler)
            except (SignInNeeded, *_KNOWN):
                raise
            except Exception as error:
                # Its words stay with us: they may hold what was sent.
                log.error("a page failed: %s %s", getattr(request.state, "request_id", ""), place_of(error))
                raise Failed from error

        return guarded

    async def _answered(
        self, request: Request, handler: Callable[[Request], Coroutine[Any, Any, Response]]
    ) -> Response:
        page = await run_in_threadpool(self.needs.page, request)
        if not is_ours(request):
            raise Problem(ProblemCode.NOT_ALLOWED, page.t("frame.other_site"))
        if page.session is not None:
            await self._count(request, page.session.id)
        return await handler(await readable(request, wants_json=False, most=MOST_BYTES))

    async def _count(self, request: Request, who: str) -> None:
        rates: Rates = request.app.state.rates
        policies = [Policy.READ if request.method in _READING else Policy.WRITE]
        policies += [Policy.EXPENSIVE] if is_expensive(self.endpoint) else []
        for policy in policies:
            count = await rates.count(policy, f"session {who}")
            if count is not None and count.exceeded:
                raise too_many(count)


def page_router() -> APIRouter:
    """The router of a room, all of whose routes are guarded."""
    return APIRouter(route_class=PageRoute)


def _needed(dependant: Dependant) -> Iterator[PageNeeds]:
    if isinstance(dependant.call, PageNeeds):
        yield dependant.call
    for inner in dependant.dependencies:
        yield from _needed(inner)
