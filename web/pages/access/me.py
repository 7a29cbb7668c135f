"""`/admin/me`: the reader's password and sessions; those of everybody, for who administers the account."""

from typing import Annotated

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from checks.model import Invalid, Unknown
from settings_store.access.passwords import SHORTEST
from settings_store.access.roles import Right
from settings_store.access.sessions import Session
from web.limits.rates import Policy, Rates, too_many
from web.pages.frame import cookies
from web.pages.frame.environment import at
from web.pages.frame.forms import Form, form
from web.pages.frame.page import Page
from web.pages.frame.routing import page_router, page_signed_in
from web.pages.frame.validation import at_fields
from worker.service.access.sign_in import Browser

routes = page_router()

_BROWSERS = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iOS"),
    ("iPad", "iPadOS"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)
"""What is in a browser's words for itself, the first that fits: each says that it is some others, too."""
_SHOWN = 60


@routes.get("/admin/me")
def show(page: Annotated[Page, page_signed_in()]) -> Response:
    """The page."""
    return _shown(page)


@routes.post("/admin/me/password")
async def change_password(
    request: Request, page: Annotated[Page, page_signed_in()], sent: Annotated[Form, form()]
) -> Response:
    """Changes the password, where the old one is right. All other sessions end."""
    user_id = _own(page).user_id or ""
    rates: Rates = request.app.state.rates
    count = await rates.count(Policy.SIGN_IN, f"password of {user_id}")
    if count is not None and count.exceeded:
        raise too_many(count)
    return await run_in_threadpool(_changed, request, page, sent, user_id)


def _changed(request: Request, page: Page, sent: Form, user_id: str) -> Response:
    errors: dict[str, str] = {}
    with at_fields(page, errors):
        if sent.raw("password") != sent.raw("again"):
            raise Invalid(page.t("sign_in.not_the_same"), "again")
        browser = Browser(page.address, request.headers.get("user-agent", ""))
        secret = page.signed_in.change_password(user_id, sent.raw("old_password"), sent.raw("password"), browser)
        response = page.go(at("me"), "access.said.password")
        cookies.keep_session(request, response, secret)
        return response
    return _shown(page, errors, 422)


@routes.post("/admin/sessions/{session_id}/end")
def end(page: Annotated[Page, page_signed_in()], session_id: str) -> Response:
    """Ends a session: one's own, or anybody's for who administers the account."""
    page.signed_in.end(session_id, _whose(page))
    return page.go(at("me"), "access.said.session_ended")


def _shown(page: Page, errors: dict[str, str] | None = None, status: int = 200) -> Response:
    sessions = [(session, _browser(session.agent)) for session in _sessions(page)]
    return page.show("access/me.html", status, sessions=sessions, errors=errors or {}, shortest=SHORTEST)


def _sessions(page: Page) -> list[Session]:
    return page.signed_in.sessions(_whose(page))


def _whose(page: Page) -> str | None:
    """The user whose sessions the reader may see; None for those of everybody."""
    own = _own(page)
    return None if page.may(Right.ADMIN) else own.user_id or ""


def _browser(agent: str) -> str:
    """What people call it, as far as it says so; else its own words."""
    names = [next((name for sign, name in signs if sign in agent), "") for signs in (_BROWSERS, _SYSTEMS)]
    return ", ".join(filter(None, names)) or agent[:_SHOWN]


def _own(page: Page) -> Session:
    if page.session is None or page.session.embedded:
        raise Unknown("there is no such page", "path")
    return page.session
