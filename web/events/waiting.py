"""A request that is answered when there is news of a change, or when its time is up: `GET /v1/changes/{id}?wait=30`."""

import asyncio
import contextlib
import hashlib
import time
from collections.abc import Callable, Iterator
from typing import Annotated, Any

from fastapi import Depends, Header, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from settings_store.changes.lifecycle import ChangeState
from web.documents import Document
from web.events.hub import Hub
from web.events.stream import left, ready, waited
from web.events.topics import Topic

LONGEST_SECONDS = 60

Wait = Annotated[int, Query(ge=0, le=LONGEST_SECONDS, description="Seconds to wait for news, at most.")]
While = Annotated[
    ChangeState | None,
    Query(description="Wait while the change is in this state. Without it, and without If-None-Match: verifying."),
]
IfNoneMatch = Annotated[
    str | None, Header(max_length=1000, description="The ETag of the change as it is known: waits for another.")
]


class Waiting:
    """What a request is willing to wait for."""

    def __init__(
        self, request: Request, wait: Wait = 0, state: While = None, if_none_match: IfNoneMatch = None
    ) -> None:
        self._request, self._seconds, self._known = request, wait, if_none_match
        self._state = state if state or if_none_match else ChangeState.VERIFYING

    async def answer(self, account_id: int, change_id: str, read: Callable[[], Any]) -> Response:
        """The document that `read` gives, when it is news or the time is up; 304 where it is the one that is known.

        `read` raises for a change that the account does not have; its document has a `state`.
        """
        found = await run_in_threadpool(read)
        if self._seconds and not self._is_news(found):
            found = await self._later(account_id, change_id, found, read)
        tag = etag(found)
        if self._knows(tag):
            return Response(status_code=304, headers={"ETag": tag})
        return JSONResponse(found.model_dump(mode="json"), headers={"ETag": tag})

    async def _later(self, account_id: int, change_id: str, found: Any, read: Callable[[], Any]) -> Any:
        hub: Hub = self._request.app.state.hub
        key_id = self._request.state.caller.key.id
        until, moved = time.monotonic() + self._seconds, -1
        with (
            hub.place(key_id),
            hub.watch(account_id, change_id) as (topic, wake),
            _leaving(self._request, wake) as gone,
        ):
            await ready(topic, wake, gone)
            while not (gone.done() or hub.over(key_id) or topic.gone):
                wake.clear()
                if moved != topic.moved and self._may_be_news(topic):
                    moved, found = topic.moved, await run_in_threadpool(read)
                if self._is_news(found) or not await waited(wake, until - time.monotonic()):
                    break
        return found

    def _may_be_news(self, topic: Topic) -> bool:
        """Whether the change is to be read again: where only the state matters, the topic knows it."""
        return self._known is not None or topic.now is None or topic.now.state is not self._state

    def _is_news(self, found: Any) -> bool:
        if self._state is not None and found.state is not self._state:
            return True
        return self._known is not None and not self._knows(etag(found))

    def _knows(self, tag: str) -> bool:
        known = [each.strip().removeprefix("W/") for each in (self._known or "").split(",")]
        return tag in known or "*" in known


def waiting() -> Any:
    """How long the request waits: `waiting: Annotated[Waiting, waiting()]`."""
    return Depends(Waiting)


def etag(document: Document) -> str:
    """What changes when the document does (RFC 9110, section 8.8.3)."""
    return f'"{hashlib.sha256(document.model_dump_json().encode()).hexdigest()[:32]}"'


@contextlib.contextmanager
def _leaving(request: Request, wake: asyncio.Event) -> "Iterator[asyncio.Future[None]]":
    """A task that ends when whoever asks has gone."""
    task = asyncio.ensure_future(left(request.receive))
    task.add_done_callback(lambda _: wake.set())
    try:
        yield task
    finally:
        task.cancel()
