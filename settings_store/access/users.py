"""Users of an account, with their roles, and operators, who have none."""

import uuid
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from checks.model import Invalid, Unknown
from settings_store import schema
from settings_store.access.roles import Role
from settings_store.domains import require_domain

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
    conn: Connection, account_id: int | None, name: str, role: Role, now: float, domain_id: int | None = None
) -> User:
    """Makes a user. Raises `Invalid` for a name that is taken, and for a member without a domain."""
    name = " ".join(name.split())
    if not name or len(name) > _LONGEST_NAME:
        raise Invalid(f"give the user a name of up to {_LONGEST_NAME} characters, such as their address", "name")
    if (role is Role.OPERATOR) != (account_id is None):
        raise Invalid("an operator belongs to no account, and everybody else to one", "role")
    if (role is Role.MEMBER) != (domain_id is not None):
        raise Invalid("a member belongs to one domain, and nobody else does", "domain")
    if domain_id is not None and account_id is not None:
        require_domain(conn, account_id, domain_id)
    taken = _users.c.name == name, _users.c.account_id.is_not_distinct_from(account_id)
    if conn.execute(sa.select(_users.c.id).where(*taken)).first():
        raise Invalid(f"there is a user {name!r} already; `mail-preflight users list` lists them", "name")
    user = User(uuid.uuid4().hex, account_id, name, role, domain_id, now)
    conn.execute(
        _users.insert().values(
            id=user.id, account_id=account_id, name=name, role=role.value, domain_id=domain_id, created_at=now
        )
    )
    return user


def list_users(conn: Connection, account_id: int | None) -> list[User]:
    """An account's users, or the operators, by name."""
    mine = _users.c.account_id.is_not_distinct_from(account_id)
    return [_user(row) for row in conn.execute(sa.select(_users).where(mine).order_by(_users.c.name))]


def find(conn: Connection, account_id: int | None, user_id: str) -> User:
    """The user with an id, or of a name. Raises `Unknown`."""
    mine = _users.c.account_id.is_not_distinct_from(account_id)
    row = conn.execute(sa.select(_users).where(mine, sa.or_(_users.c.id == user_id, _users.c.name == user_id))).first()
    if row is None:
        raise Unknown("there is no such user; `mail-preflight users list` lists them", "user_id")
    return _user(row)


def remove(conn: Connection, account_id: int | None, user_id: str) -> User:
    """Removes a user and all their keys. Raises `Unknown`."""
    user = find(conn, account_id, user_id)
    conn.execute(_keys.delete().where(_keys.c.user_id == user.id))
    conn.execute(_users.delete().where(_users.c.id == user.id))
    return user


def _user(row: "sa.Row[tuple[object, ...]]") -> User:
    values = dict(row._mapping)  # noqa: SLF001 -- SQLAlchemy's public name for a row as a mapping
    values["role"] = Role(values["role"])
    return User(**values)
