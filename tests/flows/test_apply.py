"""A change is put in force as a whole or not at all, and never on the strength of an old or another report."""

import pytest
import sqlalchemy as sa

from checks.model import Invalid, MailboxState
from settings_store import schema
from settings_store.changes.lifecycle import Refused
from settings_store.db import Database
from tests.flows.harness import Outcome, System, account_of, boxes_of, settings_of
from tests.servers.lab import MailLab
from worker.service.preflight import Preflight

DOMAIN = "apply.example"
COUNT, WRONG = 10, (1, 4)


@pytest.fixture
def verified(system: System, lab: MailLab) -> Outcome:
    """A verified change of a domain with two mailboxes that would disconnect."""
    system.load(DOMAIN, boxes_of(lab, DOMAIN, COUNT, wrong=WRONG))
    found = system.verify(DOMAIN, settings_of(lab))
    assert found.counts["will_disconnect"] == 2, found.lines
    return found


def states(preflight: Preflight) -> dict[str, int]:
    """State -> how many mailboxes, without zeros."""
    (domain,) = account_of(preflight).domains.summaries()
    return {str(state): count for state, count in domain.mailboxes.items() if count}


def in_force(preflight: Preflight) -> int | None:
    with preflight.database.read() as conn:
        found: int | None = conn.execute(sa.select(schema.domains.c.settings_id)).scalar_one()
        return found


def assert_untouched(system: System) -> None:
    with system.open() as preflight:
        assert in_force(preflight) is None
        assert states(preflight) == {"unknown": COUNT}


def test_refused_unless_that_very_number_is_accepted(system: System, verified: Outcome) -> None:
    for accepted, said in ((None, ""), (1, ", not 1"), (3, ", not 3"), (0, ", not 0")):
        with system.open() as preflight, pytest.raises(Refused) as refused:
            account_of(preflight).changes.apply(verified.saved.change_id, accepted)
        command = f"mail-preflight apply {verified.saved.change_id} --accept-disconnects 2"
        assert str(refused.value) == f"2 mailboxes would disconnect{said}; to accept that: `{command}`"
    assert_untouched(system)


@pytest.mark.both_modes
def test_applied_with_the_accepted_number_once(system: System, verified: Outcome, lab: MailLab) -> None:
    """The settings are in force, the states are taken over with their reasons, and that was it."""
    box = schema.mailboxes
    with system.open() as preflight:
        applied = account_of(preflight).changes.apply(verified.saved.change_id, 2)
        assert (applied.domain, applied.settings, applied.will_disconnect) == (DOMAIN, settings_of(lab), 2)

        with pytest.raises(Refused, match=r"is applied and cannot be applied; `mail-preflight history "):
            account_of(preflight).changes.apply(verified.saved.change_id, 2)

        (domain,) = account_of(preflight).domains.summaries()
        assert domain.settings == settings_of(lab)
        assert states(preflight) == {"connected": 8, "disconnected": 2}
        with preflight.database.read() as conn:
            found = {row.address: (row.state, row.state_code) for row in conn.execute(sa.select(box))}
    assert {address for address, state in found.items() if state == ("disconnected", "auth.rejected")} == {
        f"box{number:03}@{DOMAIN}" for number in WRONG
    }
    assert list(found.values()).count(("connected", "ok")) == 8


def test_a_report_that_is_too_old(system: System, verified: Outcome) -> None:
    with system.open(report_minutes=1e-6) as preflight, pytest.raises(Refused, match=r"minutes old.*verify it again"):
        account_of(preflight).changes.apply(verified.saved.change_id, 2)
    assert_untouched(system)


def test_a_clock_that_was_put_back_a_moment_refuses_nothing(
    system: System, verified: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Database.now
    monkeypatch.setattr(Database, "now", lambda database: clock(database) - 30)
    with system.open() as preflight:
        assert account_of(preflight).changes.apply(verified.saved.change_id, 2).will_disconnect == 2


def test_a_report_that_is_far_ahead_of_the_clock(
    system: System, verified: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Database.now
    monkeypatch.setattr(Database, "now", lambda database: clock(database) - 86400)
    with system.open() as preflight, pytest.raises(Refused, match=r"ahead of the clock.*verify it again"):
        account_of(preflight).changes.apply(verified.saved.change_id, 2)


def test_a_credential_that_changed_later_by_a_clock_a_day_back(
    system: System, verified: Outcome, lab: MailLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a mailbox that worked, when another password comes from a host whose clock is wrong, it was not tested."""
    clock = Database.now
    with monkeypatch.context() as patched:
        patched.setattr(Database, "now", lambda database: clock(database) - 86400)
        system.load(DOMAIN, boxes_of(lab, DOMAIN, COUNT, wrong=(*WRONG, 7)))

    with system.open() as preflight, pytest.raises(Refused, match=r"1 mailboxes .* added or changed"):
        account_of(preflight).changes.apply(verified.saved.change_id, 2)


def test_a_mailbox_that_came_later(system: System, verified: Outcome, lab: MailLab) -> None:
    system.load(DOMAIN, boxes_of(lab, DOMAIN, COUNT + 1, wrong=WRONG))

    with system.open() as preflight, pytest.raises(Refused, match=r"1 mailboxes of apply\.example were added"):
        account_of(preflight).changes.apply(verified.saved.change_id, 2)


def test_a_credential_that_changed_later(system: System, verified: Outcome, lab: MailLab) -> None:
    """Given a mailbox that worked, when another password is imported, then the report says nothing about it."""
    system.load(DOMAIN, boxes_of(lab, DOMAIN, COUNT, wrong=(*WRONG, 7)))

    with system.open() as preflight, pytest.raises(Refused, match="verify it again"):
        account_of(preflight).changes.apply(verified.saved.change_id, 2)


def test_settings_that_moved_meanwhile(system: System, verified: Outcome) -> None:
    with system.open() as preflight:
        with preflight.database.begin() as conn:
            row = conn.execute(sa.select(schema.changes.c.settings_id)).scalar_one()
            conn.execute(schema.domains.update().values(settings_id=row))
        with pytest.raises(Refused, match=r"the settings of apply\.example were changed since"):
            account_of(preflight).changes.apply(verified.saved.change_id, 2)
        assert states(preflight) == {"unknown": COUNT}


def test_a_change_that_is_superseded(system: System, verified: Outcome, lab: MailLab) -> None:
    second = system.verify(DOMAIN, settings_of(lab, host="127.0.0.1"))

    with system.open() as preflight:
        with pytest.raises(Refused, match="is replaced by a newer one and cannot be applied; `mail-preflight reopen "):
            account_of(preflight).changes.apply(verified.saved.change_id, 2)
        account_of(preflight).changes.apply(second.saved.change_id, 2)


@pytest.mark.both_modes
def test_a_change_whose_run_has_not_ended(database_system: System, lab: MailLab) -> None:
    database_system.load(DOMAIN, boxes_of(lab, DOMAIN, COUNT))
    with database_system.open() as preflight:
        preflight.flow.resources.publish = lambda *_: None
        saved = account_of(preflight).changes.save(DOMAIN, settings_of(lab))
        with pytest.raises(Refused, match="is being verified and cannot be applied; `mail-preflight resume "):
            account_of(preflight).changes.apply(saved.change_id, None)
        with pytest.raises(Invalid, match="has no report: it is being verified; `mail-preflight resume "):
            account_of(preflight).changes.report(saved.change_id)


def test_an_unknown_change(system: System) -> None:
    with system.open() as preflight, pytest.raises(Invalid, match="there is no change 'nothing'"):
        account_of(preflight).changes.apply("nothing", None)


@pytest.mark.both_modes
def test_a_newer_change_cancels_the_run_of_the_older(system: System, lab: MailLab) -> None:
    """Given a run at work, when another change of the domain is saved, then the first stops and the second is told."""
    system.load(DOMAIN, boxes_of(lab, DOMAIN, 60))
    with system.open(logins_at_once=2) as preflight, preflight.processes.working():
        old = account_of(preflight).changes.save(DOMAIN, settings_of(lab, host="127.0.0.1"))
        for progress in account_of(preflight).runs.follow(old.run_id, timeout=60):
            if progress.stage == "mailboxes":
                break
        new = account_of(preflight).changes.save(DOMAIN, settings_of(lab))
        *_, last = account_of(preflight).runs.follow(new.run_id, timeout=60)
        *_, first = account_of(preflight).runs.follow(old.run_id, timeout=60)

        assert (first.stage, last.stage) == ("cancelled", "finished")
        assert account_of(preflight).changes.report(new.change_id).counts["keeps_working"] == 60
        with pytest.raises(Invalid, match="has no report: it is replaced by a newer one; `mail-preflight reopen "):
            account_of(preflight).changes.report(old.change_id)


def test_the_command_refuses_and_applies(system: System, verified: Outcome) -> None:
    refused = system.command("apply", verified.saved.change_id)
    applied = system.command("apply", verified.saved.change_id, "--accept-disconnects", "2")

    assert refused.status == 2
    command = f"mail-preflight apply {verified.saved.change_id} --accept-disconnects 2"
    assert refused.err == f"mail-preflight: 2 mailboxes would disconnect; to accept that: `{command}`\n"
    assert applied.status == 0, applied.err
    with system.open() as preflight:
        assert states(preflight) == {"connected": 8, "disconnected": 2}


def test_an_undecided_mailbox_is_unknown_afterwards(embedded_system: System, lab: MailLab) -> None:
    embedded_system.load(DOMAIN, boxes_of(lab, DOMAIN, 3))
    with embedded_system.open() as preflight:
        with preflight.database.begin() as conn:
            conn.exec_driver_sql("UPDATE mailboxes SET credential = NULL WHERE address LIKE 'box001%'")
        found = embedded_system.verify(DOMAIN, settings_of(lab))
        account_of(preflight).changes.apply(found.saved.change_id, None)

        assert found.codes[f"box001@{DOMAIN}"] == "credential.missing"
        assert states(preflight) == {MailboxState.CONNECTED: 2, MailboxState.UNKNOWN: 1}
