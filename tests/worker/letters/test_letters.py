"""What is written to whom: each cause to those who can do something about it, and to nobody else."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from checks.codes import CODES, Blame, Code, Verdict
from checks.language import Language
from checks.model import EndpointResult, TlsFacts, Warn
from tests.cli.fakes import EXPIRED_SMTP, GOOD_IMAP, FakeReport, lines
from worker.changes.report import findings_of
from worker.egress.connection_ips import Sources
from worker.letters.document import Letter, Recipient
from worker.letters.letters import letters
from worker.letters.material import FIREWALL, OWNERS, SERVERS, material

SOURCES = Sources(("192.0.2.200", "2001:db8::200"), system_chooses=False)
NOTHING_TO_CHANGE = {Code.TLS_PIN_EXPIRES, Code.TLS_CERTIFICATE_CHANGED}
"""Of the server, and no fault of it."""
OF_THE_DNS = {Code.DNS_TEMPORARY}


def write(report: FakeReport, to: Recipient, listed: int = 100, sources: Sources = SOURCES) -> list[Letter]:
    report.found = report.found or findings_of(report.lines).causes  # type: ignore[assignment, arg-type] # they quack
    report.reported_at = 1795946716.0  # type: ignore[attr-defined] # 2026-11-29 10:05 UTC
    return letters(material(report, sources, listed), to)  # type: ignore[arg-type] # of the same shape


def refused(code: Code, **facts: str) -> EndpointResult:
    return replace(GOOD_IMAP, verdict=Verdict.INCONCLUSIVE, code=code, facts=facts, warnings=())


@pytest.mark.parametrize("language", Language)
def test_every_cause_that_somebody_outside_can_mend_has_its_words(language: Language) -> None:
    def blamed(*who: Blame) -> set[Code]:
        return {code for code, trait in CODES.items() if trait.blame in who}

    assert set(OWNERS[language]) == blamed(Blame.MAILBOX)
    assert blamed(Blame.SERVER) - set(SERVERS[language]) - set(FIREWALL[language]) == NOTHING_TO_CHANGE
    assert blamed(Blame.NETWORK) - set(FIREWALL[language]) == OF_THE_DNS


def test_owners_get_one_letter_for_each_cause_with_their_addresses() -> None:
    report = FakeReport(
        lines("will_disconnect", 3, Code.AUTH_REJECTED)
        + lines("already_disconnected", 2, Code.AUTH_APP_PASSWORD)
        + lines("cannot_tell", 1, Code.MAILBOX_IN_USE)
        + lines("keeps_working", 20, Code.OK)
    )

    rejected, app_password = write(report, Recipient.OWNERS, listed=2)

    assert (rejected.code, rejected.count) == (Code.AUTH_REJECTED, 3)
    assert rejected.addresses == ("will_disconnect0@demo.example", "will_disconnect1@demo.example")
    assert "Enter your current password again" in rejected.body
    assert "will be disconnected until this is mended" in rejected.body
    assert "@demo.example" not in rejected.body, "whoever gets it learns of nobody else"
    assert (app_password.code, app_password.impact) == (Code.AUTH_APP_PASSWORD, "already_disconnected")


def test_whoever_would_write_to_nearly_all_is_told_that_it_is_hardly_their_mistake() -> None:
    report = FakeReport(lines("will_disconnect", 9, Code.AUTH_REJECTED) + lines("keeps_working", 2, Code.OK))
    few = FakeReport(lines("will_disconnect", 2, Code.AUTH_REJECTED) + lines("keeps_working", 9, Code.OK))

    (letter,), (harmless,) = write(report, Recipient.OWNERS), write(few, Recipient.OWNERS)

    assert "rarely their owners' mistake" in letter.caution
    assert letter.caution not in letter.body
    assert harmless.caution == ""


@pytest.mark.parametrize(("step", "said"), [("rollback", "were changed"), ("reopen", "not in force")])
def test_an_owner_is_told_whether_the_settings_are_in_force(step: str, said: str) -> None:
    class Put(FakeReport):
        @property
        def step(self) -> str:
            return step

    (letter,) = write(Put(lines("will_disconnect", 1, Code.AUTH_REJECTED)), Recipient.OWNERS)

    assert said in letter.body
    assert "going to be changed" not in letter.body


def test_the_mail_admin_reads_which_certificate_it_is_what_to_change_and_when_we_were_there() -> None:
    certified = replace(EXPIRED_SMTP, tls=TlsFacts(None, None, GOOD_IMAP.tls.chain if GOOD_IMAP.tls else (), 0))
    report = FakeReport(lines("cannot_tell", 4, Code.MAILBOX_IN_USE), endpoints=(GOOD_IMAP, certified))
    report.lines[0].seen = "NO [INUSE] Mailbox is locked"

    (letter,) = write(report, Recipient.MAIL_ADMIN)

    for told in (
        "The certificate for smtp.demo.example expired on 3 March 2026.",
        "Renew the certificate, and have the server load it.",
        f"CN=imap.demo.example, issued by CN=Demo CA, valid from 2026-01-01 to 2026-12-01, SHA-256 {'ab' * 32}",
        "Mailboxes concerned: 4, for example cannot_tell0@demo.example, cannot_tell1",
        "In the server's own words: NO [INUSE] Mailbox is locked",
        "2026-11-29 10:05 UTC",
        "From: 192.0.2.200, 2001:db8::200",
    ):
        assert told in letter.body
    assert "IMAP imap.demo.example:993 (tls): works" in letter.body, "where those mailboxes are"


def test_the_firewall_people_read_hosts_ports_and_where_we_come_from() -> None:
    report = FakeReport(lines("cannot_tell", 4, Code.CONNECT_TIMEOUT), endpoints=(refused(Code.CONNECT_TIMEOUT),))

    (letter,) = write(report, Recipient.FIREWALL)

    assert "imap.demo.example, port 993 (IMAP), reached at 192.0.2.10" in letter.body
    assert "From: 192.0.2.200, 2001:db8::200\n" in letter.body
    assert write(report, Recipient.MAIL_ADMIN) == []
    assert write(report, Recipient.OWNERS) == []


@pytest.mark.parametrize(
    ("sources", "said"),
    [
        (Sources((), system_chooses=True), "not fixed"),
        (Sources(("192.0.2.200",), system_chooses=True), "There may be others"),
    ],
)
def test_addresses_that_are_not_fixed_are_not_promised(sources: Sources, said: str) -> None:
    report = FakeReport([], endpoints=(refused(Code.CONNECT_TIMEOUT),))

    assert said in write(report, Recipient.FIREWALL, sources=sources)[0].body


def test_nobody_is_bothered_where_all_is_well_but_a_ticket_can_say_so() -> None:
    found = letters(material(_well(), SOURCES, 10))  # type: ignore[arg-type] # of the same shape

    (ticket,) = found
    assert ticket.to is Recipient.TICKET
    assert "Nobody would disconnect." in ticket.subject
    assert "Checksum of the report: c0ffee" in ticket.body
    assert "TLS: ok (9 ms)" in ticket.body


def _well() -> FakeReport:
    report = FakeReport(lines("keeps_working", 3, Code.OK))
    report.reported_at = 0.0  # type: ignore[attr-defined] # as a report has it
    return report


@pytest.mark.parametrize("language", Language)
def test_each_word_is_filled_in_in_every_language(language: Language) -> None:
    """Every code that a letter has words for, at an endpoint, as its warning, and at mailboxes."""
    tables: Mapping[Recipient, Mapping[Code, str]] = {
        Recipient.OWNERS: OWNERS[language],
        Recipient.MAIL_ADMIN: SERVERS[language],
        Recipient.FIREWALL: FIREWALL[language],
    }
    for to, codes in tables.items():
        for code in codes:
            endpoint = replace(refused(code), warnings=(Warn(code),)) if to is not Recipient.OWNERS else GOOD_IMAP
            report = FakeReport(lines("will_disconnect", 1, code), endpoints=(endpoint,), language=language)
            (letter,) = write(report, to)
            assert "{" not in letter.body + letter.subject
