"""The application: routes, and what is true of every request, from the outside in."""

from fastapi import FastAPI

from web import probes
from web.access.authentication import Authentication
from web.contract import described
from web.events.hub import Hub
from web.limits.proxies import Proxies
from web.limits.rates import FailureLimits, RateLimits, Rates
from web.problems import handlers
from web.problems.handlers import Failures
from web.request_ids import HeadAsGet, RequestIds
from worker.service.preflight import Preflight


def make_app(preflight: Preflight) -> FastAPI:
    """The HTTP API of a service that is open."""
    app = described(
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # it would tell paths; see worker/tracing.py
    )
    app.state.preflight, app.state.rates = preflight, Rates(preflight.config)
    app.state.hub, app.state.readiness = Hub(preflight), probes.Remembered(preflight)
    handlers.install(app)
    # The last one added is the outermost.
    app.add_middleware(RateLimits, rates=app.state.rates)
    app.add_middleware(Authentication, preflight=preflight)
    app.add_middleware(FailureLimits, rates=app.state.rates)
    app.add_middleware(HeadAsGet)
    app.add_middleware(Proxies, trusted=preflight.config.web_trusted_proxies)
    app.add_middleware(Failures)
    app.add_middleware(RequestIds)
    return app
