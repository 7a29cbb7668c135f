"""The use cases of access: API keys and users of one account, or the operators' own."""

from dataclasses import dataclass

from settings_store import domains
from settings_store.access import api_keys, users
from settings_store.access.api_keys import ApiKey, KeyRequest
from settings_store.access.key_format import PlainKey, parse
from settings_store.access.roles import Role
from settings_store.access.users import User
from settings_store.actors import Actor
from settings_store.db import Database


@dataclass(frozen=True, slots=True)
class Access:
    """Of one account; of the operators where `account_id` is None."""

    database: Database
    account_id: int | None
    actor: Actor

    def create_key(self, wanted: KeyRequest) -> tuple[ApiKey, PlainKey]:
        """A new key, whose text is never shown again. Raises `Invalid`."""
        with self.database.begin() as conn:
            return api_keys.create(conn, self.account_id, wanted, self.database.now(), self.actor)

    def keys(self) -> list[ApiKey]:
        """All keys, revoked ones too, the oldest first."""
        with self.database.read() as conn:
            return api_keys.list_keys(conn, self.account_id)

    def key(self, key_id: str) -> ApiKey:
        """One key. Raises `Unknown`."""
        with self.database.read() as conn:
            return api_keys.find(conn, self.account_id, key_id)

    def revoke_key(self, key_id: str) -> ApiKey:
        """Ends a key at once. Raises `Unknown`."""
        with self.database.begin() as conn:
            return api_keys.revoke(conn, self.account_id, key_id, self.database.now())

    def add_user(self, name: str, role: Role, domain: str | None = None) -> User:
        """A new user; `domain` is a member's. Raises `Invalid`."""
        with self.database.begin() as conn:
            domain_id = None
            if domain is not None and self.account_id is not None:
                domain_id = domains.find_domain(conn, self.account_id, domain).id
            return users.add(conn, self.account_id, name, role, self.database.now(), domain_id)

    def users(self) -> list[User]:
        """All users by name."""
        with self.database.read() as conn:
            return users.list_users(conn, self.account_id)

    def user(self, user_id: str) -> User:
        """The user with an id, or of a name. Raises `Unknown`."""
        with self.database.read() as conn:
            return users.find(conn, self.account_id, user_id)

    def remove_user(self, user_id: str) -> User:
        """Removes a user, by id or name, with all their keys. Raises `Unknown`."""
        with self.database.begin() as conn:
            return users.remove(conn, self.account_id, user_id)


def authenticate(database: Database, text: str, address: str) -> ApiKey | None:
    """The key that a request from `address` came with, None where it is none that can be used now."""
    plain = parse(text)
    if plain is None:
        return None
    now = database.now()
    with database.read() as conn:
        key = api_keys.authenticate(conn, plain, now)
    if key is not None and api_keys.used_long_ago(key, address, now):
        with database.begin() as conn:
            return api_keys.note_use(conn, key, address, now)
    return key
