"""Every resource, in one screen. What a route asks for stands at the route; `tests/web/test_routes.py` walks them."""

from fastapi import FastAPI

from web.api import change_actions, changes, report, report_mailboxes

RESOURCES = (
    changes,
    change_actions,
    report,
    report_mailboxes,
)


def include(app: FastAPI) -> None:
    """Gives the app every route."""
    for resource in RESOURCES:
        app.include_router(resource.routes)
