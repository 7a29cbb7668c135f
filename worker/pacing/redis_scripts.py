"""Scripts of Redis, called on a connection of the thread's own.

redis-py's client takes a connection from its pool for each call, looks whether it still stands, and gives it back: that
costs more than the call itself, and every thread waits for the others there.
"""

import hashlib
import threading
from collections.abc import Sequence
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError
from redis.retry import Retry

# Without patience: a lane that waits here for Redis does not renew its leases meanwhile.
_PATIENCE: dict[str, Any] = {"socket_timeout": 1.0, "socket_connect_timeout": 1.0, "retry": Retry(NoBackoff(), 0)}


class Script:
    """The text of a script, and its digest, by which Redis knows what it has been given before."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


class RedisScripts:
    """Calls scripts, a second time where no answer came in a second. Raises `redis.RedisError`."""

    def __init__(self, url: str) -> None:
        self._pool = redis.ConnectionPool.from_url(url, **_PATIENCE)
        self._own = threading.local()

    def call(self, script: Script, keys: Sequence[str], arguments: Sequence[str | int]) -> int:
        """What the script returns."""
        try:
            return self._call(script, keys, arguments)
        except (redis.ConnectionError, redis.TimeoutError):
            return self._call(script, keys, arguments)  # on a new connection: what raised has closed the last one

    def _call(self, script: Script, keys: Sequence[str], arguments: Sequence[str | int]) -> int:
        if not hasattr(self._own, "connection"):
            self._own.connection = _Connection(self._pool)
        connection: _Connection = self._own.connection
        try:
            return connection.ask("EVALSHA", script.digest, len(keys), *keys, *arguments)
        except NoScriptError:
            return connection.ask("EVAL", script.text, len(keys), *keys, *arguments)


class _Connection:
    """One that lasts as long as its thread. It is none of the pool's, which would keep it."""

    def __init__(self, pool: redis.ConnectionPool) -> None:
        self._connection: Any = pool.connection_class(**pool.connection_kwargs)

    def ask(self, *words: str | int) -> int:
        self._connection.send_command(*words, check_health=False)
        return int(self._connection.read_response())

    def __del__(self) -> None:
        self._connection.disconnect()
