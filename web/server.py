"""The HTTP server: uvicorn in a thread of this process, beside whatever else it does."""

import contextlib
import logging
import socket
import threading
from collections.abc import Iterator

import uvicorn

from checks.model import Invalid, Unavailable
from web.app import make_app
from worker.service.preflight import Preflight

_START_SECONDS = 15.0
_STOP_SECONDS = 15.0
_KEEP_ALIVE_SECONDS = 30


@contextlib.contextmanager
def answering(preflight: Preflight, host: str, port: int) -> Iterator[str]:
    """Answers requests meanwhile, at the address that is yielded: `http://127.0.0.1:8025`. Port 0: any free one.

    Raises `Invalid` where the port cannot be had.
    """
    with _listen(host, port) as listener:
        config = uvicorn.Config(
            make_app(preflight),
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=int(_STOP_SECONDS) - 5,
            lifespan="off",
        )
        # It would write query strings, and with `access_log=False` does so where other handlers are.
        logging.getLogger("uvicorn.access").disabled = True
        logging.getLogger("uvicorn.error").addFilter(_without_words)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],), name="web", daemon=True)
        thread.start()
        try:
            _wait(server, thread)
            shown = f"[{host}]" if ":" in host else host
            yield f"http://{shown}:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(_STOP_SECONDS)


def _without_words(record: logging.LogRecord) -> bool:
    """What an exception says may be what was sent to us, a key or a password: the log has its type alone."""
    if record.exc_info and record.exc_info[0]:
        record.msg, record.args = f"{record.getMessage().strip()} {record.exc_info[0].__name__}", ()
        record.exc_info = record.exc_text = None
    return True


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise Invalid(
            f"nothing can listen at {host}:{port} ({error.strerror}); give others by MAIL_PREFLIGHT_WEB_HOST and "
            "MAIL_PREFLIGHT_WEB_PORT"
        ) from None
    return listener


def _wait(server: uvicorn.Server, thread: threading.Thread) -> None:
    for _ in range(int(_START_SECONDS / 0.01)):
        if server.started:
            return
        thread.join(0.01)
        if not thread.is_alive():
            break
    raise Unavailable("the HTTP server did not start")
