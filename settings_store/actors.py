"""Who does something."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Actor:
    """`name` is a user's name, `source` the address they came from ('' where there is none, as for ourselves)."""

    name: str
    source: str = ""


SERVICE = Actor("mail-preflight")
