"""One message to one channel, and what becomes of it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent. `id` is the same when it is sent again; `kind` is Apprise's: failure, warning, info or success."""

    id: str
    subject: str
    text: str
    kind: str = "info"


class NotSent(Exception):
    """Why a message was not sent, or may not have been: one line without secrets."""
