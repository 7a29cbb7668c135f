"""Events in the form of `text/event-stream` (WHATWG HTML, section 9.2)."""

import json
from collections.abc import Mapping
from typing import Any

from web.documents import Prefix, public_id
from worker.events.document import document
from worker.events.following import Now, Seen
from worker.events.public import PublicEvent, id_of

HEARTBEAT = b":\n\n"
RETRY_MILLISECONDS = 2000


def begin(after: int) -> bytes:
    """What a stream begins with: when to come back, and what to go on after if nothing comes before it breaks."""
    return f"retry: {RETRY_MILLISECONDS}\nid: {id_of(after)}\n\n".encode()


def stored(event: PublicEvent) -> bytes:
    """An event that was written down."""
    return f"id: {event.id}\n".encode() + _frame(event.type, document(event))


def resync(latest: int) -> bytes:
    """What came before `latest` is not known: the reader looks at how things are now, and goes on."""
    return f"id: {id_of(latest)}\n".encode() + _frame("resync", {"latest_id": id_of(latest)})


def closing(reason: str) -> bytes:
    """The last of a stream: the reader comes back, and goes on after the last id."""
    return _frame("closing", {"reason": reason})


def progress(change_id: str, now: Now) -> bytes:
    """How far a change is. It is no event that was written down, and has no id."""
    return _frame("progress", {**_head(change_id, now), "done": now.done, "total": now.total, "counts": now.counts})


def endpoint(change_id: str, now: Now, seen: Seen) -> bytes:
    """What one endpoint came to."""
    told = {"protocol": seen.protocol, "host": seen.host, "port": seen.port, "verdict": seen.verdict, "code": seen.code}
    return _frame("endpoint", {"change_id": public_id(Prefix.CHANGE, change_id), "run_id": _run(now), **told})


def finished(change_id: str, now: Now) -> bytes:
    """The verification is over. `code` is why mailboxes were left untried, null where none were."""
    more = {"counts": now.counts, "checksum": now.checksum, "code": now.code}
    return _frame("finished", {**_head(change_id, now), **more})


def _head(change_id: str, now: Now) -> dict[str, Any]:
    change = public_id(Prefix.CHANGE, change_id)
    return {"change_id": change, "run_id": _run(now), "state": now.state, "stage": now.stage}


def _run(now: Now) -> str | None:
    return public_id(Prefix.RUN, now.run_id) if now.run_id else None


def _frame(name: str, data: Mapping[str, Any]) -> bytes:
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))  # it has no line ends: they are escaped
    return f"event: {name}\ndata: {text}\n\n".encode()
