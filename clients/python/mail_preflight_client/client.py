"""The client: what a host app holds."""

import math
import time
from collections.abc import Iterator
from typing import Any, Self

from mail_preflight_client.documents import ChangeDocument, EventDocument, EventsPage
from mail_preflight_client.resources import Changes, Domains, Mailboxes, WebhookEndpoints
from mail_preflight_client.streams import Frame, follow
from mail_preflight_client.transport import Transport

_POLL_SECONDS = 30


class Client:
    """The API at `url`, used with a key. Safe to use from one thread at a time."""

    def __init__(self, url: str, key: str, *, timeout: float = 60.0) -> None:
        self._transport = Transport(url, key, timeout)
        self.domains = Domains(self._transport)
        self.mailboxes = Mailboxes(self._transport)
        self.changes = Changes(self._transport)
        self.webhook_endpoints = WebhookEndpoints(self._transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        self._transport.close()

    def wait_for_change(self, change_id: str, timeout: float = 600.0) -> ChangeDocument:
        """The change once it is not being verified any more, by long polls. Raises `TimeoutError`.

        That is `verified`, unless somebody has cancelled, discarded or replaced it meanwhile.
        """
        end = time.monotonic() + timeout
        while True:
            left = max(0.0, end - time.monotonic())
            change = self.changes.get(change_id, wait=min(_POLL_SECONDS, math.ceil(left)))
            if change["state"] != "verifying":
                return change
            if left <= 0:
                raise TimeoutError(f"change {change_id} is being verified after {timeout:.0f} seconds")

    def follow_change(self, change_id: str, after: str | None = None) -> Iterator[Frame]:
        """What happens to a change, as it happens, until its verification has finished.

        Raises `StreamInterrupted` where the events after `after` are not known any more, or the change was removed.
        """
        return follow(self._transport, f"/v1/changes/{change_id}/events", after)

    def events(self, after: str | None = None, **filters: str) -> Iterator[EventDocument]:
        """What happened in the account after an event, oldest first; filters are `types` and `domain`."""
        # The cursor of this list is an event's id, and takes the place of `after`.
        while True:
            page = self._transport.document(EventsPage, "GET", "/v1/events", query={"after": after, **filters})
            yield from page["items"]
            if page["next_cursor"] is None:
                return
            after = page["next_cursor"]

    def request(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """Any other path of the API: its JSON. Raises `ApiError`."""
        return self._transport.json(method, path, body=body, query=query)
