"""`/admin/api-keys`: with what programs ask the API."""

from typing import Annotated, Any

from starlette.responses import Response

from checks.model import Invalid
from settings_store.access.roles import RIGHTS, Right, Role
from web.api.access.api_keys import NewKey
from web.documents import Prefix, inner_id, public_id
from web.pages.frame.environment import at
from web.pages.frame.forms import Form, form
from web.pages.frame.page import Page
from web.pages.frame.routing import page_for, page_router
from web.pages.frame.validation import at_fields

routes = page_router()

Admin = Annotated[Page, page_for(Right.ADMIN)]
SCOPES = tuple(right for right in Right if right in RIGHTS[Role.HOST_APP])


@routes.get("/admin/api-keys")
def show(page: Admin) -> Response:
    """All keys, also those that were revoked or have expired."""
    return show_keys(page)


@routes.post("/admin/api-keys")
def add(page: Admin, sent: Annotated[Form, form()]) -> Response:
    """Makes a key, and shows it once."""
    errors: dict[str, str] = {}
    with at_fields(page, errors):
        document: dict[str, Any] = {
            "name": sent["name"],
            "scopes": sent.all("scopes") or None,
            "test": sent.ticked("test"),
        }
        if sent["expires_at"]:
            document["expires_at"] = page.clock.read(sent["expires_at"])
            if document["expires_at"] is None:
                raise Invalid(page.t("frame.error.other"), "expires_at")
        _, plain = page.account.access.create_key(NewKey.model_validate(document).wanted())
        return show_keys(page, key=plain.text)
    return show_keys(page, errors=errors, values=dict(sent), status=422)


@routes.post("/admin/api-keys/{key_id}/revoke")
def revoke(page: Admin, key_id: str) -> Response:
    """Ends a key: the next request with it is refused."""
    page.account.access.revoke_key(inner_id(Prefix.API_KEY, key_id))
    return page.go(at("api-keys"), "access.said.key_revoked")


def show_keys(
    page: Page,
    *,
    key: str = "",
    errors: dict[str, str] | None = None,
    values: dict[str, str] | None = None,
    origins: str | None = None,
    status: int = 200,
) -> Response:
    """The page. `key` is a new one, shown this once; `origins` are what was typed, None for those registered."""
    return page.show(
        "access/api_keys.html",
        status,
        keys=[(public_id(Prefix.API_KEY, each.id), each) for each in reversed(page.account.access.keys())],
        scopes=SCOPES,
        key=key,
        origins="\n".join(page.embedding.origins()) if origins is None else origins,
        errors=errors or {},
        values=values or {},
    )
