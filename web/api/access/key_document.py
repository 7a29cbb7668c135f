"""An API key as it is shown: all but its text, which nobody knows any more."""

from typing import Literal

from settings_store.access.api_keys import ApiKey
from settings_store.access.roles import Right, Role
from web.documents import Document, Prefix, Time, public_id


class KeyDocument(Document):
    """A key. `scopes` are what it may do, `created_by` is who made it; the last use is noted once a minute."""

    id: str
    name: str
    role: Role
    scopes: list[Right]
    kind: Literal["live", "test"]
    user_id: str | None
    user_name: str | None
    created_at: Time
    created_by: str
    expires_at: Time | None
    revoked_at: Time | None
    last_used_at: Time | None
    last_address: str


def key_document(key: ApiKey) -> KeyDocument:
    """A key, without anything by which one could use it."""
    return KeyDocument(
        id=public_id(Prefix.API_KEY, key.id),
        name=key.name,
        role=key.role,
        scopes=sorted(key.rights),
        kind="live" if key.live else "test",
        user_id=public_id(Prefix.USER, key.user_id) if key.user_id else None,
        user_name=key.user_name,
        created_at=key.created_at,
        created_by=key.created_by,
        expires_at=key.expires_at,
        revoked_at=key.revoked_at,
        last_used_at=key.last_used_at,
        last_address=key.last_address,
    )
