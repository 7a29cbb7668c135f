"""Who does something."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Actor:
    """`name` is a user's name, `source` the address they came from ('' where there is none, as for ourselves).

    `api_key_id` is the key that they used, '' where they came by another way. `person` tells people apart, whatever key
    they use: `user:ID` of the account, `local:NAME` of this machine; '' for a program. It is not kept with events.
    """

    name: str
    source: str = ""
    api_key_id: str = ""
    person: str = field(default="", compare=False)


def of_user(user_id: str) -> str:
    """A user of the account, as a person."""
    return f"user:{user_id}"


def of_machine(name: str) -> str:
    """A user of the machine on which commands are run, as a person."""
    return f"local:{name}"


SERVICE = Actor("mail-preflight")
