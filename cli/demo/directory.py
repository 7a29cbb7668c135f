"""Whom a sandbox server lets in, and the words in which it refuses the others."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a server says instead of yes. IMAP: the text after `NO`; SMTP: the whole reply. Empty: it lets them in."""

    imap: str
    smtp: str


REJECTED = Refusal(
    "[AUTHENTICATIONFAILED] Authentication failed.", "535 5.7.8 Error: authentication failed: authentication failure"
)


@dataclass(frozen=True, slots=True)
class Directory:
    """Passwords by user name, and refusals by user name for those who are turned away with the right password."""

    passwords: Mapping[str, str] = field(repr=False)
    refusals: Mapping[str, Refusal]

    def refusal(self, username: str, password: str) -> Refusal | None:
        """None where the login is good."""
        expected = self.passwords.get(username)
        if expected is None or not hmac.compare_digest(expected.encode(), password.encode()):
            return REJECTED
        return self.refusals.get(username)
