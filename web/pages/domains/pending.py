"""Those who wait for a domain's settings, on top of its page and of the list, and how one is dismissed."""

from collections.abc import Sequence
from typing import Annotated

from starlette.responses import Response

from checks.model import Unknown
from checks.settings import normalise_domain
from settings_store.access.roles import Right
from web.api.connecting.connection_document import ConnectionDocument, attempt_of, connection_document
from web.pages.frame.environment import at
from web.pages.frame.page import Page
from web.pages.frame.routing import page_for, page_router

routes = page_router()

MOST = 20
"""So many are shown; to complete the settings of their domains brings the next ones up."""


def waiting(page: Page, domain: str | None = None) -> Sequence[ConnectionDocument]:
    """The newest of those who wait, and one more than `MOST` where there are more."""
    return [connection_document(each, page.language) for each in page.account.pending.page(MOST + 1, None, domain)]


@routes.post("/admin/domains/{domain}/pending/{pending_id}/dismiss")
def dismiss(page: Annotated[Page, page_for(Right.CHANGE)], domain: str, pending_id: str) -> Response:
    """Forgets one who waits, with what was kept of them."""
    entry_id = attempt_of(pending_id)
    if page.account.pending.entry(entry_id).domain != normalise_domain(domain):
        raise Unknown("nobody waits there any more", "pending_entry_id")
    page.account.pending.dismiss(entry_id)
    return page.go(
        at("domains", domain) if page.session and page.session.embedded else at("domains"), "pending.said.dismissed"
    )
