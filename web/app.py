"""The application: routes, and what is true of every request, from the outside in."""

import asyncio
from importlib.metadata import version

from fastapi import FastAPI

from web import probes
from web.access.authentication import Authentication
from web.api import routes
from web.problems import handlers
from worker.service.preflight import Preflight


def make_app(preflight: Preflight, closing: asyncio.Event | None = None) -> FastAPI:
    """The HTTP API of a service that is open. Streams and long polls end when `closing` is set: `app.state.closing`."""
    app = FastAPI(
        title="Mail Preflight",
        version=version("mail-preflight"),
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # it would tell paths; see worker/tracing.py
    )
    app.state.preflight = preflight
    app.state.readiness = probes.Remembered(preflight)
    app.state.closing = closing or asyncio.Event()
    routes.include(app)
    handlers.install(app)
    # The last one added is the outermost.
    app.add_middleware(Authentication, preflight=preflight)
    return app
