"""`/admin/domains`: every domain with how it is, found by a part of its name."""

from typing import Annotated

from starlette.responses import Response

from settings_store.access.roles import Right
from web.pages.frame.page import Page
from web.pages.frame.routing import page_for, page_router

routes = page_router()

PAGE = 50
_LONGEST = 300


@routes.get("/admin/domains")
def show(page: Annotated[Page, page_for(Right.READ)], text: str = "", after: str = "") -> Response:
    """A page of the list, by name."""
    text = text.strip()[:_LONGEST]
    found = page.account.health.page(text, after[:_LONGEST], PAGE + 1)
    return page.show(
        "domains/list.html",
        rows=found[:PAGE],
        total=page.account.health.count(),
        text=text,
        after=after,
        goes_on=found[PAGE - 1].standing.domain if len(found) > PAGE else "",
    )
