"""API keys as stored: by a digest, so that nobody who reads the database can use one."""

import hmac
from collections.abc import Collection
from dataclasses import dataclass, replace

import sqlalchemy as sa
from sqlalchemy import Connection

from checks.model import Invalid, Unknown
from settings_store import schema
from settings_store.access.key_format import PlainKey, new_key
from settings_store.access.roles import RIGHTS, Right, Role
from settings_store.actors import Actor
from settings_store.sandbox import accounts as sandboxes

_keys, _users = schema.api_keys, schema.users
_LONGEST_NAME = 200
_NOTED_EVERY = 60.0  # seconds: the last use is no reason for a write at every request


@dataclass(frozen=True, slots=True)
class ApiKey:
    """Times are UTC seconds since 1970. `account_id` is None for an operator's, `user_id` for the host app's own.

    `domain_id` is that of the member whose key it is, None for everybody else's.
    """

    id: str
    name: str
    role: Role
    scopes: frozenset[Right]
    live: bool
    account_id: int | None
    user_id: str | None
    domain_id: int | None
    user_name: str | None
    created_at: float
    created_by: str
    expires_at: float | None
    revoked_at: float | None
    last_used_at: float | None
    last_address: str

    @property
    def rights(self) -> frozenset[Right]:
        """What it may do: those of its role that it was given."""
        return RIGHTS[self.role] & self.scopes

    def usable(self, now: float) -> bool:
        """Whether it is neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


@dataclass(frozen=True, slots=True)
class KeyRequest:
    """What a new key is to be. `scopes` None: all that its role may do. `expires_at` is UTC seconds since 1970."""

    name: str
    role: Role = Role.HOST_APP
    scopes: Collection[Right] | None = None
    live: bool = True
    user_id: str | None = None
    expires_at: float | None = None


def create(
    conn: Connection, account_id: int | None, wanted: KeyRequest, now: float, actor: Actor
) -> tuple[ApiKey, PlainKey]:
    """Stores a new key; its text is known to the caller alone. Raises `Invalid`.

    A test key belongs to the account's sandbox, which is made with the first one, and so sees nothing else.
    """
    name = " ".join(wanted.name.split())
    if not name or len(name) > _LONGEST_NAME:
        raise Invalid(f"give the key a name of up to {_LONGEST_NAME} characters: what it is for", "name")
    if wanted.expires_at is not None and wanted.expires_at <= now:
        raise Invalid("the key would have expired already", "expires_at")
    scopes = RIGHTS[wanted.role] if wanted.scopes is None else frozenset(wanted.scopes)
    if too_much := sorted(scopes - RIGHTS[wanted.role]):
        raise Invalid(f"the role {wanted.role} does not have {', '.join(too_much)}", "scopes")
    account_id = _account_of(conn, account_id, live=wanted.live)
    plain = new_key(live=wanted.live)
    values = {
        "id": plain.id,
        "account_id": account_id,
        "user_id": wanted.user_id,
        "name": name,
        "role": wanted.role.value,
        "scopes": sorted(scopes),
        "live": wanted.live,
        "digest": plain.digest,
        "created_at": now,
        "created_by": actor.name,
        "expires_at": wanted.expires_at,
    }
    conn.execute(_keys.insert().values(**values))
    return _one(conn, _keys.c.id == plain.id), plain


def _account_of(conn: Connection, account_id: int | None, *, live: bool) -> int | None:
    """The account that a key sees. Raises `Invalid` where there is none of that kind."""
    if account_id is None:
        if not live:
            raise Invalid("an operator has no sandbox: make a test key for an account", "live")
        return None
    if sandboxes.ahead_of(conn, account_id) is not None:
        if live:
            raise Invalid("a sandbox has test keys only", "live")
        return account_id
    return account_id if live else sandboxes.ensure(conn, account_id)


def authenticate(conn: Connection, plain: PlainKey, now: float) -> ApiKey | None:
    """The stored key that is this one, if it can be used now."""
    row = conn.execute(_query().where(_keys.c.id == plain.id)).one_or_none()
    if row is None or not hmac.compare_digest(row.digest, plain.digest):
        return None
    key = _key(row)
    return key if key.usable(now) else None


def used_long_ago(key: ApiKey, address: str, now: float) -> bool:
    """Whether this use is worth a write."""
    return key.last_used_at is None or now - key.last_used_at > _NOTED_EVERY or key.last_address != address


def note_use(conn: Connection, key: ApiKey, address: str, now: float) -> ApiKey:
    """Writes down when and from where a key was last used."""
    conn.execute(_keys.update().where(_keys.c.id == key.id).values(last_used_at=now, last_address=address))
    return replace(key, last_used_at=now, last_address=address)


def list_keys(conn: Connection, account_id: int | None) -> list[ApiKey]:
    """An account's keys with those of its sandbox, or the operators', the oldest first. Revoked ones too."""
    return [
        _key(row) for row in conn.execute(_query().where(_held_by(account_id)).order_by(_keys.c.created_at, _keys.c.id))
    ]


def find(conn: Connection, account_id: int | None, key_id: str) -> ApiKey:
    """A key of an account or its sandbox, or of the operators. Raises `Unknown`."""
    return _one(conn, _keys.c.id == key_id, _held_by(account_id))


def revoke(conn: Connection, account_id: int | None, key_id: str, now: float) -> ApiKey:
    """Ends a key at once; doing it again changes nothing. Raises `Unknown`."""
    key = find(conn, account_id, key_id)
    conn.execute(_keys.update().where(_keys.c.id == key.id, _keys.c.revoked_at.is_(None)).values(revoked_at=now))
    return find(conn, account_id, key_id)


def _held_by(account_id: int | None) -> sa.ColumnElement[bool]:
    """Who has an account has its sandbox's keys too; not the other way round."""
    if account_id is None:
        return _keys.c.account_id.is_(None)
    table = schema.sandboxes
    sandbox = sa.select(table.c.account_id).where(table.c.of_account_id == account_id)
    return sa.or_(_keys.c.account_id == account_id, _keys.c.account_id.in_(sandbox))


def _query() -> "sa.Select[tuple[object, ...]]":
    return sa.select(_keys, _users.c.domain_id, _users.c.name.label("user_name")).outerjoin_from(
        _keys, _users, _users.c.id == _keys.c.user_id
    )


def _one(conn: Connection, *conditions: sa.ColumnElement[bool]) -> ApiKey:
    row = conn.execute(_query().where(*conditions)).one_or_none()
    if row is None:
        raise Unknown("there is no such API key; `mail-preflight api-keys list` lists them", "api_key_id")
    return _key(row)


def _key(row: "sa.Row[tuple[object, ...]]") -> ApiKey:
    values = dict(row._mapping)  # noqa: SLF001 -- SQLAlchemy's public name for a row as a mapping
    known = frozenset(Right)
    values["scopes"] = frozenset(Right(scope) for scope in values["scopes"] if scope in known)
    values["role"] = Role(values["role"])
    del values["digest"]
    return ApiKey(**values)
