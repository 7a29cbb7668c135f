"""A server that hands out TLS sessions and will not have them back."""

import itertools
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import replace

from tests.servers.certificates import CertificateFiles
from tests.servers.conversation import Behaviour, Conversation, Script, server_context

_ALERT = b"\x15\x03\x03\x00\x02\x02"  # fatal (RFC 5246, 7.2)
REFUSALS: Mapping[str, Behaviour] = {
    "alert internal_error": lambda conversation: conversation.send(_ALERT + b"\x50"),
    "alert handshake_failure": lambda conversation: conversation.send(_ALERT + b"\x28"),
    "no handshake but an end": lambda _: None,
    "no handshake but a reset": Conversation.reset,
}
"""How a server may meet a client that comes with a session, before it closes."""
_SESSION_TICKET = 35  # RFC 5077


class RefusesResumption:
    """TLS 1.2 with tickets. A client that comes with one is refused, and that is the end; all others get the script.

    `refused` counts those that came with a ticket.
    """

    def __init__(self, script: Script, leaf: CertificateFiles, refusal: str = "alert internal_error") -> None:
        self._refuse = REFUSALS[refusal]
        self._script = replace(script, tls=None)
        self._context = server_context(leaf)  # one for all: else nothing resumes
        self._context.maximum_version = ssl.TLSVersion.TLSv1_2
        self._count = itertools.count(1)
        self.refused = 0

    def __call__(self, conversation: Conversation) -> None:
        if has_ticket(conversation.peek()):
            self.refused = next(self._count)
            self._refuse(conversation)
            return
        conversation.start_tls(context=self._context)
        self._script(conversation)


def has_ticket(hello: bytes) -> bool:
    """Whether a ClientHello of one record offers a session (RFC 5246, 7.4.1.2; RFC 5077, 3.2)."""
    return any(kind == _SESSION_TICKET and length for kind, length in _extensions(hello))


def _extensions(hello: bytes) -> Iterator[tuple[int, int]]:
    at = 5 + 4 + 2 + 32  # the record, the message, the version, the random bytes
    at += 1 + hello[at]  # the session's id
    at += 2 + int.from_bytes(hello[at : at + 2])  # the ciphers
    at += 1 + hello[at]  # the compression methods
    at += 2
    while at + 4 <= len(hello):
        kind, length = int.from_bytes(hello[at : at + 2]), int.from_bytes(hello[at + 2 : at + 4])
        yield kind, length
        at += 4 + length
