"""`/admin/users`: who may sign in to the account, and what they may do."""

from typing import Annotated

from starlette.responses import Response

from settings_store.access.roles import Right, Role
from web.api.access.users import NewUser, OtherRole
from web.documents import Prefix, inner_id, public_id
from web.pages.frame.environment import HOME, at
from web.pages.frame.forms import Form, form
from web.pages.frame.page import Page
from web.pages.frame.routing import page_for, page_router
from web.pages.frame.validation import at_fields

routes = page_router()

Admin = Annotated[Page, page_for(Right.ADMIN)]
ROLES = (Role.SUPER_ADMIN, Role.ACCOUNT_ACCESS, Role.MEMBER, Role.HOST_APP)


@routes.get("/admin/users")
def show(page: Admin) -> Response:
    """All users."""
    return _shown(page)


@routes.post("/admin/users")
def add(page: Admin, sent: Annotated[Form, form()]) -> Response:
    """Adds a user, and shows the link with which they set a password."""
    errors: dict[str, str] = {}
    with at_fields(page, errors):
        wanted = NewUser.model_validate(sent.nested("name", "role", "domain"))
        user = page.account.access.add_user(wanted.name, wanted.role, wanted.domain)
        return _shown(page, link=_link(page, user.id), link_of=user.name)
    return _shown(page, errors=errors, values=dict(sent), status=422)


@routes.post("/admin/users/{user_id}/link")
def link(page: Admin, user_id: str) -> Response:
    """Shows a link with which a user sets a password, once."""
    user = page.account.access.user(inner_id(Prefix.USER, user_id))
    return _shown(page, link=_link(page, user.id), link_of=user.name)


@routes.post("/admin/users/{user_id}/role")
def change_role(page: Admin, user_id: str, sent: Annotated[Form, form()]) -> Response:
    """Gives a user another role."""
    errors: dict[str, str] = {}
    with at_fields(page, errors):
        wanted = OtherRole.model_validate(sent.nested("role", "domain"))
        page.account.access.change_role(inner_id(Prefix.USER, user_id), wanted.role, wanted.domain)
        return page.go(at("users"), "access.said.role")
    return _shown(page, errors={user_id: next(iter(errors.values()))}, status=422)


@routes.post("/admin/users/{user_id}/remove")
def remove(page: Admin, user_id: str) -> Response:
    """Removes a user, with their sessions and API keys."""
    page.account.access.remove_user(inner_id(Prefix.USER, user_id))
    return page.go(at("users"), "access.said.user_removed")


def _link(page: Page, user_id: str) -> str:
    config, url = page.preflight.config, page.request.url
    where = config.public_url.rstrip("/") or f"{url.scheme}://{url.netloc}"
    return f"{where}{HOME}/set-up/{page.signed_in.link_for(user_id)}"


def _shown(
    page: Page,
    *,
    link: str = "",
    link_of: str = "",
    errors: dict[str, str] | None = None,
    values: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    found = page.account.access.users()
    return page.show(
        "access/users.html",
        status,
        users=[(public_id(Prefix.USER, user.id), user) for user in found],
        domains=page.account.access.domain_names(found),
        sign_in=page.signed_in.having_password([user.id for user in found]),
        roles=[(role.value, page.t(f"frame.role.{role}")) for role in ROLES],
        link=link,
        link_of=link_of,
        errors=errors or {},
        values=values or {},
    )
