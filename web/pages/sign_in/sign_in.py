"""`/admin/sign-in` and `/admin/sign-out`."""

import hashlib
import time
from typing import Annotated

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from settings_store.accounts import DEFAULT
from web.limits.rates import Policy, Rates, neighbourhood
from web.pages.frame import cookies
from web.pages.frame.environment import at, home
from web.pages.frame.forms import Form, form
from web.pages.frame.page import Page
from web.pages.frame.routing import page_of_anybody, page_router, page_signed_in
from worker.service.access.sign_in import Browser

routes = page_router()

_LEAST_SECONDS = 0.4
"""How long an answer takes at least, whatever it is: nothing is told by how long it took."""


def browser_of(request: Request) -> Browser:
    """Who is signing in."""
    return Browser(request.client.host if request.client else "", request.headers.get("user-agent", ""))


def local_path(given: str) -> str:
    """Where to go on: an address of the page itself, and of nobody else."""
    return given if given.startswith(f"{home.get()}/") and "\\" not in given and "//" not in given else at("start")


@routes.get("/admin/sign-in")
def show(page: Annotated[Page, page_of_anybody()], next: str = "") -> Response:  # noqa: A002 -- its name in the address
    """The form to sign in, or on to where the reader wanted to go."""
    if page.session is not None:
        return page.go(local_path(next))
    return _form(page, next)


@routes.get("/admin/start")
def start(page: Annotated[Page, page_signed_in()]) -> Response:
    """Where somebody begins who has signed in."""
    return page.go(page.start)


@routes.post("/admin/sign-in")
async def sign_in(
    request: Request, page: Annotated[Page, page_of_anybody()], sent: Annotated[Form, form()]
) -> Response:
    """Signs in. Whatever is wrong, the answer is the same."""
    begun = time.monotonic()
    if not page.can_sign_in:
        return _form(page, sent["next"], status=403)
    account, name = sent["account"] or DEFAULT, sent["name"]
    secret = None
    if await _is_patient(request, account, name):
        use_case = page.preflight.sign_in.sign_in
        secret = await run_in_threadpool(use_case, account, name, sent.raw("password"), browser_of(request))
    await run_in_threadpool(time.sleep, max(0.0, begun + _LEAST_SECONDS - time.monotonic()))
    if secret is None:
        return await run_in_threadpool(_form, page, sent["next"], name=name, wrong=True, status=422)
    response = page.go(local_path(sent["next"]))
    cookies.keep_session(request, response, secret)
    return response


@routes.post("/admin/sign-out")
def sign_out(request: Request, page: Annotated[Page, page_signed_in()]) -> Response:
    """Ends the session."""
    if page.session is not None:
        page.preflight.sign_in.end(page.session, page.address)
    response = page.go(at("sign-in"), "sign_in.said.out")
    cookies.drop_session(request, response)
    return response


async def _is_patient(request: Request, account: str, name: str) -> bool:
    """Whether it is tried at all: an address, and a name, may be tried so often in a minute."""
    rates: Rates = request.app.state.rates
    whom = hashlib.sha256(f"{account} {name}".encode()).hexdigest()[:16]
    counts = [
        await rates.count(Policy.SIGN_IN, f"from {neighbourhood(request.scope)}"),
        await rates.count(Policy.SIGN_IN, f"as {whom} from {neighbourhood(request.scope)}"),
        await rates.count(Policy.SIGN_IN_AS, whom),
    ]
    return not any(count.exceeded for count in counts if count is not None)


def _form(page: Page, next_: str, *, name: str = "", wrong: bool = False, status: int = 200) -> Response:
    return page.show(
        "sign_in/sign_in.html",
        status,
        next=next_,
        name=name,
        wrong=wrong,
        several=len(page.preflight.accounts(limit=2)) > 1,
    )
