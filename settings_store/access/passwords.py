"""Passwords of users, as argon2id keeps them (RFC 9106), and the one-time links with which one is set."""

import hashlib
import secrets
import threading
from functools import cache

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from argon2.profiles import RFC_9106_LOW_MEMORY
from sqlalchemy import Connection

from checks.model import Invalid
from settings_store import schema
from settings_store.access.users import User
from settings_store.db import insert_into

SHORTEST, _LONGEST = 12, 1000
"""Of a password, in characters (NIST SP 800-63B: length is what counts, and nothing else is asked for)."""
LINK_SECONDS = 24 * 3600.0
"""How long a link to set a password can be used."""
_passwords, _links, _users = schema.passwords, schema.set_up_links, schema.users
_hasher = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
AT_ONCE = 2
"""So many passwords are hashed at a time in a process: each takes memory."""
_at_once = threading.BoundedSemaphore(AT_ONCE)
"""Each takes 64 MiB: many who guess at a time must not take all there is."""


@cache
def _nobodys() -> str:
    """What is computed where there is no password, so that it takes as long."""
    return _hasher.hash(secrets.token_urlsafe(32))


def require_usable(password: str) -> None:
    """Raises `Invalid` for a password that is too short to be one."""
    if not SHORTEST <= len(password) <= _LONGEST:
        raise Invalid(f"a password has {SHORTEST} characters or more", "password")


def hashed(password: str) -> str:
    """What is stored of a password. Takes a while, and belongs outside of any transaction."""
    with _at_once:
        return _hasher.hash(password)


def store(conn: Connection, user_id: str, hash_: str, now: float) -> None:
    """Gives a user a password; the one before is none any more, and no link to set one is."""
    insert = insert_into(conn, _passwords).values(user_id=user_id, hash=hash_, changed_at=now)
    changed = {"hash": hash_, "changed_at": now}
    conn.execute(insert.on_conflict_do_update(index_elements=["user_id"], set_=changed))
    conn.execute(_links.delete().where(_links.c.user_id == user_id))


def hash_of(conn: Connection, user_id: str) -> str | None:
    """What is stored of a user's password, None where there is none."""
    return conn.execute(sa.select(_passwords.c.hash).where(_passwords.c.user_id == user_id)).scalar()


def having(conn: Connection, user_ids: list[str]) -> set[str]:
    """Those of the users who have a password."""
    return set(conn.execute(sa.select(_passwords.c.user_id).where(_passwords.c.user_id.in_(user_ids))).scalars())


def anybody_has_one(conn: Connection) -> bool:
    """Whether somebody, of whatever account, can sign in."""
    return bool(conn.execute(sa.select(sa.exists(sa.select(_passwords.c.user_id)))).scalar_one())


def is_right(hash_: str | None, password: str) -> bool:
    """Whether it is the password that was hashed. Takes as long where there is none."""
    with _at_once:
        known = hash_ or _nobodys()
        try:
            _hasher.verify(known, password[:_LONGEST])
        except (VerifyMismatchError, InvalidHashError):
            return False
    return hash_ is not None


def new_link(conn: Connection, user_id: str | None, now: float) -> str:
    """The secret part of a new link: of a user, or of whoever comes first."""
    secret = secrets.token_urlsafe(32)
    values = {"digest": digest_of(secret), "user_id": user_id, "created_at": now, "expires_at": now + LINK_SECONDS}
    conn.execute(_links.delete().where(_links.c.expires_at <= now))
    conn.execute(_links.insert().values(**values))
    return secret


def find_link(conn: Connection, secret: str, now: float) -> tuple[bool, str | None]:
    """Whether there is such a link that can be used, and whose it is: None where it is the first user's."""
    mine = _links.c.digest == digest_of(secret), _links.c.expires_at > now
    row = conn.execute(sa.select(_links.c.user_id).where(*mine)).one_or_none()
    return row is not None, row.user_id if row is not None else None


def use_link(conn: Connection, secret: str) -> bool:
    """Uses a link up; False where somebody else just has."""
    return conn.execute(_links.delete().where(_links.c.digest == digest_of(secret))).rowcount == 1


def forget_first_links(conn: Connection) -> None:
    """There is a first user now."""
    conn.execute(_links.delete().where(_links.c.user_id.is_(None)))


def user_of(conn: Connection, account: str, name: str) -> str | None:
    """The id of the user who is called so in the account of that name."""
    of = schema.accounts
    mine = of.c.name == account, _users.c.name == " ".join(name.split())
    query = sa.select(_users.c.id).join_from(_users, of, of.c.id == _users.c.account_id).where(*mine)
    return conn.execute(query).scalar()


def digest_of(secret: str) -> bytes:
    """What is stored of a random secret."""
    return hashlib.sha256(secret.encode()).digest()


def link_of(conn: Connection, user: User, now: float) -> str:
    """The secret part of a link with which this user sets a password; those before cannot be used any more."""
    conn.execute(_links.delete().where(_links.c.user_id == user.id))
    return new_link(conn, user.id, now)
