"""`/admin/domains`: every domain with how it is, found by a part of its name."""

from datetime import datetime
from typing import Annotated

from starlette.responses import Response

from settings_store.access.roles import Right
from web.pages.domains.pending import MOST, waiting
from web.pages.frame.page import Page
from web.pages.frame.routing import page_for, page_router
from worker.health.view import Row

routes = page_router()

PAGE = 50
_LONGEST = 300
_SOON_SECONDS = 21 * 86400.0
"""A certificate that ends within is worth a look."""


@routes.get("/admin/domains")
def show(page: Annotated[Page, page_for(Right.READ)], text: str = "", after: str = "", failing: str = "") -> Response:
    """A page of the list, by name. `failing`: those with an open incident alone."""
    text, only_failing = text.strip()[:_LONGEST], bool(failing)
    found = page.account.health.page(text, after[:_LONGEST], PAGE + 1, only_failing=only_failing)
    # The numbers are those of all domains: they say nothing of a search, and to count takes longer than to find one.
    counts = page.account.health.counts() if not text else None
    return page.show(
        "domains/list.html",
        rows=[(row, _end(row)) for row in found[:PAGE]],
        soon=page.clock.now + _SOON_SECONDS,
        counts=counts,
        waiting=waiting(page) if not after else [],
        most_waiting=MOST,
        text=text,
        failing="yes" if only_failing else "",
        after=after,
        goes_on=found[PAGE - 1].standing.domain if len(found) > PAGE else "",
    )


def _end(row: Row) -> float | None:
    """When the first of its certificates ends."""
    try:
        return datetime.fromisoformat(row.certificate_ends).timestamp()
    except ValueError:
        return None
