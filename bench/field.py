"""The servers that all parties log in to, and the proof from the servers' own logs that they did."""

import contextlib
import sys
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from bench.plan import ROUND_TRIP, Void
from tests.servers.delay import DelayProxy
from tests.servers.dovecot import DovecotOptions
from tests.servers.lab import Mailboxes, MailLab, mail_lab


def say(text: str) -> None:
    """A line of progress."""
    print(text, file=sys.stderr, flush=True)


@dataclass(frozen=True, slots=True)
class Ports:
    """Where IMAP and SMTP with implicit TLS answer, on `HOST`."""

    imap: int
    smtp: int


HOST = "127.0.0.1"
"""An address: how names are resolved is not compared."""


@dataclass
class Field(ABC):
    """`folder` is for files of the parties. `near` are the servers as they stand."""

    lab: Mailboxes
    folder: Path
    near: Ports
    warmed: int = field(default=0, kw_only=True)

    def mailboxes(self, count: int, after: int = 0) -> list[tuple[str, str]]:
        """Addresses and passwords of the first `count` mailboxes, without the first `after`."""
        return list(islice(self.lab.users.items(), after, count))

    @abstractmethod
    def witnessed(self, count: int) -> AbstractContextManager[None]:
        """Raises `Void` unless the servers have seen each of the first `count` mailboxes log in once."""


@dataclass
class UsualField(Field):
    """Dovecot and Postfix. `distant`: the same behind a delay."""

    lab: MailLab
    distant: Ports

    @contextlib.contextmanager
    def witnessed(self, count: int) -> Iterator[None]:
        """Raises `Void` unless each of the first `count` mailboxes logs in once over IMAP and once over SMTP."""
        self.lab.forget()
        yield
        expected = Counter(dict.fromkeys(islice(self.lab.users, count), 1))
        for service in ("imap", "smtp"):
            seen = self.lab.dovecot.logins(service)
            if seen != expected:
                raise Void(
                    f"the server's log has {seen.total()} {service} logins of {len(seen)} mailboxes, not {count}"
                )
        if (accepted := self.lab.postfix.logins().accepted) != count:
            raise Void(f"Postfix accepted {accepted} logins, not {count}")


@contextlib.contextmanager
def open_field(folder: Path, count: int) -> Iterator[UsualField]:
    """Starts Dovecot and Postfix with `count` mailboxes, near and behind a delay. Raises `ServerError`."""
    say(f"Starting Dovecot and Postfix with {count:,} mailboxes ...")
    with mail_lab(folder, count, DovecotOptions(fast=True)) as lab:
        near = Ports(lab.dovecot.imaps_port, lab.postfix.smtps_port)
        with _proxy(folder, near.imap) as imap, _proxy(folder, near.smtp) as smtp:
            yield UsualField(lab, folder, near, Ports(imap.port, smtp.port))


def _proxy(folder: Path, port: int) -> DelayProxy:
    return DelayProxy(folder / "delay", port, ROUND_TRIP / 2)
