"""Every resource, in one screen. What a route asks for stands at the route; `tests/web/test_routes.py` walks them."""

from fastapi import FastAPI

from web.api import changes, sandbox_clock

RESOURCES = (
    changes,
    sandbox_clock,
)


def include(app: FastAPI) -> None:
    """Gives the app every route."""
    for resource in RESOURCES:
        app.include_router(resource.routes)
