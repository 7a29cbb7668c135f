"""The use cases of access: API keys and users of one account, or the operators' own."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection

from checks.model import Invalid, Unknown
from settings_store import domains
from settings_store.access import api_keys, users
from settings_store.access.api_keys import ApiKey, Grant, KeyRequest
from settings_store.access.key_format import PlainKey
from settings_store.access.roles import RIGHTS, Right, Role
from settings_store.access.users import User
from settings_store.actors import Actor
from settings_store.db import Database


class Exceeds(Invalid):
    """More would be given away than the API key itself has that it is asked with."""


@dataclass(frozen=True, slots=True)
class Access:
    """Of one account; of the operators where the account is None.

    Who asks by an API key gives nobody more than that key has: no right, no time. None: whoever runs the command.
    """

    _database: Database
    _account_id: int | None
    _actor: Actor
    _asked_with: ApiKey | None = None

    def create_key(self, wanted: KeyRequest) -> tuple[ApiKey, PlainKey]:
        """A new key, whose text is never shown again. Raises `Invalid` or `Exceeds`."""
        now = self._database.now()
        with self._database.begin() as conn:
            granted = api_keys.grant(conn, self._account_id, wanted, now)
            self._require_within(granted)
            return api_keys.create(conn, self._account_id, granted, now, self._actor)

    def keys(self, after: tuple[float, str] | None = None, limit: int | None = None) -> list[ApiKey]:
        """All keys, revoked ones too, the oldest first; `after` is when a key was created, and its id."""
        with self._database.read() as conn:
            return api_keys.list_keys(conn, self._account_id, after, limit)

    def key(self, key_id: str) -> ApiKey:
        """One key. Raises `Unknown`."""
        with self._database.read() as conn:
            return api_keys.find(conn, self._account_id, key_id)

    def revoke_key(self, key_id: str) -> ApiKey:
        """Ends a key at once. Raises `Unknown`."""
        now = self._database.now()
        with self._database.begin() as conn:
            return api_keys.revoke(conn, self._account_id, key_id, now, self._actor)

    def add_user(self, name: str, role: Role, domain: str | None = None) -> User:
        """A new user; `domain` is a member's. Raises `Invalid` or `Exceeds`."""
        self._require_rights(RIGHTS[role])
        now = self._database.now()
        with self._database.begin() as conn:
            domain_id = self._domain_id(conn, domain)
            return users.add(conn, self._account_id, name, role, now, self._actor, domain_id)

    def users(self, after: str | None = None, limit: int | None = None) -> list[User]:
        """All users by name; `after` is a user's name."""
        with self._database.read() as conn:
            return users.list_users(conn, self._account_id, after, limit)

    def user(self, user_id: str) -> User:
        """The user with an id. Raises `Unknown`."""
        with self._database.read() as conn:
            return users.find(conn, self._account_id, user_id)

    def user_named(self, name: str) -> User:
        """The user of a name. Raises `Unknown`."""
        with self._database.read() as conn:
            return users.find_named(conn, self._account_id, name)

    def change_role(self, user_id: str, role: Role, domain: str | None = None) -> User:
        """Gives a user another role; `domain` is a member's. Raises `Invalid` or `Exceeds`."""
        self._require_rights(RIGHTS[role])
        now = self._database.now()
        with self._database.begin() as conn:
            user = users.find(conn, self._account_id, user_id)
            return users.change_role(conn, user, role, now, self._actor, self._domain_id(conn, domain))

    def remove_user(self, user_id: str) -> User:
        """Removes a user with all their keys. Raises `Unknown`."""
        now = self._database.now()
        with self._database.begin() as conn:
            user = users.find(conn, self._account_id, user_id)
            users.remove(conn, user, now, self._actor)
            return user

    def domain_names(self, found: list[User]) -> dict[int, str]:
        """The names of the domains that users are members of."""
        with self._database.read() as conn:
            return domains.names_of(conn, {user.domain_id for user in found if user.domain_id is not None})

    def _domain_id(self, conn: Connection, domain: str | None) -> int | None:
        if domain is None:
            return None
        with _of_field("domain"):
            if self._account_id is None:
                raise Invalid("an operator belongs to no account, and so to no domain")
            return domains.find_domain(conn, self._account_id, domain).id

    def _require_within(self, granted: Grant) -> None:
        self._require_rights(granted.scopes)
        ours = self._asked_with
        if ours is None:
            return
        if not ours.live and granted.live:
            raise Exceeds("a test key makes no live key", "live")
        if ours.expires_at is not None and (granted.expires_at is None or granted.expires_at > ours.expires_at):
            raise Exceeds("a key that expires makes none that outlives it", "expires_at")

    def _require_rights(self, given: frozenset[Right]) -> None:
        if self._asked_with is not None and (more := sorted(given - self._asked_with.rights)):
            raise Exceeds(f"an API key gives nobody what it does not have itself: {', '.join(more)}", "scopes")


@contextlib.contextmanager
def _of_field(name: str) -> Iterator[None]:
    """What is not known is the mistake of a field here, not of an address."""
    try:
        yield
    except Unknown as error:
        raise Invalid(str(error), name) from None
