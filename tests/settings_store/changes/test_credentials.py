"""What a change holds of credentials, and what becomes of it; the flows with real servers are in `tests/flows`."""

import tracemalloc
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from checks.codes import Code, Verdict
from checks.model import Endpoint, Invalid, LoginResult, Protocol
from checks.settings import ImapSettings
from settings_store import domains, schema
from settings_store.changes import applying, changes, credentials
from settings_store.changes.lifecycle import Refused
from settings_store.db import Database
from settings_store.mailboxes import rejections
from settings_store.mailboxes.mailboxes import import_mailboxes, rotate_credentials
from settings_store.mailboxes.rows import MailboxRow
from settings_store.runs import outcomes, pages, planning, runs
from settings_store.runs.outcomes import Done
from settings_store.runs.runs import CANDIDATE
from settings_store.secrets import Vault, new_key

NOW = 1_700_000_000.0
SERVER = {"imap": "imap.example.com:993"}
SETTINGS = ImapSettings(
    Endpoint(Protocol.IMAP, "imap.example.com", 993), Endpoint(Protocol.SMTP, "smtp.example.com", 465)
)


def rows(word: str, *numbers: int) -> Iterator[MailboxRow]:
    for number in numbers:
        yield MailboxRow(f"box{number}@lab.example", f"user{number}", f"{word}-{number}", number)


def save(database: Database, domain_id: int, vault: Vault, word: str, *numbers: int) -> str:
    """A change that comes with credentials; returns its id."""
    with database.begin() as conn:
        saved = changes.save(conn, domain_id, SETTINGS, NOW)
        credentials.propose(conn, saved.change_id, domain_id, rows(word, *numbers), vault, NOW)
        return saved.change_id


def verified(database: Database, change_id: str, *rejected: str) -> None:
    """What a run does, without servers: these addresses are rejected, the others work."""
    with database.begin() as conn:
        run = runs.of_change(conn, change_id)
        assert run
        planning.plan(conn, run, 0, 100)
        mine = sa.select(schema.mailboxes.c.id).join(
            schema.run_mailboxes, schema.run_mailboxes.c.mailbox_id == schema.mailboxes.c.id
        )
        mine = mine.where(schema.run_mailboxes.c.run_id == run.id, schema.mailboxes.c.address.in_(rejected))
        result = LoginResult(Verdict.FAIL, Code.AUTH_REJECTED, Protocol.IMAP, "NO")
        done = [Done(key, result) for key in conn.execute(mine).scalars()]
        outcomes.save(conn, run.id, CANDIDATE, done)
        rejections.remember(conn, run.id, done, SERVER, NOW)
        outcomes.settle(conn, run.id, Verdict.OK, Code.OK, None, "")
        pages.close(conn, run.id, CANDIDATE)
        runs.finish(conn, run.id, {"will_disconnect": 0}, "c0ffee00c0ffee", NOW)
        changes.mark_verified(conn, change_id, NOW)


def apply(database: Database, change_id: str, at: float = NOW) -> None:
    with database.begin() as conn:
        applying.apply(conn, changes.load(conn, change_id), None, at, 1e9)


def roll_back(database: Database, change_id: str, at: float = NOW + 9) -> None:
    with database.begin() as conn:
        applying.roll_back(conn, changes.load(conn, change_id), at)


def passwords(database: Database, vault: Vault) -> dict[str, str]:
    """What is in force: the number of a mailbox and its password."""
    box = schema.mailboxes
    with database.read() as conn:
        found = conn.execute(sa.select(box).where(box.c.domain_id.is_not(None)).order_by(box.c.address)).all()
    return {row.username.removeprefix("user"): vault.open(row.credential) for row in found}


def rejected_in_force(database: Database) -> set[str]:
    box, kept = schema.mailboxes, schema.rejections
    with database.read() as conn:
        query = sa.select(box.c.username).join(kept, kept.c.mailbox_id == box.c.id).where(box.c.domain_id.is_not(None))
        return set(conn.execute(query).scalars())


@pytest.fixture
def stored(database: Database, domain_id: int, vault: Vault) -> None:
    """Three mailboxes, of which the last was rejected."""
    with database.begin() as conn:
        import_mailboxes(conn, domain_id, rows("old", 1, 2, 3), vault, NOW - 9)
        kept = {"server": SERVER["imap"], "code": "auth.rejected", "seen": "NO", "at": 1.0}
        third = sa.select(schema.mailboxes.c.id).where(schema.mailboxes.c.username == "user3")
        conn.execute(schema.rejections.insert().values(mailbox_id=conn.execute(third).scalar_one(), **kept))


@pytest.mark.usefixtures("stored")
def test_two_changes_are_undone_in_turn(database: Database, domain_id: int, vault: Vault) -> None:
    """Given one that brings mailbox 4, and one that replaces two passwords, then each way back ends where it began."""
    old = {"1": "old-1", "2": "old-2", "3": "old-3"}
    first = save(database, domain_id, vault, "first", 1, 3, 4)
    assert passwords(database, vault) == old
    verified(database, first, "box1@lab.example")
    assert rejected_in_force(database) == {"user3"}
    apply(database, first)
    after_first = {"1": "first-1", "2": "old-2", "3": "first-3", "4": "first-4"}
    assert passwords(database, vault) == after_first
    assert rejected_in_force(database) == {"user1"}

    second = save(database, domain_id, vault, "second", 1, 4)
    verified(database, second)
    apply(database, second, NOW + 1)
    assert passwords(database, vault) == {**after_first, "1": "second-1", "4": "second-4"}
    assert rejected_in_force(database) == set()

    roll_back(database, second)
    assert (passwords(database, vault), rejected_in_force(database)) == (after_first, {"user1"})
    roll_back(database, first)
    assert (passwords(database, vault), rejected_in_force(database)) == (old, {"user3"})
    with database.read() as conn:
        assert conn.execute(sa.select(schema.change_credentials)).all() == []
        assert conn.execute(sa.select(schema.change_rejections)).all() == []


@pytest.mark.usefixtures("stored")
def test_what_was_superseded_comes_back_with_its_credentials(database: Database, domain_id: int, vault: Vault) -> None:
    """And a mailbox that it was to bring, and that is there by now, gets its credential from it all the same."""
    older = save(database, domain_id, vault, "older", 1, 4)
    newer = save(database, domain_id, vault, "newer", 4)
    verified(database, newer)
    apply(database, newer)
    assert passwords(database, vault)["4"] == "newer-4"

    with database.begin() as conn:
        changes.reopen(conn, changes.load(conn, older), NOW)
        changes.verify(conn, changes.load(conn, older), NOW + 1)
    verified(database, older)
    apply(database, older, NOW + 2)

    assert passwords(database, vault) == {"1": "older-1", "2": "old-2", "3": "old-3", "4": "older-4"}
    with database.read() as conn:
        coming = schema.mailboxes.c.domain_id.is_(None), schema.mailboxes.c.credential.is_not(None)
        assert conn.execute(sa.select(schema.mailboxes).where(*coming)).all() == []


@pytest.mark.usefixtures("stored")
def test_rejections_that_come_after_a_change_was_given_up_blame_nobody(
    database: Database, domain_id: int, vault: Vault
) -> None:
    change_id = save(database, domain_id, vault, "new", 1)
    with database.begin() as conn:
        run = runs.of_change(conn, change_id)
        assert run
        changes.discard(conn, changes.load(conn, change_id), NOW)
        key = conn.execute(sa.select(schema.mailboxes.c.id).where(schema.mailboxes.c.username == "user1")).scalar_one()
        late = Done(key, LoginResult(Verdict.FAIL, Code.AUTH_REJECTED, Protocol.IMAP, "NO"))
        rejections.remember(conn, run.id, [late], SERVER, NOW)
    assert rejected_in_force(database) == {"user3"}


@pytest.mark.usefixtures("stored")
def test_retry_forgets_what_was_rejected_of_a_change_too(database: Database, domain_id: int, vault: Vault) -> None:
    verified(database, save(database, domain_id, vault, "new", 1, 4), "box1@lab.example", "box4@lab.example")
    with database.begin() as conn:
        assert rejections.forget_domain(conn, domain_id) == 3


def test_rotation_takes_what_changes_hold_too(database: Database, domain_id: int) -> None:
    """Proposed, replaced, and of mailboxes that come with a change; in batches, and once."""
    old, new = new_key(), new_key()
    vault, both = Vault([old]), Vault([new, old])
    with database.begin() as conn:
        import_mailboxes(conn, domain_id, rows("old", 1, 2, 3), vault, NOW - 9)
    applied = save(database, domain_id, vault, "applied", 1, 2)
    verified(database, applied)
    apply(database, applied)
    save(database, domain_id, vault, "proposed", 1, 3, 4)

    assert rotate_credentials(database, both, batch=2) == 3 + 1 + 2 + 2
    assert rotate_credentials(database, both, batch=2) == 0

    box, held = schema.mailboxes, schema.change_credentials
    with database.read() as conn:
        tokens = [*conn.execute(sa.select(box.c.credential)).scalars()]
        tokens += conn.execute(sa.select(held.c.credential)).scalars()
    assert len(tokens) == 8
    assert all(Vault([new]).open(token) for token in tokens)


def test_memory_does_not_grow_with_the_mailboxes(database: Database, domain_id: int, vault: Vault) -> None:
    def peak(count: int) -> int:
        with database.begin() as conn:
            saved = changes.save(conn, domain_id, SETTINGS, NOW)
            tracemalloc.start()
            credentials.propose(conn, saved.change_id, domain_id, rows("x", *range(count)), vault, NOW)
            credentials.join_domain(conn, saved.change_id, domain_id)
            credentials.take_over(conn, saved.change_id, NOW)
            credentials.give_back(conn, saved.change_id, domain_id)
            found = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            return found

    peak(10)
    small, large = peak(1_000), peak(4_000)
    assert large - small < 3_000 * 100  # nothing but the test's own numbers


@pytest.mark.usefixtures("stored")
def test_an_id_may_be_given_by_its_beginning_within_the_account(database: Database, domain_id: int) -> None:
    with database.begin() as conn:
        settings_id = domains.save_settings(conn, domain_id, SETTINGS, NOW)
        account_id = domains.ensure_account(conn)
        other = domains.ensure_domain(conn, domains.ensure_account(conn, "other"), "lab.example")
        ours, theirs = f"abcd1234{'0' * 24}", f"abcd9999{'0' * 24}"
        alike = f"abcd12345{'0' * 23}"
        for key, owner in ((ours, domain_id), (theirs, other)):
            row = {"id": key, "domain_id": owner, "settings_id": settings_id, "state": "draft", "created_at": NOW}
            conn.execute(schema.changes.insert().values(row))

        assert changes.get(conn, account_id, "abcd").id == ours
        assert changes.short_id(conn, account_id, changes.load(conn, ours)) == "abcd1234"
        for nobody in ("abce", "abc", "abcd9999", "%"):
            with pytest.raises(Invalid, match="there is no change"):
                changes.get(conn, account_id, nobody)

        row = {"id": alike, "domain_id": domain_id, "settings_id": settings_id, "state": "draft", "created_at": NOW}
        conn.execute(schema.changes.insert().values(row))
        with pytest.raises(Invalid, match="more than one change begins with 'abcd1234'; give more of its id"):
            changes.get(conn, account_id, "abcd1234")
        assert changes.short_id(conn, account_id, changes.load(conn, ours)) == "abcd12340"


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize(("given", "said"), [("c0ffee00", ""), ("c0ffee0", "at least 8"), ("c0ffee01", "another")])
def test_a_checksum_may_be_given_by_its_beginning(
    database: Database, domain_id: int, vault: Vault, given: str, said: str
) -> None:
    change_id = save(database, domain_id, vault, "new", 1)
    verified(database, change_id)
    with database.begin() as conn:
        change = changes.load(conn, change_id)
        if not said:
            applying.apply(conn, change, None, NOW, 60, checksum=given)
            return
        with pytest.raises(Refused, match=said):
            applying.apply(conn, change, None, NOW, 60, checksum=given)


@pytest.mark.usefixtures("stored")
def test_what_can_be_done_next_is_what_would_be_accepted(database: Database, domain_id: int, vault: Vault) -> None:
    def step(change_id: str, at: float = NOW) -> str:
        with database.read() as conn:
            return applying.next_step(conn, changes.load(conn, change_id), at, 60)

    first = save(database, domain_id, vault, "new", 1)
    verified(database, first)
    assert (step(first), step(first, NOW + 61)) == ("apply", "again")
    with database.begin() as conn:
        import_mailboxes(conn, domain_id, rows("later", 5), vault, NOW)
    assert step(first) == "again"

    second = save(database, domain_id, vault, "new", 1)
    assert step(first) == "reopen"
    verified(database, second)
    with database.begin() as conn:
        run = runs.of_change(conn, second)
        assert run
        left = schema.run_mailboxes.c.run_id == run.id
        conn.execute(schema.run_mailboxes.update().where(left).values(code=Code.RUN_NOT_TRIED.value))
        assert applying.next_step(conn, changes.load(conn, second), NOW, 60) == "resume"
        conn.execute(schema.run_mailboxes.update().where(left).values(code=Code.OK.value))
    apply(database, second)
    assert step(second) == "rollback"
    roll_back(database, second)
    assert step(second) == "none"
