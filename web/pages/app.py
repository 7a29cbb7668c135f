"""The application of the page: it answers below `/admin`, beside the API and without its keys."""

from fastapi import FastAPI
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from checks.language import Language
from web.api.access.embedding import EMBEDDED
from web.events.hub import Hub
from web.limits.rates import Rates
from web.pages import routes
from web.pages.frame import assets, failures
from web.pages.frame.environment import HOME, at, home
from web.problems.problem import Translate
from worker.service.preflight import Preflight


def as_it_is(message: str, language: Language) -> str:
    """Leaves what went wrong in English."""
    del language
    return message


class PagesFirst:
    """Middleware: what is below `/admin` and `/embedded` is the page's, and the rest the API's."""

    def __init__(self, app: ASGIApp, pages: ASGIApp) -> None:
        self._app, self._pages = app, pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["path"].startswith(f"{EMBEDDED}/"):
            await self._embedded(scope, receive, send)
        elif scope["path"] in ("/", HOME, f"{HOME}/"):
            await RedirectResponse(at("start"), 303)(scope, receive, send)
        elif scope["path"].startswith(f"{HOME}/"):
            home.set(HOME)
            await self._pages(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _embedded(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The same pages, whose addresses begin otherwise."""
        path = HOME + scope["path"].removeprefix(EMBEDDED)
        inner = {**scope, "path": path, "raw_path": path.encode()}
        inner["state"] = scope.setdefault("state", {})
        inner["state"]["embedded"] = True
        home.set(EMBEDDED)  # of this request's context
        await self._pages(inner, receive, send)
        scope["route"] = inner.get("route")


def make_pages(preflight: Preflight, rates: Rates, hub: Hub, translate: Translate = as_it_is) -> FastAPI:
    """The page. `translate` puts what went wrong into a language."""
    app = FastAPI(
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.preflight, app.state.rates, app.state.hub = preflight, rates, hub
    app.state.translate = translate
    failures.install(app)
    app.router.routes.append(assets.route)
    routes.include(app)
    return app
