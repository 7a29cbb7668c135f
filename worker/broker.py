"""The broker in this process's memory; whether another one can be used is asked once at the start, then waited for.

Redis's client takes longer to import than it takes to begin without it, so it is imported where there is a Redis.
"""

import threading
import time
from queue import Empty
from typing import Any

from kombu.exceptions import OperationalError
from kombu.transport import memory

from checks.model import Invalid, Unavailable

IN_MEMORY = "worker.broker:Transport"
_SECONDS = 5.0
_ASK_SECONDS = 1.0  # a message wakes who waits for one; if ever one did not, it is found after so long
_WHERE = "the broker of MAIL_PREFLIGHT_BROKER_URL"


class News:
    """How often there was news so far, and a place to wait for more: for threads of one process."""

    def __init__(self) -> None:
        self._came = 0
        self._condition = threading.Condition()

    @property
    def count(self) -> int:
        """To be asked before looking, and given to `wait` after."""
        return self._came

    def tell(self) -> None:
        """Wakes all who wait."""
        with self._condition:
            self._came += 1
            self._condition.notify_all()

    def wait(self, known: int, seconds: float) -> None:
        """Until there is more than `known`, for so long at most."""
        with self._condition:
            self._condition.wait_for(lambda: self._came != known, seconds)


class _Channel(memory.Channel):
    connection: "Transport"

    def _put(self, queue: str, message: Any, **kwargs: Any) -> None:
        super()._put(queue, message, **kwargs)
        self.connection.news.tell()

    def basic_ack(self, delivery_tag: str, multiple: bool = False) -> None:
        super().basic_ack(delivery_tag, multiple)
        self.connection.news.tell()  # there may be room for one more that was there already


class Transport(memory.Transport):
    """Kombu's own looks for messages again and again: a process with nothing to do is never at rest, or slow to wake.

    Here who puts a message wakes who waits for one.
    """

    Channel = _Channel
    can_parse_url = True  # so it is taken by its name, and not by the URL's scheme
    news = News()  # of all connections of this process, as the queues are

    def drain_events(  # type: ignore[override] # its two base classes do not agree with each other
        self,
        connection: Any,  # noqa: ARG002 - as Kombu has it
        timeout: float | None = None,
    ) -> None:
        """Delivers one message. Raises `TimeoutError` when none has come after `timeout` seconds."""
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            known = self.news.count
            try:
                self.cycle.get(self._deliver, timeout=timeout)  # type: ignore[union-attr] # made with the transport
            except Empty:
                left = _ASK_SECONDS if end is None else end - time.monotonic()
                if left <= 0:
                    raise TimeoutError from None
                self.news.wait(known, min(left, _ASK_SECONDS))
            else:
                return


def require(url: str) -> None:
    """Raises `Unavailable` when Redis does not answer, `Invalid` when it does not let us in or has no such database."""
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    try:
        with redis.Redis.from_url(
            url, socket_timeout=_SECONDS, socket_connect_timeout=_SECONDS, retry=Retry(NoBackoff(), 1)
        ) as client:
            client.ping()
    except (redis.AuthenticationError, redis.exceptions.NoPermissionError):
        raise Invalid(f"{_WHERE} does not take the user name and password of the URL; correct them") from None
    except redis.exceptions.BusyLoadingError:
        raise Unavailable(f"{_WHERE} is still loading its data; try again in a moment") from None
    except redis.ResponseError as error:
        # "NOAUTH Authentication required." comes so where the URL holds no password.
        if str(error).startswith(("NOAUTH", "WRONGPASS")):
            raise Invalid(f"{_WHERE} asks for a password and the URL has none that fits; correct it") from None
        raise Invalid(f"{_WHERE} refuses what the URL asks for; correct it") from None
    except (redis.RedisError, OSError, ValueError):
        raise Unavailable(f"{_WHERE} does not answer; start Redis, or correct the URL") from None


def refusals() -> tuple[type[Exception], ...]:
    """What publishing raises where the broker is away, and where Redis answers and has no room."""
    from redis.exceptions import RedisError

    return OperationalError, RedisError
