"""An answer that goes on: server-sent events of a change, or of all of an account."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from checks.model import Unavailable
from web.events import frames
from web.events.hub import Hub
from web.events.topics import Place, Topic
from worker.events.reading import Page, Resync

_READY_SECONDS = 10.0
MEDIA_TYPE: Final = "text/event-stream"
_HEADERS = [
    (b"content-type", MEDIA_TYPE.encode()),
    (b"x-accel-buffering", b"no"),  # nginx would keep it back until it has a page full
]


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a stream is of, and for whom. `read` gives stored events after a number, for whoever has fallen behind.

    `after` is the number to go on after; None: all that is shown of a change, or what comes from now on of an account.
    `lost`: what came before `after` is not known.
    """

    key_id: str
    account_id: int
    change_id: str
    read: Callable[[int], Page]
    after: int | None = None
    lost: bool = False
    types: Collection[str] = ()


class EventStream(Response):
    """Sends what is new until the reader leaves, the server stops, the key is revoked or the time is over."""

    def __init__(self, hub: Hub, of: Subscription, heartbeat: float, longest: float) -> None:
        super().__init__(media_type=MEDIA_TYPE)
        self._hub, self._of, self._heartbeat, self._longest = hub, of, heartbeat, longest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 -- as ASGI has it
        of = self._of
        with self._hub.place(of.key_id), self._hub.watch(of.account_id, of.change_id) as (topic, wake):
            leaving = asyncio.ensure_future(left(receive))
            leaving.add_done_callback(lambda _: wake.set())
            try:
                await self._stream(topic, wake, leaving, send)
            finally:
                leaving.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await leaving

    async def _stream(self, topic: Topic, wake: asyncio.Event, leaving: "asyncio.Future[None]", send: Send) -> None:
        until = time.monotonic() + self._longest
        await ready(topic, wake, leaving)
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        text, place = self._begin(topic)
        pulse = Pulse(wake, self._heartbeat, until)
        try:
            while not leaving.done():
                wake.clear()
                more, place = await self._news(topic, place, wake)
                text += more
                if reason := self._over(topic, until):
                    last = text + frames.closing(reason)
                    await send({"type": "http.response.body", "body": last, "more_body": False})
                    return
                if text or pulse.is_due:
                    await send({"type": "http.response.body", "body": text or frames.HEARTBEAT, "more_body": True})
                    pulse.sent()
                text = b""
                await wake.wait()  # what came while it was sent has set it again
        finally:
            pulse.end()

    def _begin(self, topic: Topic) -> tuple[bytes, Place]:
        of = self._of
        begin = topic.floor if of.change_id else topic.upto
        place = Place(begin if of.after is None else of.after)
        return frames.begin(place.seq) + (frames.resync(place.seq) if of.lost else b""), place

    async def _news(self, topic: Topic, place: Place, wake: asyncio.Event) -> tuple[bytes, Place]:
        """What is new after a place; from the database what the topic has no more."""
        if place.seq >= topic.floor:
            return topic.news(place, self._of.types)
        try:
            page = await run_in_threadpool(self._of.read, place.seq)
        except Resync as error:
            wake.set()
            return frames.resync(error.latest), replace(place, seq=error.latest)
        wake.set()  # the next look is at once
        return b"".join(frames.stored(event) for event in page.events), replace(place, seq=page.after)

    def _over(self, topic: Topic, until: float) -> str:
        if topic.gone:
            return "removed"
        return self._hub.over(self._of.key_id) or ("time" if time.monotonic() >= until else "")


class Pulse:
    """Sets an event when nothing was sent for so long, and when the time is over. One timer, however much is sent."""

    def __init__(self, wake: asyncio.Event, seconds: float, until: float) -> None:
        self._wake, self._seconds, self._sent_at = wake, seconds, time.monotonic()
        self._loop = asyncio.get_running_loop()
        self._last = self._loop.call_later(max(until - self._sent_at, 0), wake.set)
        self._timer = self._loop.call_later(seconds, self._ring)

    @property
    def is_due(self) -> bool:
        """Whether nothing was sent for so long."""
        return time.monotonic() - self._sent_at >= self._seconds

    def sent(self) -> None:
        """Something was sent just now."""
        self._sent_at = time.monotonic()

    def end(self) -> None:
        """Nobody is woken any more."""
        self._timer.cancel()
        self._last.cancel()

    def _ring(self) -> None:
        left_over = self._sent_at + self._seconds - time.monotonic()
        if left_over <= 0:
            self._wake.set()
        self._timer = self._loop.call_later(left_over if left_over > 0 else self._seconds, self._ring)


async def ready(topic: Topic, wake: asyncio.Event, leaving: "asyncio.Future[None]") -> None:
    """Returns when it is known how things are, or whoever asks has gone. Raises `Unavailable`."""
    until = time.monotonic() + _READY_SECONDS
    while not (topic.ready or leaving.done()):
        wake.clear()
        if not await waited(wake, until - time.monotonic()):
            raise Unavailable("the database was not read in time; try again in a moment")


async def left(receive: Receive) -> None:
    """Returns when whoever asked has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def waited(wake: asyncio.Event, seconds: float) -> bool:
    """Whether the event was set before that time was over."""
    try:
        async with asyncio.timeout(max(seconds, 0)):
            await wake.wait()
    except TimeoutError:
        return False
    return True
