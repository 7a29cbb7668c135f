"""The broker in this process's memory, as a transport of Kombu."""

import time
from queue import Empty
from typing import Any

from kombu.transport import memory

from worker.news import News

IN_MEMORY = "worker.memory_transport:Transport"
_ASK_SECONDS = 1.0  # a message wakes who waits for one; if ever one did not, it is found after so long


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
