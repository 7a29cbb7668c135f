"""Who does something."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Actor:
    """`name` is a user's name, `source` the address they came from ('' where there is none, as for ourselves).

    `api_key_id` is the key that they used, '' where they came by another way.
    """

    name: str
    source: str = ""
    api_key_id: str = ""


SERVICE = Actor("mail-preflight")
