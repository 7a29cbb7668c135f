"""Attempts and who waits, in both databases: what is kept of them, and what an applied change makes of it."""

import dataclasses

import pytest
import sqlalchemy as sa

from checks.codes import Code, Verdict
from checks.model import LoginResult, Protocol
from settings_store import domains, removal, schema
from settings_store.actors import Actor
from settings_store.changes import applying, changes, credentials
from settings_store.connecting import attempts, waiting
from settings_store.connecting.attempts import AttemptState, TooOften, UnderWay
from settings_store.db import Database
from settings_store.mailboxes.mailboxes import import_mailboxes, rotate_credentials
from settings_store.mailboxes.rows import MailboxRow
from settings_store.runs.candidates import PROPOSED
from settings_store.secrets import Vault, new_key
from tests.settings_store.changes.test_credentials import NOW, SETTINGS, apply, passwords, verified

ADA = Actor("ada", "192.0.2.1", person="user:ada")
WORKS = LoginResult(Verdict.OK, Code.OK, Protocol.SMTP)
REJECTED = LoginResult(Verdict.FAIL, Code.AUTH_REJECTED, Protocol.IMAP, "NO")


def row(number: int, secret: str = "") -> MailboxRow:
    return MailboxRow(f"box{number}@lab.example", f"user{number}", secret or f"new-{number}", number)


def begin(database: Database, domain_id: int, number: int, at: float = NOW, actor: Actor = ADA) -> str:
    with database.begin() as conn:
        typed = domains.save_settings(conn, domain_id, SETTINGS, at)
        return attempts.begin(conn, domain_id, row(number), typed, at, actor)


def wait(database: Database, domain_id: int, vault: Vault, number: int, result: LoginResult = WORKS) -> str:
    attempt_id = begin(database, domain_id, number)
    sealed = vault.seal(f"new-{number}") if result is WORKS else None
    with database.begin() as conn:
        assert waiting.wait(conn, domain_id, attempt_id, result, sealed, ADA, NOW)
    return attempt_id


def save(database: Database, domain_id: int) -> str:
    with database.begin() as conn:
        saved = changes.save(conn, domain_id, SETTINGS, NOW, ADA)
        waiting.accompany(conn, saved.change_id, domain_id, NOW)
        assert waiting.accompany(conn, saved.change_id, domain_id, NOW) == 0, "who comes with it already"
        return saved.change_id


def states(database: Database) -> dict[str, str]:
    table = schema.attempts
    with database.read() as conn:
        return {item.id: item.state for item in conn.execute(sa.select(table.c.id, table.c.state))}


def test_who_waits_comes_with_a_change_whether_known_or_new(database: Database, domain_id: int, vault: Vault) -> None:
    with database.begin() as conn:
        import_mailboxes(conn, domain_id, [row(1, "old-1")], vault, NOW)
    known, new, fails = (wait(database, domain_id, vault, number) for number in (1, 2, 3))
    without = wait(database, domain_id, vault, 4, REJECTED)
    change_id = save(database, domain_id)
    assert passwords(database, vault) == {"1": "old-1"}, "nothing is in force yet"
    verified(database, change_id, "box3@lab.example")
    late = wait(database, domain_id, vault, 5)

    apply(database, change_id)

    assert passwords(database, vault) == {"1": "new-1", "2": "new-2", "3": "new-3", "5": "new-5"}
    found = states(database)
    assert {found[key] for key in (known, new, late)} == {AttemptState.CONNECTED}
    assert {found[key] for key in (fails, without)} == {AttemptState.LOGIN_NEEDED}
    with database.read() as conn:
        secrets = conn.execute(sa.select(schema.attempts.c.credential)).scalars().all()
    assert set(secrets) == {None}, "the mailboxes have them now"

    with database.begin() as conn:
        applying.roll_back(conn, changes.load(conn, change_id), NOW + 9)
    assert {states(database)[key] for key in (known, late)} == {AttemptState.CONNECTED}, "they are there still"
    assert states(database)[new] == AttemptState.LOGIN_NEEDED


def test_a_login_that_the_report_was_about_is_not_replaced_at_apply(
    database: Database, domain_id: int, vault: Vault
) -> None:
    """Given a mailbox whose login was verified, when somebody waits with another one for it, then it stays."""
    with database.begin() as conn:
        import_mailboxes(conn, domain_id, [row(1, "imported")], vault, NOW)
    change_id = save(database, domain_id)
    verified(database, change_id)
    late = wait(database, domain_id, vault, 1)

    apply(database, change_id)

    assert passwords(database, vault) == {"1": "imported"}
    assert states(database)[late] == AttemptState.LOGIN_NEEDED


def test_what_servers_have_said_of_a_login_comes_with_it_into_the_next_change(
    database: Database, domain_id: int, vault: Vault
) -> None:
    with database.begin() as conn:
        import_mailboxes(conn, domain_id, [row(1, "old-1")], vault, NOW)
    for number in (1, 2):
        wait(database, domain_id, vault, number)
    server, said = "imap.lab.example:993", {"code": Code.AUTH_REJECTED.value, "seen": "NO", "at": NOW}
    first = save(database, domain_id)
    with database.begin() as conn:
        for change_id, mailbox_id, coming in brought(conn, first):
            values = {"mailbox_id": mailbox_id, "server": server, **said}
            if coming:
                conn.execute(schema.rejections.insert().values(values))
            else:
                values |= {"change_id": change_id, "holds": PROPOSED}
                conn.execute(schema.change_rejections.insert().values(values))

    for _ in range(2):
        latest = save(database, domain_id)
        with database.begin() as conn:
            credentials.recall_rejections(conn, latest, domain_id)
            found = {is_new: mailbox_id for _, mailbox_id, is_new in brought(conn, latest)}
            stored, proposed = schema.rejections, schema.change_rejections
            told = sa.select(stored.c.server).where(stored.c.mailbox_id == found[True])
            assert conn.execute(told).scalars().all() == [server]
            told = sa.select(proposed.c.server).where(proposed.c.change_id == latest)
            assert conn.execute(told).scalars().all() == [server]


def brought(conn: sa.Connection, change_id: str) -> list[tuple[str, int, bool]]:
    """The change, the mailbox, and whether that is new: of all that come with it."""
    boxes, held = schema.mailboxes, schema.change_credentials
    new = conn.execute(sa.select(boxes.c.id).where(boxes.c.change_id == change_id, boxes.c.domain_id.is_(None)))
    known = conn.execute(sa.select(held.c.mailbox_id).where(held.c.change_id == change_id)).scalars().all()
    return [(change_id, each, True) for each in new.scalars()] + [(change_id, each, False) for each in known]


def test_who_is_dismissed_is_in_no_change_any_more(database: Database, domain_id: int, vault: Vault) -> None:
    with database.begin() as conn:
        import_mailboxes(conn, domain_id, [row(1, "old-1")], vault, NOW)
    waits = {number: wait(database, domain_id, vault, number) for number in (1, 2, 3)}
    change_id = save(database, domain_id)
    for number in (1, 2):
        with database.begin() as conn:
            kept = waiting.dismiss(conn, waits[number], ADA, NOW)
            assert kept is not None
            credentials.withdraw(conn, domain_id, f"box{number}@lab.example", kept)
    verified(database, change_id)

    apply(database, change_id)

    assert passwords(database, vault) == {"1": "old-1", "3": "new-3"}


def test_one_login_at_a_time_and_a_dead_one_holds_for_a_while(database: Database, domain_id: int) -> None:
    first = begin(database, domain_id, 1)
    with pytest.raises(UnderWay):
        begin(database, domain_id, 1, NOW + 1)
    assert begin(database, domain_id, 2) != first
    assert begin(database, domain_id, 1, NOW + attempts.LEASE_SECONDS + 1) != first
    assert first not in states(database)


def test_nobody_guesses_on_and_on(database: Database, domain_id: int) -> None:
    def fail(number: int, at: float = NOW) -> None:
        attempt_id = begin(database, domain_id, number, at)
        with database.begin() as conn:
            attempts.conclude(conn, attempt_id, AttemptState.FAILED, REJECTED)

    for number in range(attempts.MOST_REJECTED_OF_PERSON):
        fail(number)
    with pytest.raises(TooOften) as refused:
        begin(database, domain_id, 99, NOW + 600)
    assert refused.value.seconds == attempts.WINDOW_SECONDS - 600
    program = dataclasses.replace(ADA, person="")
    for at in (NOW, NOW + 1):
        attempt_id = begin(database, domain_id, 0, at, program)
        with database.begin() as conn:
            attempts.conclude(conn, attempt_id, AttemptState.FAILED, REJECTED)
    with pytest.raises(TooOften):
        begin(database, domain_id, 0, NOW + 2, program)
    assert begin(database, domain_id, 0, NOW + attempts.WINDOW_SECONDS + 2)


def test_keys_are_rotated_and_a_removed_domain_takes_all_with_it(database: Database, domain_id: int) -> None:
    old, new = new_key(), new_key()
    wait(database, domain_id, Vault([old]), 1)
    assert rotate_credentials(database, Vault([new, old])) == 1
    with database.begin() as conn:
        sealed = conn.execute(sa.select(schema.attempts.c.credential)).scalar_one()
        assert Vault([new]).open(sealed) == "new-1"
        name = domains.name_of(conn, domain_id)
        removal.remove_domain(conn, domains.find_domain(conn, domains.account_of(conn, domain_id), name), NOW, ADA)
        for table in (schema.attempts, schema.settings):
            assert conn.execute(sa.select(sa.func.count()).select_from(table)).scalar_one() == 0


def test_what_is_ended_is_forgotten_in_time(database: Database, domain_id: int, vault: Vault) -> None:
    waits = wait(database, domain_id, vault, 1)
    ended = begin(database, domain_id, 2)
    with database.begin() as conn:
        attempts.conclude(conn, ended, AttemptState.CANNOT_TELL, None)
        assert attempts.tidy(conn, NOW, 9) == 0
        assert attempts.tidy(conn, NOW + 1, 9) == 1
        typed = conn.execute(sa.select(sa.func.count()).select_from(schema.settings)).scalar_one()
    assert (list(states(database)), typed) == ([waits], 1)
