"""Every resource, in one screen. What a route asks for stands at the route; `tests/web/test_routes.py` walks them."""

from fastapi import FastAPI

from web.api import (
    accounts,
    api_keys,
    audit,
    changes,
    checks,
    codes,
    connection_ips,
    domains,
    events,
    mailbox_upsert,
    mailboxes,
    me,
    problems,
    users,
    webhook_endpoints,
)

RESOURCES = (
    accounts,
    api_keys,
    audit,
    changes,
    checks,
    codes,
    connection_ips,
    domains,
    events,
    mailbox_upsert,
    mailboxes,
    me,
    problems,
    users,
    webhook_endpoints,
)


def include(app: FastAPI) -> None:
    """Gives the app every route."""
    for resource in RESOURCES:
        app.include_router(resource.routes)
