"""Server-sent events (WHATWG HTML, 9.2): read as they come, and taken up again where a connection broke."""

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import requests

from mail_preflight_client.errors import StreamInterrupted
from mail_preflight_client.transport import Transport

_RETRY_SECONDS = 1.0
_GIVE_UP = 10


@dataclass(frozen=True, slots=True)
class Frame:
    """One event of a stream. `id` is '' where it has none."""

    id: str
    name: str
    data: Any


def frames(lines: Iterable[str]) -> Iterator[Frame]:
    """The events in lines of a stream; comments and fields that mean nothing to us are passed over."""
    last_id = name = ""
    data: list[str] = []
    for line in lines:
        if not line:
            if data:
                yield Frame(last_id, name or "message", json.loads("\n".join(data)))
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

    Raises `StreamInterrupted` where the service cannot go on from the last event, and what `requests` raises when it
    cannot be reached for long.
    """
    last, failures = after, 0
    while True:
        try:
            headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last} if last else {})
            with transport.stream(path, headers=headers) as answer:
                for frame in frames(line.decode() for line in answer.iter_lines()):
                    failures = 0
                    last = frame.id or last
                    if frame.name == "resync":
                        raise StreamInterrupted("read the present state, and follow the stream from there")
                    yield frame
                    if frame.name == "finished":
                        return
        except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError):
            failures += 1
            if failures >= _GIVE_UP:
                raise
        time.sleep(_RETRY_SECONDS)
