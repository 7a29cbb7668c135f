"""`/v1/events`: what happened in the account."""

from typing import Annotated

from fastapi import Query

from checks.model import Invalid
from settings_store.access.roles import Right
from web.access.granted import needs
from web.access.routing import router
from web.documents import Limit
from web.events.documents import After, EventsPage, number, page_document, resync
from worker.events.public import ALL_TYPES
from worker.events.reading import Resync
from worker.service.account import Account

routes = router("events")

Types = Annotated[
    str | None,
    Query(max_length=2000, description="Types of events, separated by commas.", examples=["change.verified"]),
]


@routes.get("/v1/events", operation_id="events.list")
def list_events(
    account: Annotated[Account, needs(Right.READ)],
    after: After = None,
    cursor: After = None,
    types: Types = None,
    domain: Annotated[str | None, Query(max_length=300, examples=["example.com"])] = None,
    limit: Limit = 100,
) -> EventsPage:
    """What happened in the account, the oldest first, as far back as 30 days. `cursor` is another name of `after`."""
    if after is not None and cursor is not None:
        raise Invalid("give after or cursor, not both", "query:cursor")
    begin = number(after) if cursor is None else number(cursor, "query:cursor")
    try:
        return page_document(account.events.page(begin, named(types), domain, limit))
    except Resync as error:
        raise resync(error) from None


def named(types: str | None) -> list[str]:
    """The types of a list with commas. Raises `Invalid` for one that there is not."""
    found = [name.strip() for name in (types or "").split(",") if name.strip()]
    if unknown := sorted(set(found) - ALL_TYPES):
        known = ", ".join(sorted(ALL_TYPES))
        raise Invalid(f"there are no events of the type {unknown[0]!r}; there are {known}", "query:types")
    return found
