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
    """Inbox and calendar, both there. `prefix` stands for the namespace of messages, '' for the default one."""
    mark, name = _prefixed(prefix)
    found = "".join(
        f'<{mark}GetFolderResponseMessage ResponseClass="Success"><{mark}ResponseCode>NoError'
        f"</{mark}ResponseCode><{mark}Folders><t:{kind}><t:FolderId Id='A' ChangeKey='B'/></t:{kind}>"
        f"</{mark}Folders></{mark}GetFolderResponseMessage>"
        for kind in ("Folder", "CalendarFolder")
    )
    body = (
        f'<{mark}GetFolderResponse {name}="{MESSAGES}" xmlns:t="{TYPES}"><{mark}ResponseMessages>{found}'
        f"</{mark}ResponseMessages></{mark}GetFolderResponse>"
    )
    return envelope(body)


def denied(code: str) -> bytes:
    """The same response code for inbox and calendar."""
    found = (
        f'<m:GetFolderResponseMessage ResponseClass="Error"><m:MessageText>said no</m:MessageText>'
        f"<m:ResponseCode>{code}</m:ResponseCode><m:DescriptiveLinkKey>0</m:DescriptiveLinkKey><m:Folders/>"
        f"</m:GetFolderResponseMessage>"
    )
    messages = f"<m:ResponseMessages>{found * 2}</m:ResponseMessages>"
    return envelope(f'<m:GetFolderResponse xmlns:m="{MESSAGES}">{messages}</m:GetFolderResponse>')


def fault(code: str, *, prefix: str = "s", detail: str = "") -> bytes:
    """A SOAP fault that names its code in `faultcode`; `detail` is more of it."""
    mark, _ = _prefixed(prefix)
    none = "" if prefix else ' xmlns=""'  # the parts of a fault are in no namespace (SOAP 1.1, 4.4)
    body = (
        f'<{mark}Fault><faultcode xmlns:a="{TYPES}"{none}>a:{code}</faultcode><faultstring{none}>said no</faultstring>'
        f"{detail}</{mark}Fault>"
    )
    return envelope(body, prefix=prefix)


def envelope(body: str, *, prefix: str = "s") -> bytes:
    mark, name = _prefixed(prefix)
    space = "http://schemas.xmlsoap.org/soap/envelope/"
    return (
        f'<?xml version="1.0" encoding="utf-8"?><{mark}Envelope {name}="{space}">'
        f"<{mark}Body>{body}</{mark}Body></{mark}Envelope>"
    ).encode()


def _prefixed(prefix: str) -> tuple[str, str]:
    """What stands before a name, and the attribute that says so."""
    return (f"{prefix}:", f"xmlns:{prefix}") if prefix else ("", "xmlns")
