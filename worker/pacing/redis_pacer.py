"""The pacer of all workers of one Redis: what `pacer.LocalPacer` is within a process."""

import hashlib
import logging
import math
import time
import uuid

import redis

from worker.pacing import pacer
from worker.pacing.pacer import FLOOR, FORGET_SECONDS, ROUNDS, TWICE_SECONDS, start_of
from worker.pacing.redis_scripts import RedisScripts, Script

log = logging.getLogger(__name__)

_TELL_SECONDS = 60.0

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
_RENEW = Script(
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
_ENTER = Script(
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
_CHANGE = Script("""
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
""")


class RedisPacer:
    """The pacer of all workers of one Redis. A Redis that does not answer leaves each lane the least: one login.

    Each call counts once: it is sent a second time where no answer came in a second.
    """

    def __init__(self, url: str, limit: int) -> None:
        self._limit = limit
        self._start = start_of(limit)
        self._told = -math.inf
        self._scripts = RedisScripts(url)

    def renew(self, server: str, owner: str, want: int, busy: int = 0) -> int:
        try:
            return self._scripts.call(_RENEW, [_key(server)], [*self._asked(owner), want, busy])
        except redis.RedisError as error:
            self._tell(error)
            return min(want, FLOOR)

    def enter(self, server: str, owner: str, seconds: float) -> bool:
        try:
            return bool(self._scripts.call(_ENTER, [_key(server)], [*self._asked(owner), math.ceil(seconds)]))
        except redis.RedisError as error:
            self._tell(error)
            return True

    def _asked(self, owner: str) -> list[str | int]:
        """The arguments that both have."""
        return [self._limit, owner, self._start, int(FORGET_SECONDS), int(pacer.SLOT_SECONDS)]

    def trouble(self, server: str) -> None:
        self._apply(server, "halve")

    def fine(self, server: str, logins: int) -> None:
        self._apply(server, str(logins))

    def _apply(self, server: str, what: str) -> None:
        key = _key(server)
        shared: list[str | int] = [self._limit, self._start, what, int(FORGET_SECONDS), FLOOR, ROUNDS, TWICE_SECONDS]
        try:
            self._scripts.call(_CHANGE, [key, f"{key}:{uuid.uuid4().hex}"], shared)
        except redis.RedisError as error:
            self._tell(error)  # the next renewal finds the allowance as it was

    def _tell(self, error: redis.RedisError) -> None:
        """Once a minute at most: every lane asks several times a second."""
        now = time.monotonic()
        if now - self._told > _TELL_SECONDS:
            self._told = now
            log.warning("Redis does not pace (%s): each lane logs in one mailbox at a time", type(error).__name__)


def _key(server: str) -> str:
    """Redis must hold no host name or address, so the server goes by its digest."""
    return f"mail_preflight:pace:{hashlib.sha256(server.encode()).hexdigest()[:32]}"
