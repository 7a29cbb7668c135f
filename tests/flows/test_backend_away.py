"""Servers whose password check is away: no password is blamed, and after the repair each gets in with one login."""

import base64
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import pytest
import sqlalchemy as sa

from checks.codes import CODES, Blame, Code
from checks.settings import ImapSettings
from settings_store import schema
from tests.checks.clients import imap_rows
from tests.flows.harness import Box, Outcome, System, boxes_of, seen, settings_of, user_of
from tests.servers.behaviours import imap_script, smtp_script
from tests.servers.conversation import Behaviour, Conversation, Script
from tests.servers.hostile import HostileServer
from tests.servers.lab import MailLab
from worker.changes.wording import report_document

DOMAIN = "away.example"
COUNT = 6  # the canaries, and one that is not tried
FIRST = 10
"""The user of the first mailbox: the other lab takes the passwords of those before it, but for some."""


def remembered(system: System) -> int:
    with system.open() as preflight, preflight.database.read() as conn:
        return int(conn.execute(sa.select(sa.func.count()).select_from(schema.rejections)).scalar_one())


def blames_nobody(system: System, found: Outcome) -> None:
    assert found.counts == {"cannot_tell": COUNT}
    assert found.report.verdict == "cannot_tell"
    assert not [code for code in found.codes.values() if CODES[Code(code)].blame is Blame.MAILBOX]
    assert remembered(system) == 0


class TestRealPostfix:
    """It asks the other lab's Dovecot, while IMAP is the lab's and takes every password."""

    @pytest.fixture
    def away(self, embedded_system: System, lab: MailLab, other_lab: MailLab) -> Iterator[System]:
        """A system with mailboxes whose passwords are right; the other lab is as it was at the end."""
        known = list(lab.users.items())[FIRST : FIRST + COUNT]
        embedded_system.load(DOMAIN, [Box(f"{user.partition('@')[0]}@{DOMAIN}", word, user) for user, word in known])
        yield embedded_system
        other_lab.postfix.restart()  # it throttles itself for a minute once it has found nobody to ask

    def test_the_password_database_is_unreadable(self, away: System, lab: MailLab, other_lab: MailLab) -> None:
        """`535 5.7.8 Error: authentication failed: (reason unavailable)`, to everybody."""
        users = other_lab.folder / "dovecot" / "users"
        hidden = users.rename(users.with_name("users.away"))
        other_lab.dovecot.restart()

        try:
            found = away.verify(DOMAIN, _settings(lab, other_lab))
        finally:
            hidden.rename(users)
            other_lab.dovecot.restart()

        blames_nobody(away, found)
        assert Counter(found.codes.values()) == {"auth.all_rejected": 5, "run.not_tried": 1}
        assert "(reason unavailable)" in next(line.seen for line in found.lines.values() if line.seen)
        _each_gets_in(away, lab, other_lab)

    def test_the_sasl_service_is_stopped(self, away: System, lab: MailLab, other_lab: MailLab) -> None:
        """Postfix says 454, or nothing at all: it ends where it cannot even ask for the mechanisms."""
        other_lab.dovecot.stop()

        try:
            found = away.verify(DOMAIN, _settings(lab, other_lab))
        finally:
            other_lab.dovecot.start()
        other_lab.postfix.restart()

        blames_nobody(away, found)
        _each_gets_in(away, lab, other_lab)


def _settings(lab: MailLab, other: MailLab) -> ImapSettings:
    settings = settings_of(lab, smtp=other.postfix.smtps_port)
    return replace(settings, ca_pem=lab.certificates.ca_pem + other.certificates.ca_pem)


def _each_gets_in(system: System, lab: MailLab, other: MailLab) -> None:
    lab.dovecot.forget()
    other.dovecot.forget()
    again = system.verify(DOMAIN, _settings(lab, other))
    assert again.counts == {"keeps_working": COUNT}
    once = dict.fromkeys(map(user_of, range(FIRST, FIRST + COUNT)), 1)
    assert (seen(lab).imap, seen(other).smtp) == (once, once)
    assert not seen(lab).imap_rejected
    assert not seen(other).smtp_rejected


class Backed:
    """A scripted server, and what it says while its password check is `away`."""

    def __init__(self, works: Behaviour, without: Behaviour) -> None:
        self._works, self._without = works, without
        self.away = True

    def __call__(self, conversation: Conversation) -> None:
        (self._without if self.away else self._works)(conversation)


class Away(NamedTuple):
    """Who says what to a login, and what that is to be taken for."""

    server: str
    reply: str
    code: Code
    protocol: str = "smtp"


SAID = (
    Away("Courier ESMTP, authdaemond stopped", "535 Authentication failed.", Code.AUTH_ALL_REJECTED),
    Away("Sendmail, saslauthd stopped", "535 5.7.0 authentication failed", Code.AUTH_ALL_REJECTED),
    Away("smtp-server, its callback fails", "535 Database connection lost", Code.AUTH_TEMPORARY),
    Away(
        "Postfix, saslauthd stopped",
        "454 4.7.0 Temporary authentication failure: generic failure",
        Code.AUTH_TEMPORARY,
    ),
    Away(
        "Courier IMAP, authdaemond stopped",
        "* BYE Temporary problem, please try again later",
        Code.AUTH_TEMPORARY,
        "imap",
    ),
    Away("perdition, backend dead", "{tag} NO failed: Could not connect to server", Code.AUTH_TEMPORARY, "imap"),
    Away("Dovecot", "{tag} NO [UNAVAILABLE] Temporary authentication failure.", Code.AUTH_TEMPORARY, "imap"),
)


def _script(protocol: str, **login: str) -> Script:
    takes_senders = ("^(MAIL|RSET)", "250 2.1.0 Ok")
    return imap_script(**login) if protocol == "imap" else smtp_script(takes_senders, **login)


_LOGINS = re.compile(rb"\w LOGIN |AUTH PLAIN ")


@pytest.mark.parametrize("row", SAID, ids=lambda row: row.server)
def test_what_it_says_blames_no_password(row: Away, embedded_system: System, lab: MailLab) -> None:
    system = embedded_system
    system.load(DOMAIN, boxes_of(lab, DOMAIN, COUNT))
    backed = Backed(_script(row.protocol), _script(row.protocol, login=row.reply))

    with HostileServer(backed, lab.certificates.issue()) as server:
        settings = settings_of(lab, imap=server.port) if row.protocol == "imap" else settings_of(lab, smtp=server.port)
        found = system.verify(DOMAIN, settings)
        before = len(_LOGINS.findall(server.received))
        backed.away = False
        again = system.verify(DOMAIN, settings)
        logins = len(_LOGINS.findall(server.received)) - before

    blames_nobody(system, found)
    assert found.report.stop_code is row.code
    assert set(found.codes.values()) == {row.code, "run.not_tried"}
    assert again.counts == {"keeps_working": COUNT}
    assert logins == COUNT


@pytest.mark.parametrize("others", ["{tag} OK AUTHENTICATE Completed\n", "* BYE Session timed out\r\n"])
def test_the_stop_is_never_told_by_a_minority(others: str, embedded_system: System, lab: MailLab) -> None:
    """GNU Mailutils rejects one of five, and ends its answer to the others in a way that Python does not read."""
    system = embedded_system
    boxes = boxes_of(lab, DOMAIN, COUNT, wrong=(2,))
    system.load(DOMAIN, boxes)
    wrong = base64.b64encode(f"\0{boxes[2].username}\0{boxes[2].password}".encode()).decode()

    def answer(_: set[str], line: str) -> str:
        return "{tag} NO AUTHENTICATE Bad user name or password\r\n" if wrong in line else others

    mailutils = imap_rows.Row("Mailutils", "IMAP4rev1 AUTH=PLAIN LOGINDISABLED", {"RESPONSE": answer})
    with HostileServer(imap_rows.serves(mailutils), lab.certificates.issue()) as server:
        found = system.verify(DOMAIN, settings_of(lab, imap=server.port))

    most = Counter(found.codes.values()).most_common(1)[0][0]
    assert most != "auth.rejected"
    assert found.report.stop_code in (None, Code(most))
    document = report_document(found.report)
    assert document.stop is None or document.stop.code == most
