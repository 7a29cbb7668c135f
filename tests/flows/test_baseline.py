"""Who would disconnect: works with the settings in force, fails with the proposed ones, and nothing else.

In force is the lab as `localhost`; proposed is another pair of servers as `127.0.0.1`, so that hosts differ. Its users
2, 3 and 4 (`OTHERS_REJECT`) have another password.
"""

from collections import Counter
from collections.abc import Mapping

import pytest

from settings_store import schema
from tests.flows.harness import OTHERS_REJECT, Outcome, System, account_of, boxes_of, settings_of, user_of
from tests.servers.lab import MailLab
from tests.servers.process import free_port

DOMAIN = "baseline.example"
COUNT = 20
IMPACTS = ("keeps_working", "will_disconnect", "will_reconnect", "already_disconnected", "cannot_tell")


def box(number: int) -> str:
    return f"box{number:03}@{DOMAIN}"


def set_states(system: System, states: Mapping[int, str]) -> None:
    """Known states of some mailboxes; all others are unknown."""
    table = schema.mailboxes
    with system.open() as preflight, preflight.database.begin() as conn:
        conn.execute(table.update().values(state="unknown"))
        for number, state in states.items():
            conn.execute(table.update().where(table.c.address == box(number)).values(state=state))


def without_credential(system: System, number: int) -> None:
    table = schema.mailboxes
    with system.open() as preflight, preflight.database.begin() as conn:
        conn.execute(table.update().where(table.c.address == box(number)).values(credential=None))


def grouped(found: Outcome) -> dict[str, set[int]]:
    groups: dict[str, set[int]] = {impact: set() for impact in IMPACTS}
    for address, impact in found.impacts.items():
        groups[impact].add(int(address[3:6]))
    return groups


@pytest.fixture
def in_force(system: System, lab: MailLab, other_lab: MailLab) -> System:
    """A domain whose settings in force are the lab; mailboxes 8 and 9 have a password that is wrong everywhere."""
    system.load(DOMAIN, boxes_of(lab, DOMAIN, COUNT, wrong=(8, 9)))
    system.apply(DOMAIN, settings_of(lab))
    with system.open() as preflight:
        account_of(preflight).mailboxes.forget_rejections(
            DOMAIN
        )  # or the baseline of 8 and 9 would be known without a login
    lab.forget()
    other_lab.forget()
    return system


@pytest.mark.both_modes
def test_all_five_impacts_at_once(in_force: System, lab: MailLab, other_lab: MailLab) -> None:
    set_states(in_force, {0: "connected", 1: "disconnected", 2: "connected", 3: "disconnected"})
    without_credential(in_force, 10)

    found = in_force.verify(DOMAIN, settings_of(other_lab, host="127.0.0.1"))

    rest = set(range(COUNT)) - {1, 2, 3, 4, 8, 9, 10}
    assert grouped(found) == {
        "keeps_working": rest,
        "will_disconnect": {2, 4},  # 2 was known to work, 4 was asked
        "will_reconnect": {1},
        "already_disconnected": {3, 8, 9},  # 3 was known to be broken, 8 and 9 were asked
        "cannot_tell": {10},
    }
    assert found.codes[box(10)] == "credential.missing"
    # only those of unknown state that failed are asked of the settings in force
    assert lab.dovecot.logins() == {user_of(4): 1}
    assert lab.dovecot.logins("smtp") == {user_of(4): 1}
    assert lab.dovecot.rejections() == {user_of(8): 1, user_of(9): 1}
    assert not lab.dovecot.rejections("smtp")


def test_nobody_is_asked_where_all_works(in_force: System, lab: MailLab) -> None:
    in_force.load(DOMAIN, boxes_of(lab, DOMAIN, COUNT))  # 8 and 9 are right now
    set_states(in_force, {})

    found = in_force.verify(DOMAIN, settings_of(lab, host="127.0.0.1"))

    assert found.report.verdict == "safe"
    assert set(lab.dovecot.logins().values()) == {1}


def test_a_server_that_rejected_is_not_asked_again(in_force: System, lab: MailLab) -> None:
    """The servers stay, only the option changes: the rejection says that the mailbox was broken before."""
    set_states(in_force, {})

    found = in_force.verify(DOMAIN, settings_of(lab, allow_insecure=True))

    assert grouped(found)["already_disconnected"] == {8, 9}
    assert lab.dovecot.rejections() == {user_of(8): 1, user_of(9): 1}


def test_another_port_may_be_another_server(in_force: System, other_lab: MailLab) -> None:
    """Two servers on one host: what one of them rejects may work at the other."""
    set_states(in_force, {})

    found = in_force.verify(DOMAIN, settings_of(other_lab))

    assert grouped(found)["will_disconnect"] == OTHERS_REJECT
    assert grouped(found)["already_disconnected"] == {8, 9}


def test_an_endpoint_that_fails_now_but_works_in_force(in_force: System, lab: MailLab) -> None:
    """Everybody fails by one fact, so everybody of unknown state is asked of the settings in force."""
    set_states(in_force, {0: "connected"})

    found = in_force.verify(DOMAIN, settings_of(lab, imap=free_port()))

    assert set(found.codes.values()) == {"connect.refused"}
    assert grouped(found)["will_disconnect"] == set(range(COUNT)) - {8, 9}
    assert grouped(found)["already_disconnected"] == {8, 9}
    assert set(lab.dovecot.logins()) == {user_of(number) for number in range(1, COUNT)} - {user_of(8), user_of(9)}
    assert set(lab.dovecot.logins().values()) == {1}


def test_an_endpoint_that_fails_then_as_now(system: System, lab: MailLab) -> None:
    """The same endpoint with the same trust: the failure was there before, and nobody logs in to learn it."""
    port = free_port()
    system.load(DOMAIN, boxes_of(lab, DOMAIN, 6))
    system.apply(DOMAIN, settings_of(lab, imap=port))
    set_states(system, {})
    lab.forget()

    found = system.verify(DOMAIN, settings_of(lab, imap=port))

    assert found.counts["already_disconnected"] == 6
    assert found.report.verdict == "unsafe"  # whoever connects next would get settings that do not work
    assert not lab.dovecot.logins()


def test_settings_in_force_that_fail_by_one_fact(system: System, lab: MailLab, other_lab: MailLab) -> None:
    """In force is a host that does not exist, so those that fail with the proposed settings were broken before."""
    system.load(DOMAIN, boxes_of(lab, DOMAIN, 8))
    system.apply(DOMAIN, settings_of(lab, host="x.invalid"))
    set_states(system, {})

    found = system.verify(DOMAIN, settings_of(other_lab, host="127.0.0.1"))

    assert grouped(found)["already_disconnected"] == OTHERS_REJECT
    assert found.counts["keeps_working"] == 5


def test_known_states_survive_an_import_that_changes_nothing(
    in_force: System, lab: MailLab, other_lab: MailLab
) -> None:
    in_force.load(DOMAIN, boxes_of(lab, DOMAIN, COUNT, wrong=(8, 9)))

    found = in_force.verify(DOMAIN, settings_of(other_lab, host="127.0.0.1"))

    assert grouped(found)["will_disconnect"] == OTHERS_REJECT
    assert grouped(found)["already_disconnected"] == {8, 9}
    assert lab.dovecot.logins() + lab.dovecot.rejections() == Counter()


def test_in_a_domain_without_settings_unknown_counts_as_connected(system: System, lab: MailLab) -> None:
    system.load(DOMAIN, boxes_of(lab, DOMAIN, 8, wrong=[6]))

    found = system.verify(DOMAIN, settings_of(lab))

    assert grouped(found)["will_disconnect"] == {6}


def test_no_mailbox_has_a_credential(system: System, lab: MailLab) -> None:
    system.load(DOMAIN, boxes_of(lab, DOMAIN, 8))
    with system.open() as preflight, preflight.database.begin() as conn:
        conn.exec_driver_sql("UPDATE mailboxes SET credential = NULL")

    logged = system.verify(DOMAIN, settings_of(lab))
    settled = system.verify(DOMAIN, settings_of(lab, imap=free_port()))

    assert set(logged.codes.values()) == {"credential.missing"}
    assert logged.report.verdict == "cannot_tell"
    assert settled.counts["will_disconnect"] == 8  # the endpoint settles it
    assert not lab.dovecot.logins()


def test_a_key_that_is_lost_blames_nobody(system: System, lab: MailLab) -> None:
    """Given credentials written with another key, when they are verified, then nobody is told to disconnect."""
    system.load(DOMAIN, boxes_of(lab, DOMAIN, 8))
    with system.open() as preflight, preflight.database.begin() as conn:
        conn.execute(schema.mailboxes.update().values(credential=b"gAAAAA-not-of-this-key"))

    found = system.verify(DOMAIN, settings_of(lab))

    assert found.counts["cannot_tell"] == 8
    assert "credential.unreadable" in found.codes.values()
    assert not lab.dovecot.logins()
