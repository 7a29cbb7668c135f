"""Who a request is from."""

from dataclasses import dataclass

from settings_store.access.api_keys import ApiKey
from settings_store.access.roles import Right
from settings_store.actors import Actor, of_user


@dataclass(frozen=True, slots=True)
class Caller:
    """The API key that a request came with, and the address it came from."""

    key: ApiKey
    address: str

    @property
    def rights(self) -> frozenset[Right]:
        """What they may do."""
        return self.key.rights

    @property
    def actor(self) -> Actor:
        """Who is written down to have done it: the user, or the key of the host app."""
        user_id = self.key.user_id
        name = self.key.user_name or f"API key {self.key.name}"
        return Actor(name, self.address, self.key.id, of_user(user_id) if user_id else "")
