"""What every event has, of whatever kind."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

from settings_store.actors import SERVICE, Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened to `subject`: the id of a change, run or incident, or `domain:17` for its mailboxes.

    `account_id` is None for what is the operator's, `domain_id` for what concerns several domains, or none. `at` is UTC
    seconds since 1970, by a clock that may be put back. `seq` is given by the database (0 before) and is the order.
    """

    KIND: ClassVar[str] = ""

    subject: str
    at: float
    account_id: int | None = None
    domain_id: int | None = None
    actor: Actor = SERVICE
    seq: int = 0

    @property
    def kind(self) -> str:
        """As stored."""
        return self.KIND

    @property
    def payload(self) -> dict[str, Any]:
        """What this kind has beyond every event, as JSON."""
        return {item.name: getattr(self, item.name) for item in fields(self) if item.name not in _COMMON}


_COMMON = frozenset(item.name for item in fields(Event))


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherEvent(Event):
    """An event of a kind that a newer version of this program has written."""

    name: str
    found: Mapping[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        return self.name

    @property
    def payload(self) -> dict[str, Any]:
        return dict(self.found)
