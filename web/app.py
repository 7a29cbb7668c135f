"""The application: routes, and what is true of every request, from the outside in."""

from fastapi import FastAPI

from web import probes
from web.access.authentication import Authentication
from web.contract import described
from web.events.hub import Hub
from web.limits.proxies import Proxies
from web.limits.rates import FailureLimits, RateLimits, Rates
from web.pages.app import PagesFirst, as_it_is, make_pages
from web.problems import handlers
from web.problems.handlers import Failures
from web.problems.problem import Translate
from web.request_ids import HeadAsGet, RequestIds
from worker.service.preflight import Preflight


def make_app(preflight: Preflight, translate: Translate = as_it_is) -> FastAPI:
    """The HTTP API and the page of a service that is open. `translate` puts what went wrong into a language."""
    app = described(
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # it would tell paths; see worker/tracing.py
    )
    app.state.preflight, app.state.rates, app.state.translate = preflight, Rates(preflight.config), translate
    app.state.hub, app.state.readiness = Hub(preflight), probes.Remembered(preflight)
    handlers.install(app)
    # The last one added is the outermost.
    app.add_middleware(RateLimits, rates=app.state.rates)
    app.add_middleware(Authentication, preflight=preflight)
    app.add_middleware(FailureLimits, rates=app.state.rates)
    app.add_middleware(PagesFirst, pages=make_pages(preflight, app.state.rates, app.state.hub, translate))
    app.add_middleware(HeadAsGet)
    app.add_middleware(Proxies, trusted=preflight.config.web_trusted_proxies)
    app.add_middleware(Failures)
    app.add_middleware(RequestIds)
    return app
