"""`/admin/set-up/{secret}`: a link that can be used once, with which a user sets a password."""

from typing import Annotated

from fastapi import Request
from starlette.responses import Response

from checks.model import Invalid, Unknown
from settings_store.access.passwords import SHORTEST
from web.pages.frame import cookies
from web.pages.frame.environment import at
from web.pages.frame.forms import Form, form
from web.pages.frame.page import Page
from web.pages.frame.routing import page_of_anybody, page_router
from web.pages.sign_in.sign_in import browser_of
from worker.service.access.sign_in import Link

routes = page_router()


@routes.get("/admin/set-up/{secret}")
def show(page: Annotated[Page, page_of_anybody()], secret: str) -> Response:
    """The form to set a password."""
    return _form(page, _link(page, secret))


@routes.post("/admin/set-up/{secret}")
def set_up(
    request: Request, page: Annotated[Page, page_of_anybody()], secret: str, sent: Annotated[Form, form()]
) -> Response:
    """Sets the password, and signs in."""
    link, name, password = _link(page, secret), sent["name"], sent.raw("password")
    try:
        if not page.can_sign_in:
            raise Invalid("", "")
        if password != sent.raw("again"):
            raise Invalid(page.t("sign_in.not_the_same"), "again")
        found = page.preflight.sign_in.set_up(secret, name, password, browser_of(request))
    except Unknown:
        raise
    except Invalid as error:
        return _form(page, link, name=name, errors={error.field: page.told(error)}, status=422)
    response = page.go(at("start"), "sign_in.said.set_up")
    cookies.keep_session(request, response, found)
    return response


def _link(page: Page, secret: str) -> Link:
    found = page.preflight.sign_in.link(secret)
    if found is None:
        raise Unknown("this link was used already, or is too old; ask for another one", "link")
    return found


def _form(
    page: Page, link: Link, *, name: str = "", errors: dict[str, str] | None = None, status: int = 200
) -> Response:
    values = {"user": link.user, "name": name, "errors": errors or {}, "shortest": SHORTEST}
    response = page.show("sign_in/set_up.html", status, **values)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
