"""Finds out who a request is from before anything else of it is read.

401 and 403 speak of our own API only: what a mail server says about a mailbox is a result in a 200.
"""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from web.access.caller import Caller
from web.problems.codes import ProblemCode
from web.problems.problem import Problem, answer
from worker.service.preflight import Preflight

PUBLIC = frozenset({"/healthz", "/readyz", "/v1/openapi.json", "/v1/codes"})
"""The paths that need no key."""
PUBLIC_BELOW = "/problems/"
"""All below this needs none either."""
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="mail-preflight"'}


class Authentication:
    """Middleware: `request.state.caller` from here on, or a 401."""

    def __init__(self, app: ASGIApp, preflight: Preflight) -> None:
        self._app, self._preflight = app, preflight

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in PUBLIC or scope["path"].startswith(PUBLIC_BELOW):
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        try:
            request.state.caller = await run_in_threadpool(self._caller, request)
        except Problem as problem:
            await answer(request, problem)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _caller(self, request: Request) -> Caller:
        given = request.headers.getlist("authorization")
        if len(given) > 1:
            detail = "send one Authorization header; which of several is meant, nobody can tell"
            raise Problem(ProblemCode.INVALID_KEY, detail, headers=_CHALLENGE)
        # RFC 6750: one or more spaces. `strip` alone would take other blanks, too, which are bytes above ASCII here.
        scheme, _, rest = "".join(given).partition(" ")
        token = rest.strip(" ")
        if scheme.lower() != "bearer" or not token:
            detail = "send it as `Authorization: Bearer mp_...`; a key is never read from the address"
            raise Problem(ProblemCode.NO_KEY, detail, headers=_CHALLENGE)
        address = request.client.host if request.client else ""
        key = self._preflight.authenticate(token, address)
        if key is None:
            detail = "it is mistyped, was revoked or has expired; an administrator of the account makes another"
            raise Problem(ProblemCode.INVALID_KEY, detail, headers=_CHALLENGE)
        return Caller(key, address)
