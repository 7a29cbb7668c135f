"""Servers whose password database is away say "wrong password" to everybody: nobody is blamed for it."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from checks.codes import Code
from settings_store import schema
from tests.flows.harness import Outcome, System, boxes_of, seen, settings_of
from tests.servers.behaviours import smtp_script
from tests.servers.hostile import HostileServer
from tests.servers.lab import MailLab
from worker.changes.wording import report_document

DOMAIN = "fault.example"
COUNT = 12


class Dovecot:
    """The lab's, whose password file may be away. A running one would go on with what it has read."""

    def __init__(self, lab: MailLab) -> None:
        self._lab = lab

    def breaks(self) -> None:
        (self._lab.folder / "dovecot" / "users").unlink()
        self._lab.dovecot.restart()
        self._lab.dovecot.forget()

    def repaired(self) -> None:
        self._lab.dovecot.set_users(self._lab.users)
        self._lab.dovecot.restart()
        self._lab.dovecot.forget()


@pytest.fixture
def dovecot(lab: MailLab) -> Iterator[Dovecot]:
    server = Dovecot(lab)
    yield server
    server.repaired()


def remembered(system: System) -> int:
    with system.open() as preflight, preflight.database.read() as conn:
        return int(conn.execute(sa.select(sa.func.count()).select_from(schema.rejections)).scalar_one())


def said(found: Outcome) -> str:
    document = report_document(found.report)
    assert document.stop is not None
    return document.stop.sentence


def test_dovecot_without_its_password_file(embedded_system: System, lab: MailLab, dovecot: Dovecot) -> None:
    """Given a file that is missing, then all are rejected alike; given it is back, then each works with one login."""
    system = embedded_system
    system.load(DOMAIN, boxes_of(lab, DOMAIN, COUNT))
    dovecot.breaks()

    found = system.verify(DOMAIN, settings_of(lab))

    assert found.counts == {"cannot_tell": COUNT}
    assert set(found.codes.values()) == {"auth.all_rejected", "run.not_tried"}
    assert list(found.codes.values()).count("auth.all_rejected") == 5
    assert found.report.stop_code is Code.AUTH_ALL_REJECTED
    # Dovecot 2.3 says [AUTHENTICATIONFAILED] to the first only, then [UNAVAILABLE], and Postfix 535 all the while.
    assert "not for their passwords, it seems: " in said(found)
    assert remembered(system) == 0

    dovecot.repaired()
    again = system.verify(DOMAIN, settings_of(lab))

    assert again.counts == {"keeps_working": COUNT}
    assert set(seen(lab).imap.values()) == set(seen(lab).smtp.values()) == {1}
    assert not seen(lab).imap_rejected


def test_smtp_that_rejects_what_imap_takes(embedded_system: System, lab: MailLab) -> None:
    """Given Postfix whose password database is away, then the passwords that IMAP has just taken are not to blame."""
    system = embedded_system
    system.load(DOMAIN, boxes_of(lab, DOMAIN, COUNT))
    away = smtp_script(login="535 5.7.8 Error: authentication failed: (reason unavailable)")

    with HostileServer(away, lab.certificates.issue()) as server:
        found = system.verify(DOMAIN, settings_of(lab, smtp=server.port))

    assert found.counts == {"cannot_tell": COUNT}
    assert list(found.codes.values()).count("auth.all_rejected") == 5
    assert found.report.verdict == "cannot_tell"
    assert "IMAP had just accepted the same passwords" in said(found)
    imap, smtp = found.report.endpoints
    assert Code.AUTH_ALL_REJECTED not in [warn.code for warn in imap.warnings]
    assert Code.AUTH_ALL_REJECTED in [warn.code for warn in smtp.warnings]
    assert remembered(system) == 0
    assert system.verify(DOMAIN, settings_of(lab)).counts == {"keeps_working": COUNT}


def test_two_wrong_new_passwords_are_their_owners(embedded_system: System, lab: MailLab) -> None:
    system = embedded_system
    system.load(DOMAIN, boxes_of(lab, DOMAIN, 2, wrong=(0, 1)))

    found = system.verify(DOMAIN, settings_of(lab))

    assert found.counts == {"will_disconnect": 2}
    assert set(found.codes.values()) == {"auth.rejected"}
    assert remembered(system) == 2


def test_those_known_to_work_speak_for_each_other(embedded_system: System, lab: MailLab, dovecot: Dovecot) -> None:
    """Given two mailboxes that worked when they were last looked at, then two rejections alike are the server's."""
    system = embedded_system
    system.load(DOMAIN, boxes_of(lab, DOMAIN, 2))
    system.apply(DOMAIN, settings_of(lab))
    dovecot.breaks()

    found = system.verify(DOMAIN, settings_of(lab))

    assert found.counts == {"cannot_tell": 2}
    assert set(found.codes.values()) == {"auth.all_rejected"}
    evidence = {warn.facts.get("evidence") for result in found.report.endpoints for warn in result.warnings}
    assert evidence & {"backend_away", "worked_before"}
