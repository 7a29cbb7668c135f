"""Reads only the beginning of what a receiver of alerts answers: one that never stops would fill the memory."""

import smtplib
from contextlib import suppress
from typing import TYPE_CHECKING, Any, BinaryIO

from worker.alerts.egress_guard import current

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

LIMIT = 256 * 1024
"""Bytes of an HTTP body, when unpacked, or of all that a mail server says."""


def shorten() -> None:
    """From now on `requests` reads so much in guarded threads: it offers no limit of its own."""
    import requests.sessions

    sessions: Any = requests.sessions  # that is where a session finds it
    if sessions.HTTPAdapter.__name__ != "BriefAdapter":
        sessions.HTTPAdapter = _brief(sessions.HTTPAdapter)


def _brief(adapter: Any) -> Any:
    class BriefAdapter(adapter):  # type: ignore[misc] # requests takes long to import, so its class comes late
        def build_response(self, req: Any, resp: "BaseHTTPResponse") -> Any:
            """The status is said first and counts, whatever becomes of the rest."""
            response = super().build_response(req, resp)
            if current() is not None:
                response._content, response._content_consumed = _beginning(resp), True  # noqa: SLF001 - as it does
            return response

    return BriefAdapter


def _beginning(resp: "BaseHTTPResponse") -> bytes:
    from urllib3.exceptions import HTTPError

    content = b""
    with suppress(HTTPError, OSError):
        content = resp.read(LIMIT, decode_content=True)
    resp.close()
    return content


class _Beginning:
    """The beginning of what a mail server says."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._left = file, LIMIT

    def readline(self, size: int) -> bytes:
        """A line. Raises `OSError` when it was too much."""
        line = self._file.readline(size)
        self._left -= len(line)
        if self._left < 0:
            raise OSError("it says too much")
        return line

    def close(self) -> None:
        self._file.close()


class MailServer(smtplib.SMTP):
    """One whose words are limited; `smtplib` keeps every line of an answer."""

    def getreply(self) -> tuple[int, bytes]:
        _limit(self)
        return super().getreply()


class SecureMailServer(smtplib.SMTP_SSL):
    """The same with TLS from the first byte."""

    def getreply(self) -> tuple[int, bytes]:
        _limit(self)
        return super().getreply()


def _limit(server: smtplib.SMTP) -> None:
    if server.file is None and server.sock is not None:  # anew after STARTTLS
        server.file = _Beginning(server.sock.makefile("rb"))
