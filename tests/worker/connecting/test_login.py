"""Connecting at real servers, in both databases: one login, none after a rejection, and nothing without one."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from checks.model import Endpoint, Protocol
from checks.network.static_addresses import parse_ranges
from checks.protocols.exchange.url import endpoint_of
from checks.settings import ExchangeSettings, ImapSettings, Settings
from settings_store import domains, schema
from settings_store.actors import Actor
from settings_store.connecting.attempts import AttemptState
from settings_store.secrets import new_key
from tests.servers.certificates import CertificateLab
from tests.servers.exchange.server import ExchangeServer
from tests.servers.lab import MailLab
from tests.servers.postgres import PostgresServer
from tests.servers.stores import sqlite_store
from worker.config import Config
from worker.service.domains.connecting import Connecting
from worker.service.preflight import Preflight

ADA = Actor("ada", "192.0.2.1", person="user:ada")
PASSWORD = "Sesame-exchange-open"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def preflight(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Preflight]:
    url = sqlite_store(tmp_path_factory.mktemp("connecting") / "store.db")
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres_server")
        url = server.new_store()
    config = Config(database_url=SecretStr(url), secret_key=SecretStr(new_key()))
    with Preflight.open(config) as opened:
        yield opened


@pytest.fixture(scope="module")
def exchange(server_folder: Path, certificates: CertificateLab) -> Iterator[ExchangeServer]:
    users = {"ada@office.example": PASSWORD}
    with ExchangeServer(server_folder / "connecting-exchange", certificates.issue(), users, ("Basic",)) as server:
        yield server


def connecting(preflight: Preflight) -> Connecting:
    return preflight.connecting(preflight.account_id("default"), actor=ADA, member_of=None)


def in_force(preflight: Preflight, domain: str, settings: Settings) -> None:
    with preflight.database.begin() as conn:
        domain_id = domains.ensure_domain(conn, domains.ensure_account(conn), domain)
        settings_id = domains.save_settings(conn, domain_id, settings, 1.0)
        mine = schema.domains.c.id == domain_id
        conn.execute(schema.domains.update().where(mine).values(settings_id=settings_id))


def pair(lab: MailLab) -> ImapSettings:
    imap = Endpoint(Protocol.IMAP, "localhost", lab.dovecot.imaps_port)
    smtp = Endpoint(Protocol.SMTP, "localhost", lab.postfix.smtps_port)
    return ImapSettings(imap, smtp, ca_pem=lab.ca_file.read_text())


def test_mail_is_logged_in_to_once_and_not_at_all_after_a_rejection(preflight: Preflight, lab: MailLab) -> None:
    in_force(preflight, lab.domain, pair(lab))
    right, wrong, again = list(lab.users)[:3]
    door = connecting(preflight)

    good = door.connect(lab.domain, {"address": right, "password": lab.users[right]})
    bad = door.connect(lab.domain, {"address": wrong, "password": "not-it"})

    assert (good.attempt.state, bad.attempt.state) == (AttemptState.CONNECTED, AttemptState.FAILED)
    assert (bad.attempt.code, bad.attempt.protocol) == ("auth.rejected", "imap")
    assert (lab.dovecot.logins(), lab.dovecot.rejections()) == ({right: 1}, {wrong: 1})
    assert (lab.dovecot.logins("smtp"), lab.dovecot.rejections("smtp")) == ({right: 1}, {})
    account = preflight.account(actor=ADA)
    assert {box.address: box.state for box in account.mailboxes.of_domain(lab.domain)} == {right: "connected"}

    login = {"address": again, "password": "not-it"}
    _reject_stored(preflight, lab, again)
    recalled = door.connect(lab.domain, login)
    assert (recalled.attempt.state, recalled.attempt.seen) == (AttemptState.FAILED, "said so before")
    assert again not in lab.dovecot.rejections(), "what it has rejected lately is not sent there again"
    assert door.connect(lab.domain, {**login, "password": lab.users[again]}).attempt.state == AttemptState.CONNECTED
    account.domains.remove(lab.domain)


def _reject_stored(preflight: Preflight, lab: MailLab, address: str) -> None:
    """A mailbox whose stored password its server has rejected a moment ago."""
    now = preflight.database.now()
    with preflight.database.begin() as conn:
        domain_id = domains.find_domain(conn, preflight.account_id("default"), lab.domain).id
        login = {"username": address, "credential": preflight.vault.seal("not-it")}
        box = schema.mailboxes.insert().values(domain_id=domain_id, address=address, state="disconnected", **login)
        key = conn.execute(box.returning(schema.mailboxes.c.id)).scalar_one()
        server = f"localhost:{lab.dovecot.imaps_port}"
        known = {"server": server, "code": "auth.rejected", "seen": "said so before", "at": now}
        conn.execute(schema.rejections.insert().values(mailbox_id=key, **known))


def test_exchange_is_logged_on_to_once_for_mail_and_calendar(
    preflight: Preflight, exchange: ExchangeServer, certificates: CertificateLab
) -> None:
    endpoint = endpoint_of(exchange.url)
    in_force(preflight, "office.example", ExchangeSettings(endpoint.url, ca_pem=certificates.ca_pem))
    exchange.forget()
    door = connecting(preflight)

    good = door.connect("office.example", {"address": "ada@office.example", "password": PASSWORD})
    bad = door.connect("office.example", {"address": "bela@office.example", "password": "not-it"})

    assert (good.attempt.state, good.services) == (AttemptState.CONNECTED, {"mail": "ok", "calendar": "ok"})
    assert (bad.attempt.state, bad.attempt.code) == (AttemptState.FAILED, "auth.rejected")
    assert (exchange.logons(), exchange.bad_logons()) == ({"ada@office.example": 1}, {"bela@office.example": 1})


def test_servers_that_nobody_has_verified_are_verified_before_a_password_is_sent(
    preflight: Preflight, lab: MailLab
) -> None:
    address, domain = next(iter(lab.users)), "typed.example"
    settings = pair(lab)
    untrusted = ImapSettings(settings.imap, settings.smtp)

    login = {"address": f"ada@{domain}", "username": address, "password": lab.users[address]}
    refused = connecting(preflight).connect(domain, login, untrusted)
    assert (refused.attempt.state, refused.attempt.kept) == (AttemptState.PENDING, False)
    assert str(refused.attempt.code).startswith("tls.")
    assert not lab.dovecot.logins() + lab.dovecot.rejections()

    trusted = connecting(preflight).connect(domain, login, settings)
    assert (trusted.attempt.state, trusted.attempt.kept) == (AttemptState.PENDING, True)
    assert lab.dovecot.logins() == {address: 1}


def test_a_domain_with_static_addresses_is_logged_in_to_from_those(tmp_path: Path, lab: MailLab) -> None:
    """Given a server that logs where its clients are, then none of them is at the address that is shared."""
    ranges = parse_ranges("127.0.0.4/30")
    database_url = SecretStr(sqlite_store(tmp_path / "static.db"))
    config = Config(database_url=database_url, secret_key=SecretStr(new_key()), static_addresses=ranges)
    user = list(lab.users)[4]
    with Preflight.open(config) as opened:
        local = replace(pair(lab).imap, host="127.0.0.1"), replace(pair(lab).smtp, host="127.0.0.1")
        in_force(opened, lab.domain, replace(pair(lab), imap=local[0], smtp=local[1], static_addresses=True))
        found = connecting(opened).connect(lab.domain, {"address": user, "password": lab.users[user]})
    assert found.attempt.state == AttemptState.CONNECTED, found.attempt
    lines = [line for line in lab.dovecot.log.read_text().splitlines() if f"user=<{user}>" in line and "rip=" in line]
    assert lines and all("rip=127.0.0.1," not in line and "rip=127.0.0." in line for line in lines)
