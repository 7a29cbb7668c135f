"""The JSON of an event: the same whether it is asked for, streamed or sent."""

from datetime import UTC, datetime
from typing import Any

from worker.events.public import PublicEvent


def document(event: PublicEvent) -> dict[str, Any]:
    """An event as JSON has it, its time in RFC 3339."""
    return {
        "id": event.id,
        "type": event.type,
        "time": rfc3339(event.at),
        "domain": event.domain,
        "subject": event.subject,
        "actor": event.actor,
        "data": dict(event.data),
    }


def rfc3339(seconds: float) -> str:
    """UTC seconds since 1970 as RFC 3339 has it, to the millisecond."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
