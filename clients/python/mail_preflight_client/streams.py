"""Server-sent events (WHATWG HTML, 9.2): read as they come, and taken up again where a connection broke."""

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from mail_preflight_client.errors import ApiError, StreamInterrupted
from mail_preflight_client.transport import UNREACHABLE, Transport, passing

_RETRY_SECONDS = 1.0
_GIVE_UP = 10
_FOR_GOOD = frozenset({"removed", "key_revoked"})


@dataclass(frozen=True, slots=True)
class Frame:
    """One event of a stream. `id` is '' where it has none: it was not written down, and says how things are."""

    id: str
    name: str
    data: Any


def frames(lines: Iterable[str]) -> Iterator[Frame]:
    """The events in lines of a stream. What has an id and says nothing has no name, and None as its data.

    Comments and fields that mean nothing to us are passed over, and so is what the stream breaks off in.
    """
    last_id = name = ""
    data: list[str] = []
    for line in lines:
        if not line:
            if data:
                yield Frame(last_id, name or "message", json.loads("\n".join(data)))
            elif last_id:
                yield Frame(last_id, "", None)
            last_id, name, data = "", "", []
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "id":
            last_id = value
        elif field == "event":
            name = value
        elif field == "data":
            data.append(value)


def follow(transport: Transport, path: str, after: str | None = None) -> Iterator[Frame]:
    """The events of a stream, over as many connections as that takes. Ends with `finished`.

    Raises `StreamInterrupted` where the service cannot go on from the last event, `ApiError`, and what `requests`
    raises when it cannot be reached for long.
    """
    last, failures = after, 0
    while True:
        try:
            for frame in _connection(transport, path, last):
                failures, last = 0, frame.id or last
                if frame.name:
                    yield frame
                if frame.name == "finished":
                    return
        except (ApiError, *UNREACHABLE) as error:
            failures += 1
            if failures >= _GIVE_UP or (isinstance(error, ApiError) and not passing(error.status)):
                raise
        time.sleep(_RETRY_SECONDS)


def _connection(transport: Transport, path: str, last: str | None) -> Iterator[Frame]:
    """The events of one connection; how it ends is no event."""
    headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last} if last else {})
    with transport.stream(path, headers=headers) as answer:
        for frame in frames(line.decode() for line in answer.iter_lines()):
            if frame.name == "resync":
                raise StreamInterrupted("what came after the last event is not known any more", frame.data["latest_id"])
            if frame.name == "closing":
                if frame.data["reason"] in _FOR_GOOD:
                    raise StreamInterrupted(f"the stream has ended: {frame.data['reason']}")
                return
            yield frame
