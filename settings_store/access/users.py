"""Users of an account, with their roles, and operators, who have none."""

import dataclasses
import uuid
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from checks.model import Invalid, Unknown
from settings_store import schema
from settings_store.access.roles import Role
from settings_store.actors import Actor
from settings_store.db import insert_into
from settings_store.domains import require_domain
from settings_store.events import events
from settings_store.events.administration import UserAdded, UserChanged, UserRemoved

_users, _keys = schema.users, schema.api_keys
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class User:
    """`account_id` is None for an operator, `domain_id` for everybody but a member. `created_at` is UTC seconds."""

    id: str
    account_id: int | None
    name: str
    role: Role
    domain_id: int | None
    created_at: float


def add(
    conn: Connection,
    account_id: int | None,
    name: str,
    role: Role,
    now: float,
    actor: Actor,
    domain_id: int | None = None,
) -> User:
    """Makes a user. Raises `Invalid` for a name that is taken, and for a member without a domain."""
    name = " ".join(name.split())
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise Invalid(f"give the user a name of up to {_LONGEST_NAME} characters, such as their address", "name")
    _require_place(conn, account_id, role, domain_id)
    user = User(uuid.uuid4().hex, account_id, name, role, domain_id, now)
    insert = insert_into(conn, _users).values(**dataclasses.asdict(user)).on_conflict_do_nothing()
    if conn.execute(insert.returning(_users.c.id)).first() is None:
        raise Invalid(f"there is a user {name!r} already; `mail-preflight users list` lists them", "name")
    events.record(conn, UserAdded(**_told(user, now, actor)))
    return user


def _require_place(conn: Connection, account_id: int | None, role: Role, domain_id: int | None) -> None:
    if (role is Role.OPERATOR) != (account_id is None):
        raise Invalid("an operator belongs to no account, and everybody else to one", "role")
    if (role is Role.MEMBER) != (domain_id is not None):
        raise Invalid("a member belongs to one domain, and nobody else does", "domain")
    if domain_id is not None and account_id is not None:
        require_domain(conn, account_id, domain_id)


def list_users(
    conn: Connection, account_id: int | None, after: str | None = None, limit: int | None = None
) -> list[User]:
    """An account's users, or the operators, by name: at most `limit`, of those whose name comes after `after`."""
    query = sa.select(_users).where(_users.c.account_id.is_not_distinct_from(account_id))
    if after is not None:
        query = query.where(_users.c.name > after)
    return [_user(row) for row in conn.execute(query.order_by(_users.c.name).limit(limit))]


def find(conn: Connection, account_id: int | None, user_id: str) -> User:
    """The user with an id. Raises `Unknown`."""
    return _one(conn, account_id, _users.c.id == user_id)


def find_named(conn: Connection, account_id: int | None, name: str) -> User:
    """The user of a name. Raises `Unknown`."""
    return _one(conn, account_id, _users.c.name == " ".join(name.split()))


def with_id(conn: Connection, user_id: str) -> User | None:
    """The user with an id of ours, of whatever account; None where there is none any more."""
    row = conn.execute(sa.select(_users).where(_users.c.id == user_id)).one_or_none()
    return _user(row) if row is not None else None


def _one(conn: Connection, account_id: int | None, condition: "sa.ColumnElement[bool]") -> User:
    mine = _users.c.account_id.is_not_distinct_from(account_id)
    row = conn.execute(sa.select(_users).where(mine, condition)).one_or_none()
    if row is None:
        raise Unknown("there is no such user; `mail-preflight users list` lists them", "user_id")
    return _user(row)


def change_role(conn: Connection, user: User, role: Role, now: float, actor: Actor, domain_id: int | None) -> User:
    """Gives a user another role, which their keys have at once, as far as their scopes reach. Raises `Invalid`."""
    _require_place(conn, user.account_id, role, domain_id)
    changed = dataclasses.replace(user, role=role, domain_id=domain_id)
    values = {"role": role.value, "domain_id": domain_id}
    conn.execute(_users.update().where(_users.c.id == user.id).values(values))
    if changed != user:
        events.record(conn, UserChanged(**_told(changed, now, actor), role_before=user.role.value))
    return changed


def remove(conn: Connection, user: User, now: float, actor: Actor) -> None:
    """Removes a user and all their keys, which cannot be used from then on."""
    keys = conn.execute(_keys.delete().where(_keys.c.user_id == user.id)).rowcount
    conn.execute(_users.delete().where(_users.c.id == user.id))
    events.record(conn, UserRemoved(**_told(user, now, actor), keys=keys))


def _told(user: User, now: float, actor: Actor) -> dict[str, Any]:
    return {
        "subject": user.id,
        "at": now,
        "account_id": user.account_id,
        "domain_id": user.domain_id,
        "actor": actor,
        "user": user.name,
        "role": user.role.value,
    }


def _user(row: "sa.Row[tuple[object, ...]]") -> User:
    values = dict(row._mapping)  # noqa: SLF001 -- SQLAlchemy's public name for a row as a mapping
    values["role"] = Role(values["role"])
    return User(**values)
