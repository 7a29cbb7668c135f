"""The HTTP server: uvicorn, in a thread beside other work or as all that a process does."""

import contextlib
import logging
import os
import signal
import socket
import threading
from collections.abc import Iterator
from typing import Any

import uvicorn

from checks.model import Invalid, Unavailable
from web.app import make_app
from web.observed import Observed, write_line
from web.pages.app import as_it_is
from web.problems.problem import Translate
from web.protocol import protocol
from worker.service.preflight import Preflight

_START_SECONDS = 15.0
_STOP_SECONDS = 25
"""What requests in flight are given to come to an end."""
_KEEP_ALIVE_SECONDS = 30
_BACKLOG = 2048


@contextlib.contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """A socket that listens meanwhile. Port 0: any free one. Raises `Invalid` where the port cannot be had."""
    with contextlib.closing(_listen(host, port)) as listener:
        yield listener


def address_of(listener: socket.socket) -> str:
    """Where requests are answered: `http://127.0.0.1:8025`."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextlib.contextmanager
def answering(preflight: Preflight, host: str, port: int, translate: Translate = as_it_is) -> Iterator[str]:
    """Answers requests in a thread meanwhile, at the address that is yielded. Raises as `listening` does."""
    with listening(host, port) as listener, answering_at(preflight, listener, translate) as url:
        yield url


@contextlib.contextmanager
def answering_at(preflight: Preflight, listener: socket.socket, translate: Translate = as_it_is) -> Iterator[str]:
    """Answers requests in a thread meanwhile. Yields `address_of(listener)`. `translate` is as in `make_app`.

    At the end nobody is let in any more, streams end, and what is in flight is answered.
    """
    server = _Server(preflight, translate)
    thread = threading.Thread(target=server.run, args=([listener],), name="web", daemon=True)
    thread.start()
    try:
        _wait(server, thread)
        yield address_of(listener)
    finally:
        server.should_exit = True
        thread.join(_STOP_SECONDS + 5)


def answer_until_signal(preflight: Preflight, listener: socket.socket, translate: Translate = as_it_is) -> None:
    """Answers requests in this thread, the main one, until SIGTERM or SIGINT; the second of them ends at once."""
    server = _Server(preflight, translate)

    def stop(number: int, frame: Any) -> None:  # noqa: ARG001 - what a handler is given
        if server.should_exit:
            os._exit(128 + number)
        server.should_exit = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    server.run([listener])


class _Server(uvicorn.Server):
    """Leaves signals to whoever runs it, and tells streams that the end has come before it waits for them."""

    def __init__(self, preflight: Preflight, translate: Translate) -> None:
        app = make_app(preflight, translate)
        self._hub = app.state.hub
        config = uvicorn.Config(
            Observed(app, write_line if preflight.config.access_log == "json" else None),
            http=protocol(preflight.config.web_connections),
            ws="none",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=_STOP_SECONDS,
            lifespan="off",
        )
        super().__init__(config)
        # It would write query strings, and with `access_log=False` does so where other handlers are.
        logging.getLogger("uvicorn.access").disabled = True
        logger = logging.getLogger("uvicorn.error")
        if _without_traceback not in logger.filters:
            logger.addFilter(_without_traceback)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing: uvicorn would raise the signal again at the end, and the status would not be 0."""
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn does it, but streams hear of it first."""
        self._hub.close()
        await super().shutdown(sockets)


def _listen(host: str, port: int) -> socket.socket:
    listener = None
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        family, kind, protocol, _, address = found
        # With the protocol named, asyncio sets TCP_NODELAY: else a body waits 40 ms for the client to confirm the head.
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError as error:
        if listener is not None:
            listener.close()
        raise Invalid(
            f"nothing can listen at {host}:{port} ({error.strerror}); give others by MAIL_PREFLIGHT_WEB_HOST and "
            "MAIL_PREFLIGHT_WEB_PORT"
        ) from None
    return listener


def _without_traceback(record: logging.LogRecord) -> bool:
    """A traceback ends in the words of an exception, which may hold what was sent; our handler has logged its type."""
    record.exc_info = record.exc_text = None
    return True


def _wait(server: uvicorn.Server, thread: threading.Thread) -> None:
    for _ in range(int(_START_SECONDS / 0.01)):
        if server.started:
            return
        thread.join(0.01)
        if not thread.is_alive():
            break
    raise Unavailable("the HTTP server did not start")
