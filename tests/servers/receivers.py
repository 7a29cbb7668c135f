"""Who receives alerts: a real SMTP server and a real HTTP server, which keep what comes."""

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session


@dataclass
class Mailbox:
    """An SMTP server on 127.0.0.1. `answer` is given instead of acceptance, '' for none; `on_message` is told first."""

    port: int = 0
    answer: str = ""
    mails: list[Message] = field(default_factory=list)
    logins: list[tuple[bytes, bytes]] = field(default_factory=list)
    on_message: Callable[[], object] = lambda: None

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        if self.answer:
            return self.answer
        content = envelope.content
        assert isinstance(content, bytes)
        self.mails.append(message_from_bytes(content, policy=default))
        self.on_message()
        return "250 kept"

    @property
    def ids(self) -> list[str]:
        """The delivery ids of all mails, repeats too, in the order in which they came."""
        return [str(mail["Message-ID"]).strip("<>").partition("@")[0] for mail in self.mails]

    def text(self, number: int = -1) -> str:
        """The body of a mail."""
        return str(self.mails[number].get_content())  # type: ignore[attr-defined] # the default policy has it


@contextmanager
def mailbox(login: tuple[str, str] | None = None) -> Iterator[Mailbox]:
    """A running SMTP server, which wants that login where one is given."""
    box = Mailbox()

    def authenticate(_server: SMTP, _session: Session, _envelope: Envelope, _how: str, data: Any) -> AuthResult:
        box.logins.append((data.login, data.password))
        wanted = (data.login.decode(), data.password.decode()) == login
        return AuthResult(success=wanted, handled=wanted)

    auth = {"authenticator": authenticate, "auth_require_tls": False} if login else {}
    with socket.create_server(("127.0.0.1", 0)) as free:
        box.port = free.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=box.port, **auth)  # type: ignore[arg-type] # options of SMTP
    controller.start()
    try:
        yield box
    finally:
        controller.stop()


@dataclass
class Call:
    """One HTTP request."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Hook:
    """An HTTP server on 127.0.0.1. It answers with `status` after `seconds`; `on_call` is told before it answers."""

    port: int = 0
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    drip: bool = False
    calls: list[Call] = field(default_factory=list)
    on_call: Callable[[], object] = lambda: None

    @property
    def ids(self) -> list[str]:
        """The `webhook-id` of all calls, repeats too."""
        return [call.headers.get("webhook-id", "") for call in self.calls]

    def document(self, number: int = -1) -> dict[str, str]:
        """The JSON of a call."""
        document = json.loads(self.calls[number].body)
        assert isinstance(document, dict)
        return document


@contextmanager
def hook(tls: ssl.SSLContext | None = None) -> Iterator[Hook]:
    """A running HTTP server, over TLS where a context is given."""
    receiver = Hook()
    stopped = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.calls.append(Call(self.command, self.path, headers, body))
            receiver.on_call()
            stopped.wait(receiver.seconds)
            self.send_response(receiver.status)
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            self.end_headers()
            while receiver.drip and not stopped.wait(0.1):
                self.wfile.write(b".")

        do_GET = do_POST = do_PUT = _answer  # noqa: N815 - the standard library's names

        def log_message(self, *_: object) -> None:
            """Nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A client that was killed is no news."""

    server = Server(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    receiver.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield receiver
    finally:
        stopped.set()
        server.shutdown()
        server.server_close()


def wait_until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    """Fails where the condition does not come true in time."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.01)
