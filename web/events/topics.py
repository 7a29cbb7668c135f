"""What somebody waits for: one change, or all of an account. Watchers of the same share what was read and rendered.

Everything here is touched by the event loop's thread alone. A watcher has no buffer of its own but a place in the
topic's; one that falls behind reads the rest from the database.
"""

import asyncio
import time
from collections import deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from web.events import frames
from worker.events.following import Now, Seen
from worker.events.public import PublicEvent

_KEPT = 1000  # stored events, for all watchers of a topic together


@dataclass(frozen=True, slots=True)
class Place:
    """Where a reader is: after which stored event, and after which version of the state."""

    seq: int
    version: int = 0


@dataclass(frozen=True, slots=True)
class _Stored:
    seq: int
    type: str
    frame: bytes


@dataclass(eq=False)
class Topic:
    """`change_id` is '' for all of an account. All stored events above `floor`, up to `upto`, are in here."""

    account_id: int
    change_id: str = ""
    ready: bool = False
    gone: bool = False
    floor: int = 0
    upto: int = 0
    now: Now | None = None
    moved: int = 0
    """How often an event came or the state became another; progress alone does not count."""
    watchers: set[asyncio.Event] = field(default_factory=set)
    _log: deque[_Stored] = field(default_factory=deque)
    _version: int = 0
    _woken_at: float = 0.0
    _alarm: asyncio.TimerHandle | None = None
    _state: list[tuple[int, bytes]] = field(default_factory=list)
    _finished: tuple[int, bytes] | None = None
    _endpoints: set[Seen] = field(default_factory=set)

    def begin(self, floor: int, upto: int, events: Iterable[PublicEvent]) -> None:
        """What was there when the first watcher came."""
        self.floor, self.ready = floor, True
        self.add(events, upto)
        self.wake()

    def add(self, events: Iterable[PublicEvent], upto: int) -> None:
        """Stored events up to the number `upto`, in their order."""
        for event in events:
            self._log.append(_Stored(event.seq, event.type, frames.stored(event)))
            self.moved += 1
            if len(self._log) > _KEPT:
                self.floor = self._log.popleft().seq
        self.upto = max(self.upto, upto)

    def stands(self, now: Now | None) -> None:
        """How the change stands; None: it is not there any more."""
        before, self.now, self.gone = self.now, now, now is None
        if now is None or now == before:
            return
        if before is None or before.state is not now.state:
            self.moved += 1
        self._version += 1
        if before is None or before.run_id != now.run_id:
            self._state, self._endpoints = [], set()
        self._state = [each for each in self._state if not each[1].startswith(b"event: progress")]
        self._state.append((self._version, frames.progress(self.change_id, now)))
        for seen in now.endpoints:
            if seen not in self._endpoints:
                self._endpoints.add(seen)
                self._state.append((self._version, frames.endpoint(self.change_id, now, seen)))
        self._finish(before, now)

    def _finish(self, before: Now | None, now: Now) -> None:
        if not now.ended:
            self._finished = None
        elif before is None or not before.ended or (before.run_id, before.checksum) != (now.run_id, now.checksum):
            self._finished = (self._version, frames.finished(self.change_id, now))

    def tell(self, pause: float) -> None:
        """Whoever waits looks again, `pause` seconds after they last did: what wakes many at a time is what costs."""
        rest = self._woken_at + pause - time.monotonic()
        if rest <= 0:
            self.wake()
        elif self._alarm is None:
            self._alarm = asyncio.get_running_loop().call_later(rest, self.wake)

    def wake(self) -> None:
        """Whoever waits looks again."""
        self._woken_at, alarm = time.monotonic(), self._alarm
        if alarm is not None:
            alarm.cancel()
            self._alarm = None
        for watcher in self.watchers:
            watcher.set()

    def news(self, place: Place, types: Collection[str] = ()) -> tuple[bytes, Place]:
        """All there is after a place that is not below the floor, stored events of these types only, and where it ends.

        What belongs to the state comes first, but for its end, which the stored events lead up to.
        """
        told = [frame for version, frame in self._state if version > place.version]
        told += [each.frame for each in self._since(place.seq) if not types or each.type in types]
        if self._finished and self._finished[0] > place.version:
            told.append(self._finished[1])
        return b"".join(told), Place(max(place.seq, self.upto), self._version)

    def _since(self, seq: int) -> Iterable[_Stored]:
        newest = []
        for each in reversed(self._log):
            if each.seq <= seq:
                break
            newest.append(each)
        return reversed(newest)
