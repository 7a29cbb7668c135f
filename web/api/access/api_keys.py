"""`/v1/api-keys`: made, listed and ended by who administers the account."""

from typing import Annotated

from fastapi import Path, Query, Response
from pydantic import AwareDatetime, Field

from checks.model import Invalid
from settings_store.access.api_keys import KeyRequest
from settings_store.access.roles import Right, Role
from web.access.granted import manages_access
from web.access.routing import router
from web.api.access.key_document import KeyDocument, key_document
from web.api.cursor import CURSOR, cursor_after, read_cursor
from web.documents import Document, Limit, Prefix, Request, inner_id, public_id
from worker.service.access.access import Access

routes = router("access")

Manager = Annotated[Access, manages_access()]
KeyId = Annotated[str, Path(max_length=100, examples=["key_0123456789ab"])]


class NewKey(Request):
    """What the key is to be. Without `role`: that of the user, or `host_app` for a key that is nobody's.

    Without `scopes`: all that the role may do. `expires_at` null: never.
    """

    name: str = Field(max_length=400, examples=["crm"])
    role: Role | None = None
    scopes: list[Right] | None = Field(None, max_length=20, examples=[["read", "change"]])
    test: bool = Field(False, description="Whether it is a key of the sandbox.")
    user_id: str | None = Field(None, max_length=100, description="Whose key it is.")
    expires_at: AwareDatetime | None = None

    def wanted(self) -> KeyRequest:
        """For the use case."""
        return KeyRequest(
            self.name,
            self.role,
            self.scopes,
            not self.test,
            None if self.user_id is None else inner_id(Prefix.USER, self.user_id),
            self.expires_at.timestamp() if self.expires_at else None,
        )


class NewKeyDocument(KeyDocument):
    """A key that has just been made. `key` is its text, which is shown this once and never again."""

    key: str


class KeyPage(Document):
    """Keys, the oldest first."""

    items: list[KeyDocument]
    next_cursor: str | None


@routes.post("/v1/api-keys", operation_id="api_keys.create", summary="Make an API key", status_code=201)
def create(wanted: NewKey, response: Response, access: Manager) -> NewKeyDocument:
    """Makes a key. It gives nobody more than the key has that asks: neither a right nor time."""
    key, plain = access.create_key(wanted.wanted())
    document = key_document(key)
    response.headers["Location"] = f"/v1/api-keys/{document.id}"
    return NewKeyDocument(**dict(document), key=plain.text)


@routes.get("/v1/api-keys", operation_id="api_keys.list", summary="List API keys")
def list_(
    access: Manager, limit: Annotated[Limit, Query()] = 100, cursor: Annotated[str | None, Query()] = None
) -> KeyPage:
    """All keys of the account, also those that were revoked or have expired."""
    found = access.keys(_place(cursor), limit + 1)
    shown = found[:limit]
    more = len(found) > limit
    last = cursor_after(repr(shown[-1].created_at), shown[-1].id) if more else None
    return KeyPage(items=[key_document(key) for key in shown], next_cursor=last)


@routes.get("/v1/api-keys/{key_id}", operation_id="api_keys.get", summary="Get an API key")
def get(key_id: KeyId, access: Manager) -> KeyDocument:
    """One key, without its text."""
    return key_document(access.key(inner_id(Prefix.API_KEY, key_id)))


@routes.delete("/v1/api-keys/{key_id}", operation_id="api_keys.revoke", summary="Revoke an API key", status_code=204)
def revoke(key_id: KeyId, access: Manager) -> None:
    """Ends a key: the next request with it is refused. It stays in the list."""
    access.revoke_key(inner_id(Prefix.API_KEY, key_id))


def _place(cursor: str | None) -> tuple[float, str] | None:
    if cursor is None:
        return None
    created_at, key_id = read_cursor(cursor, 2)
    try:
        return float(created_at), inner_id(Prefix.API_KEY, public_id(Prefix.API_KEY, key_id))
    except ValueError:
        raise Invalid("it is no cursor of this list", CURSOR) from None
