"""The use cases of signing in to the page: passwords, the links to set one, and sessions."""

from dataclasses import dataclass

from sqlalchemy import Connection

from checks.model import Invalid, Unavailable, Unknown
from settings_store import domains
from settings_store.access import passwords, sessions, users
from settings_store.access.roles import Role
from settings_store.access.sessions import Session, Wanted
from settings_store.access.users import User
from settings_store.actors import Actor
from settings_store.db import Database
from settings_store.domains import DEFAULT_ACCOUNT
from worker.service.access import session_events

_LISTED = 200


@dataclass(frozen=True, slots=True)
class Browser:
    """Where somebody comes from: the address, and what the browser says it is."""

    address: str
    agent: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """A link to set a password. `user` None: of whoever becomes the first one."""

    user: User | None


@dataclass(frozen=True, slots=True)
class SignIn:
    """Of the whole service. Nobody is told whether it was the name or the password that was wrong."""

    _database: Database

    def first_link(self) -> str | None:
        """The secret of a link with which the first user is made, None where somebody can sign in already."""
        with self._database.begin() as conn:
            if passwords.anybody_has_one(conn):
                return None
            return passwords.new_link(conn, None, self._database.now())

    def link(self, secret: str) -> Link | None:
        """What a link is for, None for one that cannot be used (any more)."""
        with self._database.read() as conn:
            there, user_id = passwords.find_link(conn, secret, self._database.now())
            return Link(_user(conn, user_id)) if there else None

    def set_up(self, secret: str, name: str, password: str, browser: Browser) -> str:
        """Uses a link: makes the first user of that name, or gives the link's user a password.

        Returns the secret of the session that begins. Raises `Invalid`, and `Unknown` for a link that is none.
        """
        passwords.require_usable(password)
        if self.link(secret) is None:  # before it costs anything
            raise Unknown("this link was used already, or is too old; ask for another one", "link")
        hash_, now = passwords.hashed(password), self._database.now()
        with self._database.begin() as conn:
            there, user_id = passwords.find_link(conn, secret, now)
            if not there or not passwords.use_link(conn, secret):
                raise Unknown("this link was used already, or is too old; ask for another one", "link")
            user = _user(conn, user_id) or _first_user(conn, name, now, browser)
            return _begin(conn, user, hash_, now, browser)

    def sign_in(self, account: str, name: str, password: str, browser: Browser) -> str | None:
        """The secret of a new session, None where name and password do not belong together."""
        with self._database.read() as conn:
            user_id = passwords.user_of(conn, account, name)
            stored = passwords.hash_of(conn, user_id) if user_id else None
        if not passwords.is_right(stored, password) or user_id is None:
            return None
        now = self._database.now()
        with self._database.begin() as conn:
            user = _user(conn, user_id)
            if user is None or user.account_id is None or passwords.hash_of(conn, user_id) != stored:
                return None
            sessions.forget_old(conn, now)
            return _started(conn, user.account_id, user, now, browser)

    def session(self, secret: str) -> Session | None:
        """The session of a cookie, None where it is none that can be used now."""
        now = self._database.now()
        with self._database.read() as conn:
            found = sessions.find(conn, secret, now)
        if found is not None and now - found.seen_at > sessions.NOTED_EVERY:
            self._note(found.id, now)
        return found

    def _note(self, session_id: str, now: float) -> None:
        """A database that cannot be written to now keeps nobody from reading."""
        try:
            with self._database.begin() as conn:
                sessions.note_use(conn, session_id, now)
        except Unavailable:
            return

    def end(self, session: Session, address: str) -> None:
        """Signs out, from that address."""
        now = self._database.now()
        with self._database.begin() as conn:
            sessions.end(conn, session.account_id, session.id)
            session_events.ended(conn, [session], now, session.actor(address), "signed_out")

    def follow(self, secret: str, browser: Browser) -> str | None:
        """Follows a link to embed. Returns the secret of the session that begins, None where it cannot be followed."""
        now = self._database.now()
        with self._database.begin() as conn:
            fresh = sessions.open_offer(conn, secret, now, browser.address, browser.agent)
            if fresh is not None:
                session_events.started(conn, fresh, now, browser.address)
            return fresh


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Of one account: who is signed in, and who may set a password."""

    _database: Database
    _account_id: int
    _actor: Actor

    def sessions(self, user_id: str | None = None) -> list[Session]:
        """Those that can be used now, of everybody or of one user, the last used first."""
        with self._database.read() as conn:
            return sessions.of_account(conn, self._account_id, self._database.now(), _LISTED, user_id)

    def end(self, session_id: str, user_id: str | None = None) -> None:
        """Ends a session at once, of one user alone where that is given. Raises `Unknown`."""
        now = self._database.now()
        with self._database.begin() as conn:
            found = sessions.with_id(conn, self._account_id, session_id, now)
            if user_id is not None and (found is None or found.user_id != user_id):
                raise Unknown("there is no such session; it may have ended by itself", "session_id")
            sessions.end(conn, self._account_id, session_id)
            session_events.ended(conn, [found] if found else [], now, self._actor, "ended")

    def link_for(self, user_id: str) -> str:
        """The secret of a link with which a user sets a password. Raises `Unknown`."""
        now = self._database.now()
        with self._database.begin() as conn:
            user = users.find(conn, self._account_id, user_id)
            session_events.link_made(conn, user, now, self._actor)
            return passwords.link_of(conn, user, now)

    def having_password(self, user_ids: list[str]) -> set[str]:
        """Those of the users who can sign in."""
        with self._database.read() as conn:
            return passwords.having(conn, user_ids)

    def change_password(self, user_id: str, old: str, new: str, browser: Browser) -> str:
        """Changes a user's own password. All their sessions end; returns the secret of a new one. Raises `Invalid`."""
        with self._database.read() as conn:
            stored = passwords.hash_of(conn, user_id)
        if not passwords.is_right(stored, old):
            raise Invalid("this is not your password", "old_password")
        passwords.require_usable(new)
        hash_, now = passwords.hashed(new), self._database.now()
        with self._database.begin() as conn:
            if passwords.hash_of(conn, user_id) != stored:  # set by a link meanwhile
                raise Invalid("this is not your password", "old_password")
            return _begin(conn, users.find(conn, self._account_id, user_id), hash_, now, browser)


def _user(conn: Connection, user_id: str | None) -> User | None:
    return users.with_id(conn, user_id) if user_id else None


def _first_user(conn: Connection, name: str, now: float, browser: Browser) -> User:
    """A super admin of the default account: one who is known by that name already, or a new one."""
    if passwords.anybody_has_one(conn):
        raise Unknown("this link was used already, or is too old; ask for another one", "link")
    account_id = domains.find_account(conn, DEFAULT_ACCOUNT)
    try:
        user = users.find_named(conn, account_id, name)
    except Unknown:
        actor = Actor(" ".join(name.split()), browser.address)
        return users.add(conn, account_id, name, Role.SUPER_ADMIN, now, actor)
    if user.role is not Role.SUPER_ADMIN:
        raise Invalid(f"{user.name!r} is a user who may not set this up; choose another name", "name")
    return user


def _begin(conn: Connection, user: User, hash_: str, now: float, browser: Browser) -> str:
    """Whoever has a new password is signed in with it, and nobody is with an old one."""
    if user.account_id is None:
        raise Invalid("an operator has no page; use an API key", "name")
    passwords.store(conn, user.id, hash_, now)
    passwords.forget_first_links(conn)
    actor = session_events.password_set(conn, user, now, browser.address)
    session_events.ended(conn, sessions.those_of(conn, user.id, now), now, actor, "password_set")
    sessions.end_all_of(conn, user.id)
    return _started(conn, user.account_id, user, now, browser)


def _started(conn: Connection, account_id: int, user: User, now: float, browser: Browser) -> str:
    secret = sessions.begin(conn, Wanted(account_id, user.id), now, browser.address, browser.agent)
    session_events.started(conn, secret, now, browser.address)
    return secret
