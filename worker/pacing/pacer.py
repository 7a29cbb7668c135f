"""LanePacer per mail server: how many logins at once, across every worker and every domain.

A lane asks for slots at the servers of its run and renews them with each write of results. It begins with half and is
given more while all goes well (slow start); when the server throttles, drops or delays, everybody's share is halved and
from then on grows by one in eight rounds only. Lanes share alike: one that is refused waits in line, and the others
make room for it. A lane that dies lets its slots lapse.

Shared in Redis where there is one (`redis_pacer`), in this process otherwise: the same arithmetic, in Lua and Python.
"""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

SLOT_SECONDS = 15.0  # slots that are not renewed lapse
FORGET_SECONDS = 600.0  # after which a server is met as if for the first time
FLOOR = 1
TWICE_SECONDS = 60  # a call that is sent again comes well within
ROUNDS = 8  # after trouble: many a server counts logins a minute, and finding its limit again must cost it little


class Pacer(Protocol):
    """Who says how many."""

    def renew(self, server: str, owner: str, want: int, busy: int = 0) -> int:
        """Asks for `want` slots at a server, in place of those the owner holds. Returns how many it may use now.

        Never above an equal share of what the limit leaves; 0 means wait and ask again. `busy` is how many logins the
        owner has under way: they stay its own, however few it gets. `want` 0 and none busy gives all back.
        """

    def enter(self, server: str, owner: str, seconds: float) -> bool:
        """Asks for one slot at a server, for at most `seconds`, before all that `renew`: the next to come free.

        False means wait and ask again; it is kept free meanwhile. `renew` with `want` 0 gives it back.
        """

    def trouble(self, server: str) -> None:
        """The server throttled, dropped or delayed: halves what all may use there together."""

    def fine(self, server: str, logins: int) -> None:
        """So many logins went well: the common allowance grows by one for each until it meets the limit.

        Where there was trouble before, it grows by one in `ROUNDS` rounds, each of as many as are allowed at once.
        """


@dataclass
class _Server:
    allowance: float
    met: float
    careful: bool = False
    held: dict[str, tuple[int, float]] = field(default_factory=dict)
    awaited: dict[str, float] = field(default_factory=dict)


class LocalPacer:
    """The pacer of one process."""

    def __init__(self, limit: int, now: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._now = now
        self._lock = threading.Lock()
        self._servers: dict[str, _Server] = {}

    def renew(self, server: str, owner: str, want: int, busy: int = 0) -> int:
        with self._lock:
            known = self._server(server)
            others = [count for holder, (count, _) in known.held.items() if holder != owner]
            known.awaited.pop(owner, None)
            allowed = self._allowed(known) - len(known.awaited)
            share = -(-allowed // (len(others) + 1))
            granted = max(0, min(want, share, allowed - sum(others)))
            if want or busy:
                known.held[owner] = (max(granted, busy), self._now() + SLOT_SECONDS)
            else:
                known.held.pop(owner, None)
            return granted

    def enter(self, server: str, owner: str, seconds: float) -> bool:
        with self._lock:
            known = self._server(server)
            known.held.pop(owner, None)
            known.awaited.pop(owner, None)
            if sum(count for count, _ in known.held.values()) < self._allowed(known):
                known.held[owner] = (1, self._now() + seconds)
                return True
            known.awaited[owner] = self._now() + SLOT_SECONDS
            return False

    def trouble(self, server: str) -> None:
        with self._lock:
            known = self._server(server)
            known.allowance, known.careful = max(FLOOR, known.allowance / 2), True

    def fine(self, server: str, logins: int) -> None:
        with self._lock:
            known = self._server(server)
            grown = logins / (known.allowance * ROUNDS) if known.careful else logins
            known.allowance = min(self._limit, known.allowance + grown)

    def _allowed(self, known: _Server) -> int:
        return int(min(known.allowance, self._limit))

    def _server(self, name: str) -> _Server:
        now = self._now()
        for key in [key for key, item in self._servers.items() if now - item.met > FORGET_SECONDS]:
            del self._servers[key]
        known = self._servers.setdefault(name, _Server(start_of(self._limit), now))
        known.met = now
        known.held = {owner: held for owner, held in known.held.items() if held[1] > now}
        known.awaited = {owner: until for owner, until in known.awaited.items() if until > now}
        return known


def start_of(limit: int) -> int:
    """Logins at once at a server that nobody has met lately: half of what is allowed."""
    return max(1, limit // 2)


def renew_all(pacer: Pacer, servers: Iterable[str], owner: str, want: int, busy: int = 0) -> int:
    """Slots at every one of the servers: as many as the tightest gives, and no more are kept at the others.

    In the same order for everybody, and no further than to the first that gives none: so no two wait for each other.
    """
    ordered = sorted(servers)
    granted: list[int] = []
    for server in ordered:
        granted.append(pacer.renew(server, owner, min([want, *granted]), busy))
    least = min(granted, default=want)
    for server, count in zip(ordered, granted, strict=True):
        if count > least:
            pacer.renew(server, owner, max(least, 1), busy)
    return least
