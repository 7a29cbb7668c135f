"""An installation that looks after one domain on mail servers of its own, and tells two real receivers of incidents."""

import base64
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import sqlalchemy as sa

from settings_store import schema
from settings_store.db import Database
from tests.flows.harness import Box, System, wait_for, write_csv
from tests.servers.certificates import LAB_NAMES, CertificateFiles, CertificateLab, Validity
from tests.servers.dovecot import DovecotOptions, DovecotServer
from tests.servers.lab import lab_users
from tests.servers.postfix import PostfixServer
from tests.servers.process import LOOPBACK
from tests.servers.receivers import Hook, Mailbox, hook, mailbox
from worker.app import QUEUES

DOMAIN = "incidents.example"
HOST = "127.0.0.2"
"""The mail servers' address. The receivers' is another: nothing is sent by way of what is broken."""
COUNT = 6
TELLER = f"teller@{DOMAIN}"
"""A user of the mail servers whom nothing but an alert channel logs in as."""
MAIL_SECRET, HOOK_SECRET, TELLER_SECRET = "Pl4nted-mail-s3cret", "Pl4nted-hook-s3cret", "Pl4nted-teller-s3cret"

OFTEN = {
    "HEALTH_ENDPOINT_MINUTES": "0.005",
    "HEALTH_RETRY_SECONDS": "0.3",
    "HEALTH_SETTLE_MINUTES": "0.02",
    "HEALTH_MAILBOX_HOURS": "0.0006",
    "HEALTH_SLICE_MINUTES": "0.02",
    "LOGINS_PER_HOUR": "100000",
    "WATCH_MINUTES": "0",
}


@dataclass
class MailSite:
    """IMAP and SMTP, each with a Dovecot that knows the users: SMTP works on while IMAP is down."""

    imap: DovecotServer
    behind_smtp: DovecotServer
    postfix: PostfixServer
    certificates: CertificateLab
    good: CertificateFiles
    expired: CertificateFiles
    users: dict[str, str] = field(repr=False)

    @property
    def boxes(self) -> list[Box]:
        """The domain's mailboxes, with the passwords that are right now."""
        users = [user for user in self.users if user != TELLER]
        return [Box(f"box{number}@{DOMAIN}", self.users[user], user) for number, user in enumerate(users)]

    def set_password(self, user: str, password: str) -> None:
        """From now on nothing but that is right."""
        self.users[user] = password
        for server in (self.imap, self.behind_smtp):
            server.set_users(self.users)

    @contextlib.contextmanager
    def outage(self) -> Iterator[None]:
        """IMAP is down inside the block."""
        self.imap.stop()
        try:
            yield
        finally:
            self.imap.start()

    @contextlib.contextmanager
    def expiry(self) -> Iterator[None]:
        """The certificate of IMAP has expired inside the block."""
        self.imap.reload(self.expired)
        try:
            yield
        finally:
            self.imap.reload(self.good)

    def settings(self) -> list[str]:
        """What the command is given."""
        imap, smtp = f"{HOST}:{self.imap.imaps_port}", f"{HOST}:{self.postfix.smtps_port}"
        return [
            *("--imap", imap, "--imap-security", "tls", "--smtp", smtp, "--smtp-security", "tls"),
            *("--ca-file", str(self.certificates.ca_file)),
        ]


@contextlib.contextmanager
def mail_site(folder: Path) -> Iterator[MailSite]:
    """The running servers."""
    certificates = CertificateLab(folder / "certificates")
    names = (*LAB_NAMES, HOST)
    good, expired = certificates.issue(*names), certificates.issue(*names, validity=Validity.EXPIRED)
    users = {**lab_users(COUNT), TELLER: TELLER_SECRET}
    options = DovecotOptions(listen=f"{LOOPBACK}, {HOST}")
    with (
        DovecotServer(folder / "imap", good, users, options) as imap,
        DovecotServer(folder / "behind-smtp", good, users) as behind,
        PostfixServer(folder / "postfix", good, behind.sasl_socket, aliases=(HOST,)) as postfix,
    ):
        yield MailSite(imap, behind, postfix, certificates, good, expired, users)


@dataclass
class Installation:
    """A running system, its mail servers, and who is told."""

    system: System
    site: MailSite
    database: Database
    mail: Mailbox
    web: Hook

    @property
    def subjects(self) -> tuple[list[str], list[str]]:
        """What was told by mail and by HTTP since the last `forget`."""
        by_web = [self.web.document(number)["title"] for number in range(len(self.web.calls))]
        return [str(mail["Subject"]) for mail in self.mail.mails], by_web

    def wait_for_subjects(self, *subjects: str) -> None:
        """Waits until each receiver was told exactly that."""
        expected = (list(subjects), list(subjects))
        with contextlib.suppress(AssertionError):
            wait_for(lambda: min(map(len, self.subjects)) >= len(subjects), "both are told")
        assert self.subjects == expected

    def texts(self) -> tuple[str, str]:
        """The newest messages."""
        return self.mail.text(), self.web.document()["message"]

    def forget(self) -> None:
        """Empties the receivers, once nothing more is to come."""
        wait_for(lambda: not self._unsettled(), "everything was told and is over")
        self.mail.mails.clear()
        self.web.calls.clear()

    def _unsettled(self) -> bool:
        open_ones = sa.select(schema.incidents.c.id).where(schema.incidents.c.closed_at.is_(None))
        pending = sa.select(schema.deliveries.c.id).where(schema.deliveries.c.state == "pending")
        unsent = sa.select(schema.alerts.c.incident_id).where(
            schema.alerts.c.delivery_id.is_(None), schema.alerts.c.dropped.is_(None)
        )
        with self.database.read() as conn:
            return any(conn.execute(query).first() for query in (open_ones, pending, unsent))

    def states(self) -> dict[str, str]:
        """User name -> state of a mailbox."""
        box = schema.mailboxes
        with self.database.read() as conn:
            return {row.username: row.state for row in conn.execute(sa.select(box.c.username, box.c.state))}

    def slices(self) -> int:
        """How many slices of mailboxes are finished."""
        table = schema.runs
        query = sa.select(sa.func.count()).where(table.c.change_id.is_(None), table.c.stage == "finished")
        with self.database.read() as conn:
            return int(conn.execute(query).scalar_one())

    def wait_until_connected(self) -> None:
        """Waits until every mailbox is known to work."""
        expected = {box.username: "connected" for box in self.site.boxes}
        wait_for(lambda: self.states() == expected, "all mailboxes are connected")

    def add_channel(self, name: str, url: str, *subscription: str) -> None:
        """By the command."""
        file = self.system.folder / f"{name}.url"
        file.write_text(url)
        added = self.system.command("alerts", "add", name, "--url-file", str(file), *subscription)
        assert added.status == 0, added.err

    def traces(self) -> list[bytes]:
        """Every secret as it is, and as a client sends it: base64 of it alone and of AUTH PLAIN (RFC 4616)."""
        logins = {**self.site.users, "teller": MAIL_SECRET, "hook": HOOK_SECRET, TELLER: TELLER_SECRET}
        plain = [f"\0{user}\0{secret}".encode() for user, secret in logins.items()]
        alone = [secret.encode() for secret in logins.values()]
        return [*alone, *map(base64.b64encode, (*alone, *plain))]

    def set_up(self) -> Self:
        """A change is verified and put in force, and both receivers are channels: everything by the command."""
        csv = write_csv(self.system.folder / "mailboxes.csv", self.site.boxes)
        verified = self.system.command("verify", DOMAIN, "--mailboxes", str(csv), *self.site.settings(), "--json")
        assert verified.status == 0, verified.err
        applied = self.system.command("apply", verified.document["change_id"])
        assert applied.status == 0, applied.err
        mail = f"127.0.0.1:{self.mail.port}?mode=insecure&from=alerts@sender.example&to=admin@lab.example"
        self.add_channel("admins", f"mailto://teller:{MAIL_SECRET}@{mail}")
        self.add_channel("hook", f"json://127.0.0.1:{self.web.port}/{HOOK_SECRET}")
        return self


@contextlib.contextmanager
def installation(system: System, site: MailSite) -> Iterator[Installation]:
    """The programs of an installation, and a domain in their care."""
    workers = [["worker", "--queue", name] for name in QUEUES]
    commands = [["serve"]] if system.mode == "embedded" else [*workers, ["beat"]]
    with contextlib.ExitStack() as stack:
        mail = stack.enter_context(mailbox(("teller", MAIL_SECRET)))
        web = stack.enter_context(hook())
        database = Database(system.database_url)
        stack.callback(database.close)
        database.migrate()
        programs = [stack.enter_context(system.start(*command, **OFTEN)) for command in commands]
        yield Installation(system, site, database, mail, web).set_up()
        for program in programs:
            assert program.process.poll() is None, f"it has ended: {program.words}"
