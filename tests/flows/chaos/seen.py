"""What can be seen from outside: the rows of a run at a moment, and the logins in the mail server's log."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from settings_store import schema
from settings_store.db import Database
from tests.servers.lab import MailLab
from tests.servers.process import settled

LOGIN_SECONDS = 10.0  # between the answer at IMAP and the connection to SMTP passes a moment, on a busy machine longer
LATE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Known:
    """A mailbox's row. `baseline` is whether it is to log in with the settings in force, too."""

    verdict: str
    code: str
    baseline: bool
    baseline_verdict: str | None

    @property
    def complete(self) -> bool:
        """Whether no login of it may follow."""
        return self.verdict == "ok" or (self.baseline and self.baseline_verdict is not None)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The rows that have a verdict, by user name, and when they had been read (UTC seconds since 1970)."""

    at: float
    known: Mapping[str, Known]


@dataclass(frozen=True, slots=True)
class Login:
    """One answer of the mail server. `at` is UTC seconds since 1970."""

    at: float
    user: str
    service: str
    accepted: bool


@dataclass(frozen=True, slots=True)
class Outage:
    """A mail server that was away from `down` to `up` (UTC seconds since 1970), and what was stored around that."""

    before: Snapshot
    after: Snapshot
    down: float
    up: float

    def cut_off(self, logins: Sequence[Login]) -> set[str]:
        """The users whose login may have failed by it: something was stored about them, or they were at IMAP then.

        Who is refused at SMTP has been accepted at IMAP before; a busy worker stores that a good deal later.
        """
        stored = {user for user, known in self.after.known.items() if self.before.known.get(user) != known}
        first, last = self.down - LOGIN_SECONDS, self.up + LATE_SECONDS
        return stored | {login.user for login in logins if first < login.at < last}


def read_snapshot(database: Database, run_id: str) -> Snapshot:
    """What is stored of a run at this moment."""
    row, box = schema.run_mailboxes, schema.mailboxes
    columns = box.c.username, row.c.verdict, row.c.code, row.c.baseline_page, row.c.baseline_verdict
    query = sa.select(*columns).join(row, row.c.mailbox_id == box.c.id)
    with database.read() as conn:
        found = conn.execute(query.where(row.c.run_id == run_id, row.c.verdict.is_not(None))).all()
    known = {name: Known(verdict, code, page is not None, base) for name, verdict, code, page, base in found}
    return Snapshot(time.clock_gettime(time.CLOCK_REALTIME), known)


def read_logins(lab: MailLab) -> list[Login]:
    """Every login since the log was emptied, in the order of time."""
    found = []
    for line in settled(lab.dovecot.log).splitlines():
        _, mark, rest = line.partition('{"event":"auth_request_finished"')
        if mark and rest.endswith("}"):
            event = json.loads(mark + rest)
            fields = event["fields"]
            service = fields.get("protocol", fields.get("service"))
            found.append(Login(event["end_time"], fields["user"], service, fields.get("success") == "yes"))
    return sorted(found, key=lambda login: login.at)
