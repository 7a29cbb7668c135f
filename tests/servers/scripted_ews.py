"""An HTTPS server for EWS that answers as a function says; it remembers what it was sent."""

import http.server
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.servers.certificates import CertificateFiles
from tests.servers.conversation import server_context
from tests.servers.process import LOOPBACK, Server

ERRORS = "http://schemas.microsoft.com/exchange/services/2006/errors"
MESSAGES = "http://schemas.microsoft.com/exchange/services/2006/messages"
TYPES = "http://schemas.microsoft.com/exchange/services/2006/types"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: the credential behind its scheme in `Authorization`, '' without one, and its body."""

    credential: str = field(repr=False)
    body: bytes


Answers = Callable[[Asked], tuple[int, bytes]]
"""Status and body; 401 offers Basic."""


class ScriptedEws(Server):
    """Listens on `port` of loopback; `url` is the canonical one."""

    def __init__(self, answers: Answers, leaf: CertificateFiles) -> None:
        asked = self.asked = []  # type: list[Asked]

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                asked.append(Asked(self.headers.get("Authorization", "").partition(" ")[2], body))
                status, answer = answers(asked[-1])
                self.send_response(status)
                if status == 401:
                    self.send_header("WWW-Authenticate", 'Basic realm="lab"')
                self.send_header("Content-Type", "text/xml; charset=utf-8")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - http.server's
                """Nothing is printed."""

        self._server = http.server.ThreadingHTTPServer((LOOPBACK, 0), Handler)
        self._server.daemon_threads = True
        self._server.socket = server_context(leaf).wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self.port = self._server.server_address[1]

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}/EWS/Exchange.asmx"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def folders(*, prefix: str = "m") -> bytes:
    """Inbox and calendar, both there. `prefix` stands for the namespace of messages."""
    found = "".join(
        f'<{prefix}:GetFolderResponseMessage ResponseClass="Success"><{prefix}:ResponseCode>NoError'
        f"</{prefix}:ResponseCode><{prefix}:Folders><t:{kind}><t:FolderId Id='A' ChangeKey='B'/></t:{kind}>"
        f"</{prefix}:Folders></{prefix}:GetFolderResponseMessage>"
        for kind in ("Folder", "CalendarFolder")
    )
    body = (
        f'<{prefix}:GetFolderResponse xmlns:{prefix}="{MESSAGES}" xmlns:t="{TYPES}"><{prefix}:ResponseMessages>{found}'
        f"</{prefix}:ResponseMessages></{prefix}:GetFolderResponse>"
    )
    return envelope(body)


def fault(code: str, *, prefix: str = "s", detail: str = "") -> bytes:
    """A SOAP fault that names its code in `faultcode`; `detail` is more of it."""
    body = (
        f'<{prefix}:Fault><faultcode xmlns:a="{TYPES}">a:{code}</faultcode><faultstring>said no</faultstring>'
        f"{detail}</{prefix}:Fault>"
    )
    return envelope(body, prefix=prefix)


def envelope(body: str, *, prefix: str = "s") -> bytes:
    space = "http://schemas.xmlsoap.org/soap/envelope/"
    return (
        f'<?xml version="1.0" encoding="utf-8"?><{prefix}:Envelope xmlns:{prefix}="{space}">'
        f"<{prefix}:Body>{body}</{prefix}:Body></{prefix}:Envelope>"
    ).encode()
