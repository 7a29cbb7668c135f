"""Every room of the page, in one screen."""

from fastapi import FastAPI

from web.pages.changes import live_change
from web.pages.domains import domain_page, list_domains, settings_form
from web.pages.history import history
from web.pages.report import actions, apply, letters, report, watch
from web.pages.sign_in import preferences, set_up, sign_in

ROOMS = (
    sign_in,
    set_up,
    preferences,
    list_domains,
    domain_page,
    settings_form,
    live_change,
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
