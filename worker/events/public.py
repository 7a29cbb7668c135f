"""The document of an event: thin, so that it may go anywhere. Ids and numbers, no address, no server's words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from settings_store.actors import SERVICE, Actor
from settings_store.events.administration import EncryptionKeyRotated
from settings_store.events.event import Event
from settings_store.events.kinds import KINDS, IncidentEvent, IncidentOpened

NOTICE_RAISED = "notice.raised"
TYPES: Mapping[str, str] = {
    "run.broken_off": "run.stopped",
    "mailboxes.disconnected": "mailbox.disconnected",
    "mailboxes.connected": "mailbox.reconnected",
}
"""Kinds that are called otherwise outside. All the others keep their name."""

_OF_NO_ACCOUNT = frozenset({EncryptionKeyRotated.KIND})
ALL_TYPES = frozenset({NOTICE_RAISED, *(TYPES.get(kind, kind) for kind in KINDS.keys() - _OF_NO_ACCOUNT)})
"""Every type that an account is told."""

_PREFIXES = {
    "change": "chg",
    "run": "run",
    "incident": "inc",
    "user": "usr",
    "api_key": "key",
    "session": "ses",
    "password": "usr",
    "webhook_endpoint": "whe",
    "alert_channel": "alc",
    "maintenance": "mnt",
    "connection": "con",
    "mailbox": "con",
}
_CAUSES = {"applied": "chg", "rolled_back": "chg", "checked": "run", "server": "inc"}
_HIDDEN = frozenset({"detail", "named", "change_id", "user", "key_name", "shown", "channel", "origins"})
COMMAND = "command"
"""The actor where somebody has used the command on the service's machine."""


@dataclass(frozen=True, slots=True)
class PublicEvent:
    """`seq` is the order, and what a reader goes on after. `at` is UTC seconds since 1970.

    `subject` is the prefixed id of a change, run or incident, or the name of a domain; `data` what the type has beyond
    that. `actor` is the id of an API key, `command`, or the service itself: names may be people's addresses, which the
    audit has, and nobody else.
    """

    seq: int
    type: str
    at: float
    domain: str | None
    subject: str
    actor: str
    data: Mapping[str, Any]

    @property
    def id(self) -> str:
        """The same wherever the event is told."""
        return id_of(self.seq)


def id_of(seq: int) -> str:
    """The id of the event with that number in the order."""
    return f"evt_{seq:012d}"


def seq_of(event_id: str) -> int | None:
    """The order of an event with that id, None for a text that is none."""
    head, _, number = event_id.partition("_")
    return int(number) if head == "evt" and number.isascii() and number.isdecimal() and len(number) <= 18 else None


def type_of(event: Event) -> str:
    """What an event is called outside. A warning ahead of time is an incident to us, and a notice to others."""
    if isinstance(event, IncidentOpened) and event.scope == "notice":
        return NOTICE_RAISED
    return TYPES.get(event.kind, event.kind)


def public(event: Event, domain: str | None) -> PublicEvent:
    """An event's document; `domain` is the name of the domain it concerns, None where that is several, or none."""
    payload = event.payload
    data = {name: value for name, value in payload.items() if name not in _HIDDEN}
    if payload.get("change_id"):
        data["change_id"] = f"chg_{payload['change_id']}"
    if payload.get("cause_id") and (prefix := _CAUSES.get(payload.get("cause", ""))):
        data["cause_id"] = f"{prefix}_{payload['cause_id']}"
    return PublicEvent(event.seq, type_of(event), event.at, domain, _subject(event, domain), _actor(event.actor), data)


def _actor(actor: Actor) -> str:
    if actor.api_key_id:
        return f"key_{actor.api_key_id}"
    return SERVICE.name if actor == SERVICE else COMMAND


def _subject(event: Event, domain: str | None) -> str:
    if event.subject.startswith("domain:"):
        return domain or event.payload.get("name", "")
    kind = "incident" if isinstance(event, IncidentEvent) else event.kind.partition(".")[0]
    prefix = _PREFIXES.get(kind)
    return f"{prefix}_{event.subject}" if prefix else event.subject
