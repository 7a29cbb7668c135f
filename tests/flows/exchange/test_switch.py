"""A domain changes from IMAP to Exchange and back: the baseline is asked with the old protocol, the rest with the new.

In force is the lab; the stand-in Exchange has the same users, but for two whose password is another one there.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from checks.codes import Code
from checks.model import Protocol
from settings_store import schema
from tests.flows.exchange.site import DOMAIN, SETTINGS, Site
from tests.flows.harness import Box, Outcome, System, settings_of, user_of
from tests.servers.exchange.server import ExchangeServer
from tests.servers.lab import MailLab
from tests.servers.process import free_port

COUNT = 12
ELSEWHERE = frozenset({user_of(2), user_of(3)})
"""Whose password Exchange does not take."""


@pytest.fixture
def users(lab: MailLab) -> dict[str, str]:
    return dict(list(lab.users.items())[:COUNT])


@pytest.fixture
def other(running: System, server_folder: Path, lab: MailLab, users: dict[str, str]) -> Iterator[Site]:
    """An Exchange under the lab's certificate authority, and a domain whose mailboxes are the lab's users."""
    folder, leaf = server_folder / f"exchange-switch-{running.mode}", lab.certificates.issue()
    accounts = {user: "another" if user in ELSEWHERE else password for user, password in users.items()}
    with ExchangeServer(folder, leaf, accounts) as server:
        site = Site(running, server, lab.certificates.ca_pem, lab.ca_file)
        site.forget_mailboxes()
        running.load(DOMAIN, [Box(user, password, user) for user, password in users.items()])
        yield site
        assert server.misplaced_credentials() == []
        assert server.locked() == []


def forget_states(site: Site) -> None:
    with site.system.open() as preflight, preflight.database.begin() as conn:
        conn.execute(schema.mailboxes.update().values(state="unknown"))


def having(found: Outcome, impact: str) -> set[str]:
    return {address for address, met in found.impacts.items() if met == impact}


@pytest.mark.both_modes
def test_from_imap_to_exchange_and_back(other: Site, lab: MailLab, users: dict[str, str]) -> None:
    """Given IMAP in force, when Exchange is proposed, then those it rejects are asked of IMAP; and back."""
    other.system.apply(DOMAIN, settings_of(lab))
    forget_states(other)
    lab.forget()

    there = other.system.apply(DOMAIN, other.settings(), **SETTINGS)

    assert [result.endpoint.protocol for result in there.report.endpoints] == [Protocol.HTTPS]
    assert having(there, "will_disconnect") == ELSEWHERE
    assert lab.dovecot.logins() == dict.fromkeys(ELSEWHERE, 1)
    assert other.server.logons() + other.server.bad_logons() == dict.fromkeys(users, 1)
    assert {tuple(line.services or ()) for line in there.lines.values()} == {("mail", "calendar")}
    forget_states(other)
    lab.forget()
    other.server.forget()

    back = other.system.verify(DOMAIN, settings_of(lab, imap=free_port()), **SETTINGS)

    assert set(back.codes.values()) == {"connect.refused"}
    assert having(back, "will_disconnect") == set(users) - ELSEWHERE
    assert having(back, "already_disconnected") == ELSEWHERE
    assert other.server.logons() == dict.fromkeys(set(users) - ELSEWHERE, 1)
    assert not other.server.bad_logons()  # it has rejected those two already
    assert not lab.dovecot.logins()
    assert {line.services for line in back.lines.values()} == {None}


def test_back_to_imap_that_works(other: Site, lab: MailLab) -> None:
    other.system.apply(DOMAIN, other.settings(), **SETTINGS)
    other.server.forget()

    found = other.system.apply(DOMAIN, settings_of(lab), **SETTINGS)

    assert having(found, "will_reconnect") == ELSEWHERE
    assert found.counts["keeps_working"] == COUNT - len(ELSEWHERE)
    assert other.server.requests() == []


def test_the_same_url_typed_in_another_way_fails_as_before(other: Site, users: dict[str, str]) -> None:
    """Given a mailbox without its calendar in force, when the same URL is proposed, then one logon tells both."""
    other.server.act("calendar_denied", user_of(5))
    other.system.apply(DOMAIN, other.settings(), **SETTINGS)
    forget_states(other)
    other.server.forget()

    found = other.verify(other.settings(f"localhost:{other.server.port}/owa"))

    assert having(found, "already_disconnected") == ELSEWHERE | {user_of(5)}
    assert found.codes[user_of(5)] == Code.EXCHANGE_CALENDAR_DENIED
    assert other.server.logons() == dict.fromkeys(set(users) - ELSEWHERE, 1)
    assert not other.server.bad_logons()


def test_another_path_is_another_exchange(other: Site) -> None:
    other.server.act("calendar_denied", user_of(5))
    other.system.apply(DOMAIN, other.settings(), **SETTINGS)
    forget_states(other)
    other.server.forget()

    found = other.verify(other.settings(f"https://localhost:{other.server.port}/mail/EWS/Exchange.asmx"))

    assert found.codes[user_of(5)] == Code.EXCHANGE_CALENDAR_DENIED
    assert having(found, "already_disconnected") == ELSEWHERE | {user_of(5)}
    assert other.server.logons()[user_of(5)] == 2  # once with each URL
    assert not other.server.bad_logons()
