"""Sessions: browsers that are signed in, and pages that a host app has embedded. Stored by a digest, as API keys."""

import secrets
import uuid
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from checks.model import Unknown
from settings_store import schema
from settings_store.access.passwords import digest_of
from settings_store.access.roles import RIGHTS, Right, Role
from settings_store.actors import Actor, of_user

IDLE_SECONDS, LONGEST_SECONDS = 12 * 3600.0, 7 * 86400.0
"""A session ends when nobody has used it for so long, and after so long in any case."""
NOTED_EVERY = 60.0  # seconds: that it is used is no reason for a write at every request
_LONGEST_TEXT = 300
_sessions, _users, _keys = schema.sessions, schema.users, schema.api_keys
_domains = schema.domains


@dataclass(frozen=True, slots=True)
class Session:
    """Times are UTC seconds since 1970. `user_id` is None for an embedded page, which is of one domain alone."""

    id: str
    account_id: int
    user_id: str | None
    user_name: str
    role: Role
    domain: str | None
    api_key_id: str | None
    language: str
    created_at: float
    seen_at: float
    expires_at: float
    address: str
    agent: str

    @property
    def rights(self) -> frozenset[Right]:
        """What may be done with it."""
        return RIGHTS[self.role]

    @property
    def embedded(self) -> bool:
        """Whether it is a page in a host app."""
        return self.user_id is None

    def actor(self, address: str) -> Actor:
        """Who is written down to have done it. Of whom a host app has embedded only that app knows who they are."""
        return Actor(self.user_name, address, self.api_key_id or "", of_user(self.user_id) if self.user_id else "")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whose session it is to be: a user's, or one of a domain with a role, that an API key asks for."""

    account_id: int
    user_id: str | None = None
    api_key_id: str | None = None
    domain_id: int | None = None
    role: Role | None = None
    name: str = ""
    language: str = ""


def begin(conn: Connection, wanted: Wanted, now: float, address: str, agent: str) -> str:
    """A new session of a user. Returns the secret that its cookie has."""
    return _insert(conn, wanted, now, now + LONGEST_SECONDS, now, address, agent)


def offer(conn: Connection, wanted: Wanted, now: float, seconds: float) -> str:
    """A link to embed, that can be followed once. Returns its secret; it is over after that time, opened or not."""
    return _insert(conn, wanted, now, now + seconds, None, "", "")


def open_offer(conn: Connection, secret: str, now: float, address: str, agent: str) -> str | None:
    """Follows a link to embed. Returns the secret that the cookie has; None for one that cannot be followed."""
    fresh = secrets.token_urlsafe(32)
    mine = _sessions.c.digest == digest_of(secret), _sessions.c.opened_at.is_(None), _sessions.c.expires_at > now
    told = {"address": address[:_LONGEST_TEXT], "agent": agent[:_LONGEST_TEXT]}
    values = {"digest": digest_of(fresh), "opened_at": now, "seen_at": now, **told}
    return fresh if conn.execute(_sessions.update().where(*mine).values(**values)).rowcount else None


def find(conn: Connection, secret: str, now: float) -> Session | None:
    """The session of a cookie, if it can be used now."""
    row = conn.execute(_query(now).where(_sessions.c.digest == digest_of(secret))).one_or_none()
    return _session(row) if row is not None else None


def with_id(conn: Connection, account_id: int, session_id: str, now: float) -> Session | None:
    """The session of an account with that id, if it can be used now."""
    mine = _sessions.c.account_id == account_id, _sessions.c.id == session_id
    row = conn.execute(_query(now).where(*mine)).one_or_none()
    return _session(row) if row is not None else None


def those_of(conn: Connection, user_id: str, now: float) -> list[Session]:
    """The sessions of a user that can be used now."""
    return [_session(row) for row in conn.execute(_query(now).where(_sessions.c.user_id == user_id))]


def usable(conn: Connection, session_ids: set[str], now: float) -> set[str]:
    """Those of the sessions with these ids that can be used now."""
    return {row.id for row in conn.execute(_query(now).where(_sessions.c.id.in_(session_ids)))}


def of_account(conn: Connection, account_id: int, now: float, limit: int, user_id: str | None = None) -> list[Session]:
    """The sessions of an account that can be used now, or of one user, the last used first, `limit` at most."""
    query = _query(now).where(_sessions.c.account_id == account_id).order_by(_sessions.c.seen_at.desc())
    if user_id is not None:
        query = query.where(_sessions.c.user_id == user_id)
    return [_session(row) for row in conn.execute(query.limit(limit))]


def note_use(conn: Connection, session_id: str, now: float) -> None:
    """Writes down that a session was used, where nobody has within the last minute."""
    mine = _sessions.c.id == session_id, _sessions.c.seen_at < now - NOTED_EVERY
    conn.execute(_sessions.update().where(*mine).values(seen_at=now))


def end(conn: Connection, account_id: int, session_id: str) -> None:
    """Ends a session at once. Raises `Unknown` where the account has none of that id."""
    mine = _sessions.c.account_id == account_id, _sessions.c.id == session_id
    if not conn.execute(_sessions.delete().where(*mine)).rowcount:
        raise Unknown("there is no such session; it may have ended by itself", "session_id")


def end_all_of(conn: Connection, user_id: str) -> int:
    """Ends all sessions of a user. Returns how many there were."""
    return conn.execute(_sessions.delete().where(_sessions.c.user_id == user_id)).rowcount


def forget_old(conn: Connection, now: float) -> int:
    """Removes what is over. Returns how many sessions that were."""
    over = sa.or_(_sessions.c.expires_at <= now, _sessions.c.seen_at <= now - IDLE_SECONDS)
    return conn.execute(_sessions.delete().where(over)).rowcount


def _insert(
    conn: Connection, wanted: Wanted, now: float, until: float, opened_at: float | None, address: str, agent: str
) -> str:
    secret = secrets.token_urlsafe(32)
    values = {
        "id": uuid.uuid4().hex,
        "digest": digest_of(secret),
        "account_id": wanted.account_id,
        "user_id": wanted.user_id,
        "api_key_id": wanted.api_key_id,
        "domain_id": wanted.domain_id,
        "role": wanted.role.value if wanted.role else None,
        "name": wanted.name,
        "language": wanted.language,
        "created_at": now,
        "opened_at": opened_at,
        "seen_at": now,
        "expires_at": until,
        "address": address[:_LONGEST_TEXT],
        "agent": agent[:_LONGEST_TEXT],
    }
    conn.execute(_sessions.insert().values(**values))
    return secret


def _query(now: float) -> "sa.Select[tuple[object, ...]]":
    """Sessions that are open, with what their users are now. An embedded one ends with its API key."""
    theirs = (
        sa.func.coalesce(_users.c.name, _sessions.c.name).label("user_name"),
        sa.func.coalesce(_users.c.role, _sessions.c.role).label("role_now"),
        _domains.c.name.label("domain"),
    )
    domain_id = sa.func.coalesce(_users.c.domain_id, _sessions.c.domain_id)
    query = sa.select(_sessions, *theirs).outerjoin_from(_sessions, _users, _users.c.id == _sessions.c.user_id)
    query = query.outerjoin(_keys, _keys.c.id == _sessions.c.api_key_id).outerjoin(_domains, _domains.c.id == domain_id)
    used = _sessions.c.expires_at > now, _sessions.c.seen_at > now - IDLE_SECONDS, _sessions.c.opened_at.is_not(None)
    key_is_good = sa.or_(_keys.c.expires_at.is_(None), _keys.c.expires_at > now)
    return query.where(*used, _keys.c.revoked_at.is_(None), key_is_good)


def _session(row: "sa.Row[tuple[object, ...]]") -> Session:
    found = dict(row._mapping)  # noqa: SLF001 -- SQLAlchemy's public name for a row as a mapping
    names = (name for name in Session.__dataclass_fields__ if name != "role")
    return Session(role=Role(str(found["role_now"])), **{name: found[name] for name in names})
