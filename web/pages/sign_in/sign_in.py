"""`/admin/sign-in` and `/admin/sign-out`."""

import asyncio
import hashlib
import time
from typing import Annotated

from anyio import CapacityLimiter, to_thread
from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from settings_store.access.passwords import AT_ONCE
from settings_store.domains import DEFAULT_ACCOUNT
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
    account, name = sent["account"] or DEFAULT_ACCOUNT, sent["name"]
    secret = None
    if await _is_patient(request, account, name):
        use_case = page.preflight.sign_in.sign_in
        tried = (account, name, sent.raw("password"), browser_of(request))
        secret = await to_thread.run_sync(use_case, *tried, limiter=_turns(request))
    await asyncio.sleep(max(0.0, begun + _LEAST_SECONDS - time.monotonic()))
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
    """Whether it is tried at all: an address, and a name, may be tried so often in a minute.

    What an address may not try any more does not count for the name: it would keep that user out everywhere.
    """
    rates: Rates = request.app.state.rates
    user = "\0".join((account, " ".join(name.split())))  # as names are stored
    whom = hashlib.sha256(user.encode()).hexdigest()[:16]
    for policy, who in ((Policy.SIGN_IN, f"from {neighbourhood(request.scope)}"), (Policy.SIGN_IN_AS, whom)):
        count = await rates.count(policy, who)
        if count is not None and count.exceeded:
            return False
    return True


def _turns(request: Request) -> CapacityLimiter:
    """For hashing passwords: who waits for it holds no thread that others are answered by."""
    state = request.app.state
    if not hasattr(state, "sign_in_turns"):
        state.sign_in_turns = CapacityLimiter(AT_ONCE)
    turns: CapacityLimiter = state.sign_in_turns
    return turns


def _form(page: Page, next_: str, *, name: str = "", wrong: bool = False, status: int = 200) -> Response:
    return page.show(
        "sign_in/sign_in.html",
        status,
        next=next_,
        name=name,
        wrong=wrong,
        several=len(page.preflight.accounts(limit=2)) > 1,
    )
