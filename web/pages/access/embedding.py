"""`/admin/embed-origins`: where the page may be in a frame. The form is beneath the API keys, which make the links."""

from typing import Annotated

from starlette.responses import Response

from settings_store.access.roles import Right
from web.api.access.embedding import EmbedOrigins
from web.pages.access.api_keys import show_keys
from web.pages.frame.environment import at
from web.pages.frame.forms import Form, form
from web.pages.frame.page import Page
from web.pages.frame.routing import page_for, page_router
from web.pages.frame.validation import at_fields

routes = page_router()


@routes.post("/admin/embed-origins")
def register(page: Annotated[Page, page_for(Right.ADMIN)], sent: Annotated[Form, form()]) -> Response:
    """Makes these the registered origins, and no others."""
    errors: dict[str, str] = {}
    with at_fields(page, errors):
        wanted = EmbedOrigins.model_validate({"origins": sent["origins"].split()})
        page.embedding.register(wanted.origins)
        return page.go(at("api-keys"), "access.said.origins")
    return show_keys(page, errors={"origins": next(iter(errors.values()))}, origins=sent["origins"], status=422)
