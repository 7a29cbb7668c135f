"""Whether a domain's changes need a second person's approval. The approval itself is given where a report is read."""

from typing import Annotated

from starlette.responses import Response

from settings_store.access.roles import Right
from web.pages.frame.environment import at
from web.pages.frame.forms import Form, form
from web.pages.frame.page import Page
from web.pages.frame.routing import page_for, page_router

routes = page_router()


@routes.post("/admin/domains/{domain}/approval")
def set_needed(page: Annotated[Page, page_for(Right.ADMIN)], domain: str, sent: Annotated[Form, form()]) -> Response:
    """From now on they need one, or none: `needed` is `yes` or `no`."""
    needed = sent["needed"] == "yes"
    page.account.domains.set_approval(domain, needed=needed)
    return page.go(at("domains", domain), "approval.said.on" if needed else "approval.said.off")
