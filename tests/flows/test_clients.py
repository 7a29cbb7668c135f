"""Servers that answer the client otherwise than one would think, seen by whole runs: what one canary learns."""

import base64
from dataclasses import replace

import pytest

from checks.model import Authentication
from tests.flows.harness import System, boxes_of, settings_of
from tests.servers.behaviours import smtp_script
from tests.servers.conversation import Behaviour
from tests.servers.hostile import HostileServer
from tests.servers.lab import MailLab
from tests.servers.resumption import RefusesResumption

DOMAIN = "clients.example"
COUNT = 12
_TAKES = ("^MAIL FROM:", "250 2.1.0 Ok"), ("^RSET", "250 2.0.0 Ok")


@pytest.fixture
def loaded(system: System, lab: MailLab) -> System:
    """A system with some mailboxes, all of them with the right password and another user name than the address."""
    system.load(DOMAIN, boxes_of(lab, DOMAIN, COUNT))
    return system


def passwords(lab: MailLab) -> list[str]:
    return [base64.b64encode(password.encode()).decode() for password in list(lab.users.values())[:COUNT]]


def takes_only_login(lab: MailLab) -> Behaviour:
    """PLAIN is offered, and answered like a wrong password."""
    right = "|".join(f"^{text}$" for text in passwords(lab))
    return smtp_script(
        ("^AUTH PLAIN", "535 5.7.8 Error: authentication failed"),
        ("^AUTH LOGIN ", "334 UGFzc3dvcmQ6"),
        (right.replace("+", "\\+"), "235 2.7.0 Accepted"),
        *_TAKES,
    )


def test_one_canary_finds_the_mechanism_for_all(loaded: System, lab: MailLab) -> None:
    """Given a server that rejects by PLAIN, when one canary has come in by LOGIN, then all begin with that."""
    with HostileServer(takes_only_login(lab), lab.certificates.issue()) as server:
        found = loaded.verify(DOMAIN, settings_of(lab, smtp=server.port))
    assert found.counts["keeps_working"] == COUNT
    assert server.received.count(b"AUTH PLAIN ") == 1
    assert server.received.count(b"AUTH LOGIN ") == COUNT


def test_resumed_sessions_refused_by_an_alert(loaded: System, lab: MailLab) -> None:
    """Given an SMTP server that hands out tickets and refuses whoever has one, then all mailboxes keep working."""
    behave = RefusesResumption(smtp_script(*_TAKES), lab.certificates.issue())
    with HostileServer(behave, lab.certificates.issue()) as server:
        found = loaded.verify(DOMAIN, settings_of(lab, smtp=server.port))
    assert found.counts["keeps_working"] == COUNT
    assert behave.refused >= 1, "it was tried"


def test_smtp_without_a_login(loaded: System, lab: MailLab) -> None:
    relay = smtp_script(("^EHLO", "250-mail.lab.example\r\n250 PIPELINING"), *_TAKES)
    with HostileServer(relay, lab.certificates.issue()) as server:
        wanted = settings_of(lab, smtp=server.port)
        none = replace(wanted, smtp=replace(wanted.smtp, authentication=Authentication.NONE))
        found = loaded.verify(DOMAIN, none)
        assert found.counts["keeps_working"] == COUNT
        assert server.received.count(b"MAIL FROM:<box") == COUNT
        with_a_login = loaded.verify(DOMAIN, wanted)
    assert set(with_a_login.codes.values()) == {"auth.not_offered"}
    assert b"AUTH" not in server.received


def test_a_sender_that_is_refused(loaded: System, lab: MailLab) -> None:
    judge = smtp_script(("^MAIL FROM:", "553 5.7.1 Sender address rejected: not owned by auth user."), _TAKES[1])
    with HostileServer(judge, lab.certificates.issue()) as server:
        found = loaded.verify(DOMAIN, settings_of(lab, smtp=server.port))
    tried = [line for line in found.lines.values() if line.code == "smtp.sender_refused"]
    assert tried
    assert found.report.verdict == "unsafe"
    assert all(line.address in line.seen and "logged in as" in line.seen for line in tried)
    assert b"RCPT" not in server.received
