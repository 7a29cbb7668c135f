"""`/embedded/open/{secret}`: what the link of an embed session leads to, once."""

from typing import Annotated

from fastapi import Request
from starlette.responses import Response

from checks.model import Unknown
from web.pages.frame import cookies
from web.pages.frame.page import Page
from web.pages.frame.routing import page_of_anybody, page_router
from web.pages.sign_in.sign_in import browser_of

routes = page_router()


@routes.get("/admin/open/{secret}")
def follow(request: Request, page: Annotated[Page, page_of_anybody()], secret: str) -> Response:
    """Begins the session, and shows its domain."""
    found = None
    if cookies.is_embedded(request) and page.can_sign_in:
        found = page.preflight.sign_in.follow(secret, browser_of(request))
    session = page.preflight.sign_in.session(found) if found else None
    if found is None or session is None:
        raise Unknown("this link was used already, or is too old; ask for another one", "link")
    page.session = session
    response = page.go(page.start)
    cookies.keep_session(request, response, found)
    return response
