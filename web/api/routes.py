"""Every resource, in one screen. What a route asks for stands at the route; `tests/web/test_routes.py` walks them."""

from fastapi import FastAPI

from web import probes
from web.api import (
    accounts,
    alert_channels,
    api_keys,
    audit,
    change_actions,
    changes,
    checks,
    codes,
    connection_ips,
    domains,
    events,
    health,
    incidents,
    mailbox_upsert,
    mailboxes,
    maintenance,
    me,
    problems,
    report,
    report_mailboxes,
    sandbox_clock,
    users,
    webhook_endpoints,
)

RESOURCES = (
    accounts,
    alert_channels,
    api_keys,
    audit,
    change_actions,
    changes,
    checks,
    codes,
    connection_ips,
    domains,
    events,
    health,
    incidents,
    mailbox_upsert,
    mailboxes,
    maintenance,
    me,
    probes,
    problems,
    report,
    report_mailboxes,
    sandbox_clock,
    users,
    webhook_endpoints,
)


def include(app: FastAPI) -> None:
    """Gives the app every route."""
    for resource in RESOURCES:
        app.include_router(resource.routes)
    app.state.routes = tuple(route for resource in RESOURCES for route in resource.routes.routes)
