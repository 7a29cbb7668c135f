"""Accounts, domains and settings versions, and the rules that the database itself holds."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from checks.model import Authentication, Endpoint, Invalid, MailboxState, Protocol, Security
from checks.settings import ExchangeSettings, ImapSettings, Settings
from settings_store.db import Database
from settings_store.domains import (
    DomainRow,
    ensure_account,
    ensure_domain,
    find_domain,
    list_domains,
    load_settings,
    save_settings,
)
from settings_store.schema import domains, mailboxes, settings

IMAP = ImapSettings(
    Endpoint(Protocol.IMAP, "imap.lab.example", 993, Security.TLS),
    Endpoint(Protocol.SMTP, "2001:db8::25", 587, Security.STARTTLS),
    allow_insecure_certificate=True,
    ca_pem="-----BEGIN CERTIFICATE-----\n",
)
RELAY = replace(IMAP, smtp=replace(IMAP.smtp, authentication=Authentication.NONE))
EXCHANGE = ExchangeSettings("https://mail.lab.example/EWS/Exchange.asmx")
TYPED = ExchangeSettings("https://mail.lab.example/EWS/Exchange.asmx", typed="mail.lab.example/owa")

IMAP_ROW: dict[str, Any] = {
    "kind": "imap",
    "imap_host": "imap.lab.example",
    "imap_port": 993,
    "imap_security": "tls",
    "smtp_host": "smtp.lab.example",
    "smtp_port": 465,
    "smtp_security": "tls",
    "exchange_url": None,
}
EXCHANGE_ROW: dict[str, Any] = {**dict.fromkeys(IMAP_ROW), "kind": "exchange", "exchange_url": EXCHANGE.url}


def test_accounts_and_domains_are_made_once(database: Database) -> None:
    with database.begin() as conn:
        account = ensure_account(conn)
        first = ensure_domain(conn, account, "Bücher.Example.")
        assert (ensure_account(conn), ensure_account(conn, "other")) == (account, account + 1)
        assert ensure_domain(conn, account, "xn--bcher-kva.example") == first
        assert ensure_domain(conn, account + 1, "bücher.example") != first
        assert find_domain(conn, account, "BÜCHER.example") == DomainRow(first, account, "xn--bcher-kva.example", None)


def test_an_account_made_by_two_at_once_is_one(database: Database) -> None:
    def ensure(_: int) -> int:
        with database.begin() as conn:
            return ensure_account(conn, "same")

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(ensure, range(8)))) == 1


def test_nothing_of_another_account_is_found(database: Database) -> None:
    with database.begin() as conn:
        ensure_domain(conn, ensure_account(conn), "lab.example")
        other = ensure_account(conn, "other")
        assert list_domains(conn, other) == []
        with pytest.raises(Invalid, match=r"domain lab.example is not known") as caught:
            find_domain(conn, other, "lab.example")
    assert caught.value.field == "domain"


@pytest.mark.parametrize("version", [IMAP, RELAY, EXCHANGE, TYPED])
def test_settings_come_back_as_saved(database: Database, domain_id: int, version: Settings) -> None:
    with database.begin() as conn:
        saved = save_settings(conn, domain_id, version, now=1.5)
        again = save_settings(conn, domain_id, version, now=2.5)
    assert saved != again
    with database.read() as conn:
        assert load_settings(conn, saved) == version


def test_domains_are_listed_with_settings_and_states(database: Database, domain_id: int) -> None:
    with database.begin() as conn:
        account = ensure_account(conn)
        ensure_domain(conn, account, "another.example")
        version = save_settings(conn, domain_id, EXCHANGE, now=0)
        conn.execute(domains.update().where(domains.c.id == domain_id).values(settings_id=version))
        conn.execute(
            mailboxes.insert(),
            [
                {"domain_id": domain_id, "address": f"{i}@lab.example", "username": "u", "state": state}
                for i, state in enumerate(["connected", "connected", "unknown"])
            ],
        )
        another, lab = list_domains(conn, account)
    assert (another.name, another.kind, another.settings, set(another.mailboxes.values())) == (
        "another.example",
        None,
        None,
        {0},
    )
    assert (lab.name, lab.kind, lab.settings) == ("lab.example", "exchange", EXCHANGE)
    assert lab.mailboxes == {MailboxState.CONNECTED: 2, MailboxState.DISCONNECTED: 0, MailboxState.UNKNOWN: 1}


def _neither_nor() -> Iterator[dict[str, Any]]:
    """Every way to be both, neither or half of one."""
    yield {**IMAP_ROW, "exchange_url": EXCHANGE.url}
    yield {**IMAP_ROW, "kind": "exchange"}
    yield {**EXCHANGE_ROW, "kind": "imap"}
    yield {**EXCHANGE_ROW, "exchange_url": None}
    yield {**IMAP_ROW, "kind": "pop3"}
    for column in IMAP_ROW.keys() - {"kind", "exchange_url"}:
        yield {**IMAP_ROW, column: None}
        yield {**EXCHANGE_ROW, column: IMAP_ROW[column]}


_RAW_INSERT = sa.text(
    f"INSERT INTO settings (domain_id, allow_insecure_certificate, created_at, {', '.join(IMAP_ROW)}) "  # noqa: S608 - our own names
    f"VALUES (:domain_id, false, 0, {', '.join(f':{name}' for name in IMAP_ROW)})"
)


def test_the_database_refuses_settings_that_are_not_one_kind(database: Database, domain_id: int) -> None:
    with database.begin() as conn:
        for good in (IMAP_ROW, EXCHANGE_ROW):
            conn.execute(_RAW_INSERT, {**good, "domain_id": domain_id})
    for bad in _neither_nor():
        with pytest.raises(sa.exc.IntegrityError, match="either_imap_or_exchange"), database.begin() as conn:
            conn.execute(_RAW_INSERT, {**bad, "domain_id": domain_id})


def test_the_database_refuses_a_typed_url_of_imap_settings(database: Database, domain_id: int) -> None:
    statement = settings.insert().values(
        **IMAP_ROW, domain_id=domain_id, exchange_typed="mail", allow_insecure_certificate=False, created_at=0
    )
    with pytest.raises(sa.exc.IntegrityError, match="typed_for_exchange"), database.begin() as conn:
        conn.execute(statement)


@pytest.mark.parametrize("statement", ["UPDATE settings SET imap_port = 143", "UPDATE settings SET ca_pem = ca_pem"])
def test_the_database_refuses_to_change_a_version(database: Database, domain_id: int, statement: str) -> None:
    with database.begin() as conn:
        version = save_settings(conn, domain_id, IMAP, now=0)
    with pytest.raises(sa.exc.IntegrityError, match="settings versions are immutable"), database.begin() as conn:
        conn.execute(sa.text(statement))
    with database.read() as conn:
        assert load_settings(conn, version) == IMAP


def test_the_database_refuses_references_to_nothing(database: Database, domain_id: int) -> None:
    with pytest.raises(sa.exc.IntegrityError), database.begin() as conn:
        conn.execute(domains.update().where(domains.c.id == domain_id).values(settings_id=4711))
    with pytest.raises(sa.exc.IntegrityError), database.begin() as conn:
        save_settings(conn, 4711, IMAP, now=0)


def test_the_database_refuses_an_unknown_mailbox_state(database: Database, domain_id: int) -> None:
    with pytest.raises(sa.exc.IntegrityError, match="state"), database.begin() as conn:
        conn.execute(mailboxes.insert().values(domain_id=domain_id, address="a", username="a", state="asleep"))


def test_loading_settings_that_are_not_there_is_our_mistake(database: Database) -> None:
    with database.read() as conn, pytest.raises(sa.exc.NoResultFound):
        load_settings(conn, settings_id=1)


def test_a_version_may_be_deleted(database: Database, domain_id: int) -> None:
    with database.begin() as conn:
        save_settings(conn, domain_id, IMAP, now=0)
        conn.execute(settings.delete())
        assert conn.scalar(sa.select(sa.func.count()).select_from(settings)) == 0
