"""LanePacer per mail server: how many logins at once, across every worker and every domain.

A lane asks for slots at the servers of its run and renews them with each write of results. It begins with half and is
given more while all goes well (slow start); when the server throttles, drops or delays, everybody's share is halved and
from then on grows by one in eight rounds only. Lanes share alike: one that is refused waits in line, and the others
make room for it. A lane that dies lets its slots lapse.

Shared in Redis where there is one, in this process otherwise: the same arithmetic, in Python and in Lua.
"""

import hashlib
import logging
import math
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

log = logging.getLogger(__name__)

SLOT_SECONDS = 15.0  # slots that are not renewed lapse
FORGET_SECONDS = 600.0  # after which a server is met as if for the first time
FLOOR = 1
TWICE_SECONDS = 60  # a call that is sent again comes well within
_TELL_SECONDS = 60.0
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


# One server is a hash: "allowance", "careful" after trouble, for each owner "h:<owner>" -> "count:expiry", and for each
# that waits to enter "w:<owner>" -> expiry. Redis's own clock decides.
_OTHERS = """
local now = tonumber(redis.call('TIME')[1])
local allowance = tonumber(redis.call('HGET', KEYS[1], 'allowance') or ARGV[3])
local others, owners, awaited = 0, 1, 0
redis.call('HDEL', KEYS[1], 'w:' .. ARGV[2])
for _, key in ipairs(redis.call('HKEYS', KEYS[1])) do
  local kind = string.sub(key, 1, 2)
  if kind == 'w:' then
    if tonumber(redis.call('HGET', KEYS[1], key)) <= now then redis.call('HDEL', KEYS[1], key)
    else awaited = awaited + 1 end
  elseif kind == 'h:' and key ~= 'h:' .. ARGV[2] then
    local count, expiry = string.match(redis.call('HGET', KEYS[1], key), '(%d+):(%d+)')
    if tonumber(expiry) <= now then redis.call('HDEL', KEYS[1], key)
    else others, owners = others + tonumber(count), owners + 1 end
  end
end
local allowed = math.floor(math.min(allowance, tonumber(ARGV[1])))
redis.call('HSET', KEYS[1], 'allowance', allowance)
redis.call('EXPIRE', KEYS[1], ARGV[4])
"""
_RENEW = (
    _OTHERS
    + """
local want, busy = tonumber(ARGV[6]), tonumber(ARGV[7])
allowed = allowed - awaited
local granted = math.max(0, math.min(want, math.ceil(allowed / owners), allowed - others))
if want > 0 or busy > 0 then
  local held = string.format('%d:%d', math.max(granted, busy), now + tonumber(ARGV[5]))
  redis.call('HSET', KEYS[1], 'h:' .. ARGV[2], held)
else
  redis.call('HDEL', KEYS[1], 'h:' .. ARGV[2])
end
return granted
"""
)
_ENTER = (
    _OTHERS
    + """
if others < allowed then
  redis.call('HSET', KEYS[1], 'h:' .. ARGV[2], string.format('1:%d', now + tonumber(ARGV[6])))
  return 1
end
redis.call('HDEL', KEYS[1], 'h:' .. ARGV[2])
redis.call('HSET', KEYS[1], 'w:' .. ARGV[2], now + tonumber(ARGV[5]))
return 0
"""
)
# Unlike the others it would do something else when it comes twice, as it does where Redis has answered too late and the
# client asks again: KEYS[2] remembers for a while that it came.
_CHANGE = """
if not redis.call('SET', KEYS[2], 1, 'NX', 'EX', ARGV[7]) then return 0 end
local allowance = tonumber(redis.call('HGET', KEYS[1], 'allowance') or ARGV[2])
if ARGV[3] == 'halve' then
  allowance = math.max(tonumber(ARGV[5]), allowance / 2)
  redis.call('HSET', KEYS[1], 'careful', 1)
else
  local grown = tonumber(ARGV[3])
  if redis.call('HEXISTS', KEYS[1], 'careful') == 1 then
    grown = grown / (allowance * tonumber(ARGV[6]))
  end
  allowance = math.min(tonumber(ARGV[1]), allowance + grown)
end
redis.call('HSET', KEYS[1], 'allowance', allowance)
redis.call('EXPIRE', KEYS[1], ARGV[4])
return 1
"""


class RedisPacer:
    """The pacer of all workers of one Redis. A Redis that does not answer leaves each lane the least: one login.

    Each call counts once: the client sends it a second time where no answer came in a second.
    """

    def __init__(self, url: str, limit: int) -> None:
        self._limit = limit
        self._start = start_of(limit)
        self._told = -math.inf
        # Without patience: a lane that waits here for Redis does not renew its leases meanwhile.
        patience: dict[str, Any] = {"socket_timeout": 1, "socket_connect_timeout": 1, "retry": Retry(NoBackoff(), 1)}
        self._redis: Any = redis.Redis.from_url(url, **patience)
        self._renew = self._redis.register_script(_RENEW)
        self._enter = self._redis.register_script(_ENTER)
        self._change = self._redis.register_script(_CHANGE)

    def renew(self, server: str, owner: str, want: int, busy: int = 0) -> int:
        try:
            return int(self._renew(keys=[_key(server)], args=[*self._asked(owner), want, busy]))
        except redis.RedisError as error:
            self._tell(error)
            return min(want, FLOOR)

    def enter(self, server: str, owner: str, seconds: float) -> bool:
        try:
            return bool(self._enter(keys=[_key(server)], args=[*self._asked(owner), math.ceil(seconds)]))
        except redis.RedisError as error:
            self._tell(error)
            return True

    def _asked(self, owner: str) -> list[str | int]:
        """The arguments that both have."""
        return [self._limit, owner, self._start, int(FORGET_SECONDS), int(SLOT_SECONDS)]

    def trouble(self, server: str) -> None:
        self._apply(server, "halve")

    def fine(self, server: str, logins: int) -> None:
        self._apply(server, str(logins))

    def _apply(self, server: str, what: str) -> None:
        key = _key(server)
        shared: list[str | int] = [self._limit, self._start, what, int(FORGET_SECONDS), FLOOR, ROUNDS, TWICE_SECONDS]
        try:
            self._change(keys=[key, f"{key}:{uuid.uuid4().hex}"], args=shared)
        except redis.RedisError as error:
            self._tell(error)  # the next renewal finds the allowance as it was

    def _tell(self, error: redis.RedisError) -> None:
        """Once a minute at most: every lane asks several times a second."""
        now = time.monotonic()
        if now - self._told > _TELL_SECONDS:
            self._told = now
            log.warning("Redis does not pace (%s): each lane logs in one mailbox at a time", type(error).__name__)


def start_of(limit: int) -> int:
    """Logins at once at a server that nobody has met lately: half of what is allowed."""
    return max(1, limit // 2)


def _key(server: str) -> str:
    """Redis must hold no host name or address, so the server goes by its digest."""
    return f"mail_preflight:pace:{hashlib.sha256(server.encode()).hexdigest()[:32]}"


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
