"""`/admin/audit`: who did what in the account, when, and from where; the newest first."""

from typing import Annotated, Any

from fastapi import Query
from starlette.responses import Response

from settings_store.access.roles import Right
from web.api.access.audit import AuditQuery, entry_document
from web.pages.frame.page import Page
from web.pages.frame.routing import page_for, page_router
from web.pages.frame.validation import at_fields

routes = page_router()

_LISTED = 100
_ASKED = ("actor", "type", "domain", "since", "until")
Before = Annotated[int | None, Query(ge=0, le=2**53)]


@routes.get("/admin/audit")
def show(page: Annotated[Page, page_for(Right.ADMIN)], before: Before = None) -> Response:
    """The entries that are asked for; times are those of the reader's zone."""
    asked = {name: page.request.query_params.get(name, "").strip()[:300] for name in _ASKED}
    errors: dict[str, str] = {}
    found = []
    with at_fields(page, errors):
        query = AuditQuery.model_validate(_document(page, asked))
        found = page.account.audit.entries(query.wanted(), query.domain, before, _LISTED + 1)
    return page.show(
        "access/audit.html",
        422 if errors else 200,
        entries=[(each.event.at, entry_document(each)) for each in found[:_LISTED]],
        goes_on=found[_LISTED - 1].event.seq if len(found) > _LISTED else None,
        asked=asked,
        errors={place.removeprefix("query:"): words for place, words in errors.items()},
    )


def _document(page: Page, asked: dict[str, str]) -> dict[str, Any]:
    times = {name: page.clock.read(asked[name]) or asked[name] for name in ("since", "until")}
    return {name: value for name, value in {**asked, **times}.items() if value}
