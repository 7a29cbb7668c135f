"""Whoever follows along is told every event once, whatever the order of the commits is."""

import random
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
import sqlalchemy as sa

from settings_store import schema
from settings_store.db import Database
from settings_store.domains import ensure_account
from settings_store.events import events, settled
from settings_store.events.kinds import ChangeSaved
from tests.settings_store.in_force import NOW


@pytest.fixture
def postgres(postgres_store: str) -> Iterator[Database]:
    database = Database(postgres_store)
    yield database
    database.close()


@contextmanager
def writing(database: Database, account: int, *names: str) -> Iterator[sa.Connection]:
    """A transaction that has written events and is not committed yet."""
    with database.begin() as conn:
        events.record(conn, *(ChangeSaved(subject=name, at=NOW, account_id=account) for name in names))
        yield conn


class Reader:
    """Follows along from the beginning, a few events at a time."""

    def __init__(self, database: Database, account: int, limit: int = 1000) -> None:
        self._database, self._account, self._limit = database, account, limit
        self.after, self.seen = 0, list[str]()

    def read(self) -> list[str]:
        upto = settled.look(self._database).upto
        with self._database.read() as conn:
            found = events.of_account(conn, self._account, self.after, self._limit, upto=upto)
        self.after = found[-1].seq if found else max(self.after, upto)
        self.seen += [event.subject for event in found]
        return [event.subject for event in found]


def account_of(database: Database) -> int:
    with database.begin() as conn:
        return ensure_account(conn)


def test_what_is_committed_late_is_not_left_out(postgres: Database) -> None:
    """Given a transaction with a lower number that ends after one with a higher, then both are read, in order."""
    account = account_of(postgres)
    reader = Reader(postgres, account)
    with ExitStack() as slow:
        slow.enter_context(writing(postgres, account, "early, committed late"))
        with writing(postgres, account, "late, committed early"):
            pass
        assert reader.read() == []
    assert reader.read() == ["early, committed late", "late, committed early"]
    assert reader.read() == []


def test_what_came_before_a_long_transaction_is_not_held_back(postgres: Database) -> None:
    account = account_of(postgres)
    reader = Reader(postgres, account)
    with writing(postgres, account, "first"):
        pass
    with writing(postgres, account, "second"):
        assert reader.read() == ["first"]
    assert reader.read() == ["second"]


def test_what_is_taken_back_holds_nobody_up(postgres: Database) -> None:
    account = account_of(postgres)
    with pytest.raises(ZeroDivisionError), writing(postgres, account, "taken back"):
        raise ZeroDivisionError
    with writing(postgres, account, "stays"):
        pass
    assert Reader(postgres, account).read() == ["stays"]


def test_the_first_event_of_all_is_not_passed_over(postgres: Database) -> None:
    """Given an empty store, when its first event is under way, then nobody goes on after it."""
    account = account_of(postgres)
    reader = Reader(postgres, account)
    with writing(postgres, account, "the first"):
        assert reader.read() == []
        assert reader.after == 0
    assert reader.read() == ["the first"]


def test_a_transaction_takes_one_lock_however_many_events_it_writes(postgres: Database) -> None:
    account = account_of(postgres)
    held = sa.text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
    for _ in range(2):  # the second one has the same connection to the server
        with writing(postgres, account, "one") as conn:
            for name in ("two", "three"):
                events.record(conn, ChangeSaved(subject=name, at=NOW, account_id=account))
            assert conn.execute(held).scalar_one() == 1


def test_sqlite_has_all_there_is(store_url: str) -> None:
    database = Database(store_url)
    account = account_of(database)
    with writing(database, account, "one", "two"):
        pass
    found = settled.look(database)
    with database.read() as conn:
        assert found.upto == found.last == conn.execute(sa.select(sa.func.max(schema.events.c.seq))).scalar()
    database.close()


def test_many_writers_at_once_lose_and_repeat_nothing(postgres: Database) -> None:
    """Given eight writers whose transactions overlap and end in any order, some of them taken back."""
    account, kept = account_of(postgres), list[str]()
    reader, ended = Reader(postgres, account, limit=7), threading.Event()

    def write(number: int) -> None:
        choice = random.Random(number)  # noqa: S311 -- which transactions are long is no secret
        for turn in range(40):
            names = [f"{number}.{turn}.{part}" for part in range(choice.randint(1, 3))]
            try:
                with writing(postgres, account, *names) as conn:
                    conn.execute(sa.select(sa.func.pg_sleep(choice.choice([0, 0, 0.002, 0.01]))))
                    if choice.random() < 0.2:
                        raise ZeroDivisionError
            except ZeroDivisionError:
                continue
            kept.extend(names)

    def follow() -> None:
        while not ended.is_set():
            reader.read()
        while reader.read():
            pass

    writers = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    following = threading.Thread(target=follow)
    for thread in (following, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    ended.set()
    following.join()
    assert sorted(reader.seen) == sorted(kept)
    with postgres.read() as conn:
        assert reader.seen == [event.subject for event in events.of_account(conn, account, limit=10_000)]
