"""Every room of the page, in one screen."""

from fastapi import FastAPI

from web.pages.access import api_keys, audit, embedding, me, users
from web.pages.alerts import alerts, maintenance
from web.pages.changes import live_change
from web.pages.connecting import connect
from web.pages.connection_ips import connection_ips
from web.pages.domains import approval, domain_page, finding, list_domains, pending, settings_form
from web.pages.history import history
from web.pages.mailboxes import mailboxes
from web.pages.report import actions, apply, letters, report, watch
from web.pages.sign_in import embed, preferences, set_up, sign_in
from web.pages.webhooks import webhooks

ROOMS = (
    sign_in,
    set_up,
    preferences,
    embed,
    list_domains,
    domain_page,
    settings_form,
    finding,
    pending,
    approval,
    connect,
    connection_ips,
    mailboxes,
    live_change,
    alerts,
    maintenance,
    webhooks,
    api_keys,
    embedding,
    users,
    audit,
    me,
    report,
    actions,
    apply,
    watch,
    letters,
    history,
)


def include(app: FastAPI) -> None:
    """Gives the app every route."""
    for room in ROOMS:
        app.include_router(room.routes)
