"""A letter: whom it is to, its subject and its text, ready to be copied, sent or pasted."""

from dataclasses import dataclass
from enum import StrEnum

from checks.codes import Code
from checks.document import Json
from checks.model import Protocol
from worker.changes.impact import Impact


class Recipient(StrEnum):
    """Whose turn it is; a ticket is for whoever works on it."""

    OWNERS = "owners"
    MAIL_ADMIN = "mail_admin"
    FIREWALL = "firewall"
    TICKET = "ticket"


@dataclass(frozen=True, slots=True)
class Letter:
    """Plain text without a secret. `code`, `protocol` and `impact` say which cause it is about, None where it is all.

    `count` mailboxes are concerned; `addresses` are those it is to be sent to, of owners only, and may be the first of
    them. `caution` is what the sender should know before sending, '' where that is nothing: it is no part of the text.
    """

    to: Recipient
    subject: str
    body: str
    count: int = 0
    addresses: tuple[str, ...] = ()
    code: Code | None = None
    protocol: Protocol | None = None
    impact: Impact | None = None
    caution: str = ""

    def as_json(self) -> Json:
        """The letter as one JSON object."""
        return {
            "to": self.to,
            "subject": self.subject,
            "body": self.body,
            "caution": self.caution,
            "code": self.code,
            "protocol": self.protocol,
            "impact": self.impact,
            "count": self.count,
            "addresses": list(self.addresses),
        }
