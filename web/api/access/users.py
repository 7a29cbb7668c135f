"""`/v1/users`: who belongs to the account, and as what."""

from typing import Annotated

from fastapi import Path, Query, Response
from pydantic import Field

from checks.model import Invalid
from settings_store.access.roles import Role
from settings_store.access.users import User
from web.access.granted import manages_access
from web.access.routing import router
from web.api.cursor import CURSOR, cursor_after, read_cursor
from web.documents import Document, Limit, Prefix, Request, Time, inner_id, public_id
from worker.service.access.access import Access

routes = router("access")

Manager = Annotated[Access, manages_access()]
UserId = Annotated[str, Path(max_length=100, examples=["usr_0123456789abcdef0123456789abcdef"])]
MemberDomain = Annotated[str | None, Field(max_length=300, description="A member's domain; nobody else has one.")]


class NewUser(Request):
    """`name` is what the host app knows them by, such as their address."""

    name: str = Field(max_length=400, examples=["anna@example.com"])
    role: Role
    domain: MemberDomain = None


class OtherRole(Request):
    """What a user is from now on."""

    role: Role
    domain: MemberDomain = None


class UserDocument(Document):
    """A user."""

    id: str
    name: str
    role: Role
    domain: str | None
    created_at: Time


class UserPage(Document):
    """Users by name."""

    items: list[UserDocument]
    next_cursor: str | None


@routes.post("/v1/users", operation_id="users.create", summary="Add a user", status_code=201)
def create(wanted: NewUser, response: Response, access: Manager) -> UserDocument:
    """Makes a user, who may do no more than the key that asks. A key of theirs is made at `/v1/api-keys`."""
    (document,) = _documents(access, [access.add_user(wanted.name, wanted.role, wanted.domain)])
    response.headers["Location"] = f"/v1/users/{document.id}"
    return document


@routes.get("/v1/users", operation_id="users.list", summary="List users")
def list_(
    access: Manager, limit: Annotated[Limit, Query()] = 100, cursor: Annotated[str | None, Query()] = None
) -> UserPage:
    """All users of the account."""
    found = access.users(_place(cursor), limit + 1)
    shown = found[:limit]
    last = cursor_after(shown[-1].name) if len(found) > limit else None
    return UserPage(items=_documents(access, shown), next_cursor=last)


@routes.get("/v1/users/{user_id}", operation_id="users.get", summary="Get a user")
def get(user_id: UserId, access: Manager) -> UserDocument:
    """One user."""
    return _documents(access, [access.user(inner_id(Prefix.USER, user_id))])[0]


@routes.put("/v1/users/{user_id}/role", operation_id="users.set_role", summary="Change a user's role")
def set_role(user_id: UserId, wanted: OtherRole, access: Manager) -> UserDocument:
    """Gives a user another role. Their keys follow at once, and never beyond their scopes."""
    changed = access.change_role(inner_id(Prefix.USER, user_id), wanted.role, wanted.domain)
    return _documents(access, [changed])[0]


@routes.delete("/v1/users/{user_id}", operation_id="users.delete", summary="Remove a user", status_code=204)
def delete(user_id: UserId, access: Manager) -> None:
    """Removes a user, and all their keys."""
    access.remove_user(inner_id(Prefix.USER, user_id))


def _documents(access: Access, found: list[User]) -> list[UserDocument]:
    names = access.domain_names(found)
    return [
        UserDocument(
            id=public_id(Prefix.USER, user.id),
            name=user.name,
            role=user.role,
            domain=names.get(user.domain_id) if user.domain_id is not None else None,
            created_at=user.created_at,
        )
        for user in found
    ]


def _place(cursor: str | None) -> str | None:
    if cursor is None:
        return None
    (name,) = read_cursor(cursor)
    if not name.isprintable():
        raise Invalid("it is no cursor of this list", CURSOR)
    return name
