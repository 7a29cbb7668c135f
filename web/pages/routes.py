"""Every room of the page, in one screen."""

from fastapi import FastAPI

from web.pages.domains import list_domains
from web.pages.sign_in import preferences, set_up, sign_in

ROOMS = (sign_in, set_up, preferences, list_domains)


def include(app: FastAPI) -> None:
    """Gives the app every route."""
    for room in ROOMS:
        app.include_router(room.routes)
