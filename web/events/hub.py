"""Reads the database for all who wait, in one thread of the process, and only while somebody does.

News is looked for, and not announced by PostgreSQL: a few statements a second, however many wait, and the same code for
SQLite. The pause between two looks is short while there is news, and longer where many watch one change, for what wakes
them all is what costs.
"""

import asyncio
import logging
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from checks.model import Unavailable
from settings_store.changes.lifecycle import ChangeState
from web.events.topics import Topic
from web.problems.codes import ProblemCode
from web.problems.handlers import place_of
from web.problems.problem import Problem
from worker.events import following
from worker.events.following import Now, Told
from worker.events.public import PublicEvent
from worker.service.preflight import Preflight

log = logging.getLogger(__name__)

_QUICK, _IDLE, _TROUBLE = 0.2, 0.5, 1.0
_AWAITED = 0.1  # between two looks at a change that has no verdict yet: somebody has just pressed *Verify*
_QUICK_FOR = 3.0  # seconds after the last news
_LONGEST = 0.65  # between two looks at one change: there is news within a second
_A_WATCHER, _A_MAILBOX = 1.5e-3, 1e-4  # seconds between two looks, for each
_KEYS_EVERY = 5.0
_RETRY_SECONDS = "5"


@dataclass
class _News:
    """What one look has found."""

    upto: int
    begun: list[tuple[Topic, int, list[PublicEvent]]] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    standing: list[tuple[Topic, Now | None]] = field(default_factory=list)
    revoked: frozenset[str] = frozenset()


class Hub:
    """One for each server. `place` and `watch` are of the event loop's thread, `close` of any."""

    def __init__(self, preflight: Preflight) -> None:
        self._preflight, self._most = preflight, preflight.config.web_waiting
        self._lock, self._kick = threading.Lock(), threading.Event()
        self._topics: dict[tuple[int, str], Topic] = {}
        self._keys: Counter[str] = Counter()
        self._revoked: frozenset[str] = frozenset()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self.closing = False

    @contextmanager
    def place(self, key_id: str) -> Iterator[None]:
        """One of the places that a key has for requests that wait. Raises `Problem` when all are taken."""
        if self._keys[key_id] >= self._most:
            detail = f"{self._most} streams and long polls of this API key are open; end one of them"
            headers = {"Retry-After": _RETRY_SECONDS}
            raise Problem(ProblemCode.TOO_MANY_REQUESTS, detail, headers=headers)
        with self._lock:
            self._keys[key_id] += 1
        try:
            yield
        finally:
            with self._lock:
                self._keys[key_id] -= 1
                self._keys += Counter()  # none that is not in use is kept

    @contextmanager
    def watch(self, account_id: int, change_id: str = "") -> Iterator[tuple[Topic, asyncio.Event]]:
        """A change of an account, or all of it, and what is set when it has news."""
        self._loop, wake = asyncio.get_running_loop(), asyncio.Event()
        with self._lock:
            topic = self._topics.setdefault((account_id, change_id), Topic(account_id, change_id))
            topic.watchers.add(wake)
            self._read_along()
        try:
            yield topic, wake
        finally:
            with self._lock:
                topic.watchers.discard(wake)
                if not topic.watchers:
                    self._topics.pop((account_id, change_id), None)
            if not self._topics:
                self._kick.set()

    def over(self, key_id: str) -> str:
        """Why a request of this key must not wait on, '' where it may."""
        if self.closing:
            return "server_stops"
        return "key_revoked" if key_id in self._revoked else ""

    def close(self) -> None:
        """Ends every wait. Nobody waits any more from here on."""
        self.closing = True
        self._kick.set()
        self._in_loop(self._wake_all)
        thread = self._thread
        if thread is not None:
            thread.join(5)

    @property
    def watched(self) -> int:
        """How many topics somebody watches."""
        return len(self._topics)

    @property
    def open(self) -> int:
        """How many requests wait."""
        return self._keys.total()

    # -- the event loop's thread

    def _apply(self, news: _News) -> None:
        for topic, now in news.standing:
            topic.stands(now)
        for topic, floor, events in news.begun:
            topic.begin(floor, news.upto, events)
        begun = {topic for topic, *_ in news.begun}
        ready = [topic for topic in self._topics.values() if topic.ready and topic not in begun]
        by_key: dict[tuple[int, str], list[PublicEvent]] = {}
        for told in news.told:
            for change_id in {"", told.change_id}:
                by_key.setdefault((told.account_id, change_id), []).append(told.event)
        for topic in ready:
            topic.add(by_key.get((topic.account_id, topic.change_id), ()), news.upto)
        moved = [topic for topic, _ in news.standing]
        moved += [topic for topic in ready if (topic.account_id, topic.change_id) in by_key]
        for topic in moved:
            topic.tell(_pause_of(topic))
        if news.revoked:
            self._revoked = news.revoked
            self._wake_all()

    def _wake_all(self) -> None:
        for topic in list(self._topics.values()):
            topic.wake()

    # -- the thread that reads

    def _read_along(self) -> None:
        """The thread, where there is none. The caller holds the lock."""
        self._kick.set()
        if self._thread is None and not self.closing:
            self._thread = threading.Thread(target=self._run, name="events", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        reader = _Reader(self._preflight)
        while topics := self._watched():
            self._kick.clear()
            with self._lock:
                keys = set(self._keys)
            try:
                news = reader.look(topics, keys)
                if not self._in_loop(self._apply, news):
                    break
                pause = reader.pause
            except Unavailable as error:
                log.warning("nobody who waits is told anything: %s", error)
                pause = _TROUBLE
            except Exception as error:  # noqa: BLE001 -- all the others wait on: what failed once may not fail again
                log.error("a look at the events failed: %s", place_of(error))  # its words may hold what is stored
                pause = _TROUBLE
            self._kick.wait(pause)

    def _watched(self) -> list[Topic]:
        """What is to be looked at; nothing, and the thread ends, where nobody watches."""
        with self._lock:
            if self.closing or not self._topics:
                self._thread = None
                return []
            return list(self._topics.values())

    def _in_loop(self, what: object, *arguments: object) -> bool:
        """Has the loop's thread do something. False where the loop has ended."""
        if self._loop is None:
            return False
        try:
            self._loop.call_soon_threadsafe(what, *arguments)  # type: ignore[arg-type] # one of the methods above
        except RuntimeError:
            return False
        return True


class _Reader:
    """What the thread knows from one look to the next."""

    def __init__(self, preflight: Preflight) -> None:
        self._database = preflight.database
        self._upto: int | None = None
        self._begun: set[Topic] = set()
        self._known: dict[str, Now] = {}
        self._due: dict[str, float] = {}
        self._news_at = self._keys_at = time.monotonic()
        self.pause = _IDLE

    def look(self, topics: list[Topic], keys: set[str]) -> _News:
        """All that is new for these topics. Raises `Unavailable`."""
        try:
            return self._look(topics, keys, time.monotonic())
        except Exception:
            self._known = {}  # what was seen this time was told to nobody
            raise

    def _look(self, topics: list[Topic], keys: set[str], now: float) -> _News:
        # How changes stand is read before the events: so the end of a run is told after what led up to it.
        standing = self._standing(topics, now)
        upto = following.settled_upto(self._database)
        news = _News(max(upto, self._upto or 0), standing=standing)
        old = [topic for topic in topics if topic in self._begun]
        if old and self._upto is not None and news.upto > self._upto:
            accounts = {topic.account_id for topic in old}
            news.told = following.between(self._database, accounts, self._upto, news.upto)
        news.begun = [self._begin(topic, news.upto) for topic in topics if topic not in self._begun]
        news.revoked = self._revoked(keys, now)
        self._upto, self._begun = news.upto, set(topics)
        self._set_pause(bool(news.told or standing), now)
        return news

    def _begin(self, topic: Topic, upto: int) -> tuple[Topic, int, list[PublicEvent]]:
        if not topic.change_id:
            return topic, upto, []
        return topic, *following.history(self._database, topic.account_id, topic.change_id, upto)

    def _standing(self, topics: list[Topic], now: float) -> list[tuple[Topic, Now | None]]:
        """Changes that are due to be looked at and stand otherwise than before, or were not seen before."""
        watched = {topic.change_id: topic for topic in topics if topic.change_id}
        self._known = {key: known for key, known in self._known.items() if key in watched}
        fresh = {key for key, topic in watched.items() if topic not in self._begun}
        due = {key for key in watched if key in fresh or self._due.get(key, 0.0) <= now}
        if not due:
            return []
        found = following.standing(self._database, due, self._known)
        for key in due:
            self._due[key] = now + _rest_of(found.get(key), watched[key])
        told = [(watched[key], found.get(key)) for key in due if key in fresh or found.get(key) != self._known.get(key)]
        self._known |= found
        self._due = {key: at for key, at in self._due.items() if key in watched}
        return told

    def _revoked(self, keys: set[str], now: float) -> frozenset[str]:
        if now - self._keys_at < _KEYS_EVERY:
            return frozenset()
        self._keys_at = now
        return frozenset(keys - following.usable_keys(self._database, keys))

    def _set_pause(self, news: bool, now: float) -> None:
        if news:
            self._news_at = now
        self.pause = _QUICK if now - self._news_at < _QUICK_FOR else _IDLE
        if any(_is_awaited(known) for known in self._known.values()):
            self.pause = _AWAITED


def _is_awaited(known: Now) -> bool:
    """Whether its first verdict is still to come."""
    return known.state is ChangeState.VERIFYING and not known.ended and not known.endpoints


def _rest_of(known: Now | None, topic: Topic) -> float:
    """Seconds until a change that stands so is looked at again."""
    if known is not None and _is_awaited(known):
        return max(_AWAITED, _pause_of(topic))
    total = known.total if known is not None and not known.ended else 0
    return min(max(_QUICK, total * _A_MAILBOX, _pause_of(topic)), _LONGEST)


def _pause_of(topic: Topic) -> float:
    """Seconds between two times at which all watchers of a topic are woken."""
    return min(len(topic.watchers) * _A_WATCHER, _LONGEST)
