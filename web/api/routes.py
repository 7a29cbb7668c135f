"""Every resource, in one screen. What a route asks for stands at the route; `tests/web/test_routes.py` walks them."""

from fastapi import FastAPI

from web.api import accounts, api_keys, audit, changes, me, users

RESOURCES = (
    changes,
    api_keys,
    users,
    audit,
    accounts,
    me,
)


def include(app: FastAPI) -> None:
    """Gives the app every route."""
    for resource in RESOURCES:
        app.include_router(resource.routes)
