"""API keys as stored: by a digest, so that nobody who reads the database can use one."""

import hmac
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from checks.model import Invalid, Unknown
from settings_store import schema
from settings_store.access import users
from settings_store.access.key_format import PlainKey, new_key
from settings_store.access.roles import RIGHTS, Right, Role
from settings_store.access.users import User
from settings_store.actors import Actor
from settings_store.events import events
from settings_store.events.administration import ApiKeyCreated, ApiKeyRevoked
from settings_store.sandbox import accounts as sandboxes

_keys, _users = schema.api_keys, schema.users
_LONGEST_NAME = 200
LONGEST_SECONDS = 100 * 365.25 * 86_400
"""A key that expires does so within this: later times cannot be written in every time zone."""
NOTED_EVERY = 60.0  # seconds: the last use is no reason for a write at every request


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
    """What a new key is to be. `expires_at` is UTC seconds since 1970.

    `role` None: that of the user whose key it is, or the host app's. `scopes` None: all that its role may do.
    """

    name: str
    role: Role | None = None
    scopes: Collection[Right] | None = None
    live: bool = True
    user_id: str | None = None
    expires_at: float | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """What a key is going to have: `KeyRequest`, made certain."""

    name: str
    role: Role
    scopes: frozenset[Right]
    live: bool
    user: User | None
    expires_at: float | None


def grant(conn: Connection, account_id: int | None, wanted: KeyRequest, now: float) -> Grant:
    """What such a key would have. Raises `Invalid`."""
    name = " ".join(wanted.name.split())
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise Invalid(f"give the key a name of up to {_LONGEST_NAME} characters: what it is for", "name")
    if wanted.expires_at is not None and wanted.expires_at <= now:
        raise Invalid("the key would have expired already", "expires_at")
    if wanted.expires_at is not None and wanted.expires_at > now + LONGEST_SECONDS:
        raise Invalid("a key expires within a hundred years; leave it out for one that does not", "expires_at")
    user = _owner(conn, account_id, wanted.user_id)
    role = _role(account_id, wanted.role, user)
    _require_kind(conn, account_id, live=wanted.live)
    scopes = RIGHTS[role] if wanted.scopes is None else frozenset(wanted.scopes)
    if too_much := sorted(scopes - RIGHTS[role]):
        raise Invalid(f"the role {role} does not have {', '.join(too_much)}", "scopes")
    if not scopes:
        raise Invalid("a key without any scope could do nothing", "scopes")
    return Grant(name, role, scopes, wanted.live, user, wanted.expires_at)


def _require_kind(conn: Connection, account_id: int | None, *, live: bool) -> None:
    if account_id is None and not live:
        raise Invalid("an operator has no sandbox: make a test key for an account", "live")
    if live and account_id is not None and sandboxes.ahead_of(conn, account_id) is not None:
        raise Invalid("a sandbox has test keys only", "live")


def _owner(conn: Connection, account_id: int | None, user_id: str | None) -> User | None:
    if user_id is None:
        return None
    try:
        return users.find(conn, account_id, user_id)
    except Unknown as error:
        raise Invalid(str(error), "user") from None


def _role(account_id: int | None, wanted: Role | None, user: User | None) -> Role:
    own = user.role if user else (Role.OPERATOR if account_id is None else Role.HOST_APP)
    role = wanted or own
    if user and role is not own:
        raise Invalid(f"a user's key has the user's role, which is {own}", "role")
    if (role is Role.OPERATOR) != (account_id is None):
        raise Invalid("an operator belongs to no account, and everybody else to one", "role")
    if role is Role.MEMBER and user is None:
        raise Invalid("a member's key is that of a user; name the user", "user")
    return role


def create(
    conn: Connection, account_id: int | None, granted: Grant, now: float, actor: Actor
) -> tuple[ApiKey, PlainKey]:
    """Stores a new key; its text is known to the caller alone.

    A test key belongs to the account's sandbox, which is made with the first one, and so sees nothing else.
    """
    if account_id is not None and not granted.live:
        account_id = sandboxes.ensure(conn, account_id)
    plain = new_key(live=granted.live)
    values = {
        "id": plain.id,
        "account_id": account_id,
        "user_id": granted.user.id if granted.user else None,
        "name": granted.name,
        "role": granted.role.value,
        "scopes": sorted(granted.scopes),
        "live": granted.live,
        "digest": plain.digest,
        "created_at": now,
        "created_by": actor.name,
        "expires_at": granted.expires_at,
    }
    conn.execute(_keys.insert().values(**values))
    key = _one(conn, _keys.c.id == plain.id)
    events.record(conn, ApiKeyCreated(**_told(key, now, actor)))
    return key, plain


def authenticate(conn: Connection, plain: PlainKey, now: float) -> ApiKey | None:
    """The stored key that is this one, if it can be used now."""
    row = conn.execute(_query().where(_keys.c.id == plain.id)).one_or_none()
    if row is None or not hmac.compare_digest(row.digest, plain.digest):
        return None
    key = _key(row)
    return key if key.usable(now) else None


def usable(conn: Connection, key_ids: Collection[str], now: float) -> set[str]:
    """Those of the keys with these ids that can be used at `now`."""
    return {key.id for key in map(_key, conn.execute(_query().where(_keys.c.id.in_(key_ids)))) if key.usable(now)}


def note_use(conn: Connection, key_id: str, address: str, now: float) -> None:
    """Writes down when and from where a key was last used, where nobody has within the last minute."""
    long_ago = sa.or_(_keys.c.last_used_at.is_(None), _keys.c.last_used_at < now - NOTED_EVERY)
    mine = _keys.c.id == key_id, long_ago
    conn.execute(_keys.update().where(*mine).values(last_used_at=now, last_address=address[:_LONGEST_NAME]))


def list_keys(
    conn: Connection,
    account_id: int | None,
    after: tuple[float, str] | None = None,
    limit: int | None = None,
) -> list[ApiKey]:
    """An account's keys with those of its sandbox, or the operators', the oldest first. Revoked ones too.

    At most `limit`, of those that come after the one that was created at a time and has an id.
    """
    query = _query().where(_held_by(account_id))
    if after is not None:
        query = query.where(sa.tuple_(_keys.c.created_at, _keys.c.id) > sa.tuple_(*map(sa.literal, after)))
    return [_key(row) for row in conn.execute(query.order_by(_keys.c.created_at, _keys.c.id).limit(limit))]


def any_usable(conn: Connection, now: float) -> bool:
    """Whether there is a key, of whomever, that can be used now."""
    lasting = sa.or_(_keys.c.expires_at.is_(None), _keys.c.expires_at > now)
    return bool(conn.execute(sa.select(sa.exists().where(_keys.c.revoked_at.is_(None), lasting))).scalar_one())


def find(conn: Connection, account_id: int | None, key_id: str) -> ApiKey:
    """A key of an account or its sandbox, or of the operators. Raises `Unknown`."""
    return _one(conn, _keys.c.id == key_id, _held_by(account_id))


def revoke(conn: Connection, account_id: int | None, key_id: str, now: float, actor: Actor) -> ApiKey:
    """Ends a key at once; doing it again changes nothing. Raises `Unknown`."""
    key = find(conn, account_id, key_id)
    mine = _keys.c.id == key.id, _keys.c.revoked_at.is_(None)
    if conn.execute(_keys.update().where(*mine).values(revoked_at=now)).rowcount:
        events.record(conn, ApiKeyRevoked(**_told(key, now, actor)))
    return find(conn, account_id, key_id)


def _told(key: ApiKey, now: float, actor: Actor) -> dict[str, Any]:
    return {
        "subject": key.id,
        "at": now,
        "account_id": key.account_id,
        "actor": actor,
        "key_name": key.name,
        "user": key.user_name or "",
        "role": key.role.value,
        "scopes": sorted(key.scopes),
        "live": key.live,
    }


def _held_by(account_id: int | None) -> sa.ColumnElement[bool]:
    """Who has an account has its sandbox's keys too; not the other way round."""
    if account_id is None:
        return _keys.c.account_id.is_(None)
    table = schema.sandboxes
    sandbox = sa.select(table.c.account_id).where(table.c.of_account_id == account_id)
    return sa.or_(_keys.c.account_id == account_id, _keys.c.account_id.in_(sandbox))


def _query() -> "sa.Select[tuple[object, ...]]":
    theirs = _users.c.domain_id, _users.c.name.label("user_name"), _users.c.role.label("user_role")
    return sa.select(_keys, *theirs).outerjoin_from(_keys, _users, _users.c.id == _keys.c.user_id)


def _one(conn: Connection, *conditions: sa.ColumnElement[bool]) -> ApiKey:
    row = conn.execute(_query().where(*conditions)).one_or_none()
    if row is None:
        raise Unknown("there is no such API key; `mail-preflight api-keys list` lists them", "api_key_id")
    return _key(row)


def _key(row: "sa.Row[tuple[object, ...]]") -> ApiKey:
    values = dict(row._mapping)  # noqa: SLF001 -- SQLAlchemy's public name for a row as a mapping
    known = frozenset(Right)
    values["scopes"] = frozenset(Right(scope) for scope in values["scopes"] if scope in known)
    # A user who has another role now has no more by the keys from before.
    values["role"] = Role(values.pop("user_role") or values["role"])
    del values["digest"]
    return ApiKey(**values)
