"""What the audit has of sessions and passwords, written in the transaction that it tells of."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from settings_store.access import sessions
from settings_store.access.sessions import Session
from settings_store.access.users import User
from settings_store.actors import Actor, of_user
from settings_store.events import events
from settings_store.events.administration import PasswordLinkMade, PasswordSet, SessionEnded, SessionStarted


def started(conn: Connection, secret: str, now: float, address: str) -> None:
    """The session of that secret has begun; whose it is did it, from that address."""
    session = sessions.find(conn, secret, now)
    if session is not None:
        events.record(conn, SessionStarted(**_told(session, now, session.actor(address))))


def ended(conn: Connection, over: Sequence[Session], now: float, actor: Actor, reason: str) -> None:
    """These sessions were ended. `reason` is as `SessionEnded` has it."""
    events.record(conn, *(SessionEnded(**_told(each, now, actor), reason=reason) for each in over))


def password_set(conn: Connection, user: User, now: float, address: str) -> Actor:
    """A user has given themselves a password from that address. Returns them as who did it."""
    actor = Actor(user.name, address, "", of_user(user.id))
    events.record(conn, PasswordSet(subject=user.id, at=now, account_id=user.account_id, actor=actor, user=user.name))
    return actor


def link_made(conn: Connection, user: User, now: float, actor: Actor) -> None:
    """Somebody has a link to set the password of a user."""
    made = PasswordLinkMade(subject=user.id, at=now, account_id=user.account_id, actor=actor, user=user.name)
    events.record(conn, made)


def _told(session: Session, now: float, actor: Actor) -> dict[str, Any]:
    return {
        "subject": session.id,
        "at": now,
        "account_id": session.account_id,
        "actor": actor,
        "user": session.user_name,
        "role": session.role.value,
        "embedded": session.embedded,
    }
