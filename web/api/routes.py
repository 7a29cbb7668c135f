"""Every resource, in one screen. What a route asks for stands at the route; `tests/web/test_routes.py` walks them."""

from fastapi import FastAPI

from web import probes
from web.api import checks, codes, connection_ips, discoveries, domains, events, problems, sandbox_clock
from web.api.access import accounts, api_keys, audit, embedding, me, users
from web.api.changes import change_actions, changes, letters, report, report_mailboxes
from web.api.connecting import connections, pending_entries, prefill
from web.api.health import alert_channels, health, incidents, maintenance
from web.api.mailboxes import mailbox_upsert, mailboxes
from web.api.webhooks import webhook_endpoints

RESOURCES = (
    accounts,
    alert_channels,
    api_keys,
    audit,
    change_actions,
    changes,
    checks,
    codes,
    connections,
    connection_ips,
    discoveries,
    domains,
    embedding,
    events,
    health,
    incidents,
    letters,
    mailbox_upsert,
    mailboxes,
    maintenance,
    me,
    pending_entries,
    prefill,
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
