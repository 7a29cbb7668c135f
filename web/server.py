"""The HTTP server: uvicorn in a thread of this process, beside whatever else it does."""

import contextlib
import socket
import threading
from collections.abc import Iterator

import uvicorn

from checks.model import Invalid, Unavailable
from web.app import make_app
from web.protocol import protocol
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
        app = make_app(preflight)
        config = uvicorn.Config(
            app,
            http=protocol(preflight.config.web_connections),
            ws="none",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=int(_STOP_SECONDS) - 5,
            lifespan="off",
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],), name="web", daemon=True)
        thread.start()
        try:
            _wait(server, thread)
            shown = f"[{host}]" if ":" in host else host
            yield f"http://{shown}:{listener.getsockname()[1]}"
        finally:
            app.state.hub.close()  # whoever waits is answered, and streams end
            server.should_exit = True
            thread.join(_STOP_SECONDS)


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
