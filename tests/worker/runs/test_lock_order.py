"""PostgreSQL locks row by row: those who work at the same run, change or mailboxes take them in one order.

A deadlock is found by the server after a second and ends one of the two; here it counts none.
"""

import itertools
import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from checks.codes import Code, Verdict
from checks.model import LoginResult, MailboxState, Protocol
from checks.settings import ImapSettings
from settings_store import domains, schema
from settings_store.audit import SERVICE
from settings_store.changes import changes, credentials
from settings_store.changes.changes import Saved
from settings_store.changes.lifecycle import Refused
from settings_store.mailboxes import login_budget, rejections
from settings_store.mailboxes.mailboxes import import_mailboxes, rotate_credentials
from settings_store.mailboxes.rows import MailboxRow
from settings_store.runs import outcomes, pages, planning, runs
from settings_store.runs.outcomes import Done
from settings_store.runs.runs import CANDIDATE
from settings_store.secrets import Vault, new_key
from tests.flows.size.store import settings_number
from tests.turns import EVERY
from worker.config import Config
from worker.runs.lane import Lane, RouteCache
from worker.service.preflight import Preflight

COUNT = 400
BULK = 100
ROUNDS = 12 if EVERY else 4
DOMAIN = "locks.example"
SETTINGS: ImapSettings = settings_number(1)


@dataclass
class Store:
    """A domain with many mailboxes, and runs that nobody works on but the test."""

    preflight: Preflight
    domain_id: int

    def save(self) -> Saved:
        """A change whose run is laid out."""
        with self.preflight.database.begin() as conn:
            return changes.save(conn, self.domain_id, SETTINGS, self.preflight.database.now())

    def health_run(self, number: int) -> str:
        """A run beside those of changes."""
        with self.preflight.database.begin() as conn:
            settings_id = domains.save_settings(conn, self.domain_id, SETTINGS, 0.0)
            return runs.create(conn, "health", runs.Subject(self.domain_id, settings_id), float(number))

    def lay_out(self, run_id: str, page_size: int = 25) -> None:
        """Pages of all mailboxes, and logins that may begin."""
        with self.preflight.database.begin() as conn:
            run = runs.load(conn, run_id)
            assert run
            planning.plan(conn, run, 5, page_size)
            runs.move(conn, run_id, ("queued",), "mailboxes", self.preflight.database.now())

    def boxes(self) -> list[int]:
        with self.preflight.database.read() as conn:
            return list(conn.execute(sa.select(schema.mailboxes.c.id)).scalars())

    def deadlocks(self) -> int:
        """How many the server has found in this database."""
        with self.preflight.database.begin() as conn:
            conn.exec_driver_sql("SELECT pg_stat_force_next_flush()")
        query = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        with self.preflight.database.begin() as conn:
            return int(conn.exec_driver_sql(query).scalar_one())


@pytest.fixture
def store(new_postgres_store: str) -> Iterator[Store]:
    config = Config(
        database_url=SecretStr(new_postgres_store), broker_url=SecretStr("memory://"), secret_key=SecretStr(new_key())
    )
    with Preflight.open(config) as preflight:
        with preflight.database.begin() as conn:
            domain_id = domains.ensure_domain(conn, domains.ensure_account(conn), DOMAIN)
            import_mailboxes(conn, domain_id, rows(0), preflight.vault, 1.0)
        yield Store(preflight, domain_id)


def rows(version: int) -> list[MailboxRow]:
    """The mailboxes in an order of their own, with passwords that nobody had before."""
    made = [MailboxRow(f"b{n}@{DOMAIN}", f"b{n}@{DOMAIN}", f"secret-{version}", n) for n in range(COUNT)]
    random.Random(version).shuffle(made)  # noqa: S311 - an order, no secret
    return made


def together(*steps: Callable[[], object]) -> None:
    """All at the same time. Raises what any of them raised."""
    barrier = threading.Barrier(len(steps))
    raised: list[BaseException] = []

    def go(step: Callable[[], object]) -> None:
        barrier.wait()
        try:
            step()
        except Refused:
            return  # the other one was first
        except BaseException as error:  # noqa: BLE001 - told below
            raised.append(error)

    threads = [threading.Thread(target=go, args=(step,)) for step in steps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if raised:
        raise raised[0]


def lane_at(store: Store, run_id: str) -> Lane:
    """A lane that has all pages of a run."""
    lane = Lane(store.preflight.flow, RouteCache(), run_id)
    lane._servers = {"imap": "mail.example:993", "smtp": "mail.example:465"}  # noqa: SLF001 - as if it had met them
    return lane


def write_all(lane: Lane, boxes: list[int], chance: random.Random) -> None:
    """Results of all mailboxes as they come in, some at a time; every other one is a rejection."""
    chance.shuffle(boxes)
    results = {Verdict.OK: Code.OK, Verdict.FAIL: Code.AUTH_REJECTED}
    verdicts = itertools.cycle(results)
    done = [Done(box, LoginResult(verdict, results[verdict], Protocol.IMAP)) for box, verdict in zip(boxes, verdicts)]  # noqa: B905 - a cycle has no end
    for place in range(0, len(done), BULK):
        lane._write(done[place : place + BULK])  # noqa: SLF001 - what a lane does with results, without its patience


def claim_all(lane: Lane) -> None:
    while lane._claim():  # noqa: SLF001 - what a lane does before it logs in
        pass


def test_results_come_in_while_the_run_is_broken_off(store: Store) -> None:
    chance, flow = random.Random(1), store.preflight.flow  # noqa: S311 - an order, no secret
    for _ in range(ROUNDS):
        saved = store.save()
        store.lay_out(saved.run_id)
        lane, other = lane_at(store, saved.run_id), lane_at(store, saved.run_id)
        together(
            lambda: write_all(lane, store.boxes(), chance),  # noqa: B023 - it is over before the next round
            lambda: claim_all(other),  # noqa: B023
            lambda: flow.break_off(saved.run_id, Code.AUTH_REJECTED),  # noqa: B023
            lambda: other._close(),  # noqa: B023, SLF001
        )
    assert store.deadlocks() == 0


def test_two_runs_spend_the_budget_of_the_same_mailboxes(store: Store) -> None:
    database = store.preflight.database
    found = [store.save().run_id, store.health_run(1)]
    for run_id in found:
        store.lay_out(run_id, COUNT)

    def spend(run_id: str) -> None:
        for _ in range(3 * ROUNDS):
            with database.begin() as conn:
                login_budget.spend(conn, run_id, CANDIDATE, 1, logins=2, limit=10**6, now=1.0)

    together(lambda: spend(found[0]), lambda: spend(found[1]))
    assert store.deadlocks() == 0


def test_two_runs_remember_the_same_rejections(store: Store) -> None:
    for number in range(ROUNDS):
        saved, other = store.save(), store.health_run(number)
        for run_id in (saved.run_id, other):
            store.lay_out(run_id)
        lanes = [lane_at(store, run_id) for run_id in (saved.run_id, other)]
        together(
            lambda: write_all(lanes[0], store.boxes(), random.Random(1)),  # noqa: B023, S311 - an order, no secret
            lambda: write_all(lanes[1], store.boxes(), random.Random(2)),  # noqa: B023, S311 - an order, no secret
        )
        with store.preflight.database.begin() as conn:
            rejections.forget_domain(conn, store.domain_id)
    assert store.deadlocks() == 0


def test_a_run_is_cancelled_while_it_reports(store: Store) -> None:
    database, flow = store.preflight.database, store.preflight.flow
    for _ in range(5 * ROUNDS):
        saved = store.save()
        store.lay_out(saved.run_id)
        with database.begin() as conn:
            outcomes.settle(conn, saved.run_id, Verdict.OK, Code.OK, None, "")
            pages.close(conn, saved.run_id, CANDIDATE)
        together(
            lambda: flow.finish_run(saved.run_id),  # noqa: B023
            lambda: store.preflight.account(actor=SERVICE).changes.cancel(saved.change_id),  # noqa: B023
        )
        with database.read() as conn:
            change, run = changes.load(conn, saved.change_id), runs.load(conn, saved.run_id)
        assert run
        assert (change.state, run.stage) in {("verified", "finished"), ("draft", "cancelled")}
    assert store.deadlocks() == 0


def test_mailboxes_are_imported_and_sealed_anew_while_a_change_is_applied(store: Store) -> None:
    database, vault = store.preflight.database, store.preflight.vault
    keys = [key for key in [store.preflight.config.secret_key] if key]
    for number in range(1, ROUNDS + 1):
        saved = store.save()
        store.lay_out(saved.run_id)
        with database.begin() as conn:
            outcomes.settle(conn, saved.run_id, Verdict.OK, Code.OK, None, "")
            pages.close(conn, saved.run_id, CANDIDATE)
        store.preflight.flow.finish_run(saved.run_id)
        keys.insert(0, SecretStr(new_key()))
        newer = Vault([key.get_secret_value() for key in keys])

        def bring(version: int) -> None:
            with database.begin() as conn:
                import_mailboxes(conn, store.domain_id, rows(version), vault, database.now())

        together(
            lambda: bring(number),  # noqa: B023
            lambda: [rotate_credentials(database, newer) for _ in range(10)],  # noqa: B023
            lambda: store.preflight.account(actor=SERVICE).changes.apply(saved.change_id),  # noqa: B023
        )
    assert store.deadlocks() == 0
    with database.read() as conn:
        assert set(conn.execute(sa.select(schema.mailboxes.c.state)).scalars()) <= set(MailboxState)


def test_a_change_with_credentials_is_applied_taken_back_and_given_up_beside_all_that(store: Store) -> None:
    """Half of the mailboxes get other credentials, some are new; keys are rotated and slices are planned meanwhile."""
    preflight, database, vault = store.preflight, store.preflight.database, store.preflight.vault
    keys = [key for key in [preflight.config.secret_key] if key]
    account = preflight.account(actor=SERVICE)

    def proposed(version: int) -> Saved:
        found = rows(1000 + version)[: COUNT // 2]
        found += [MailboxRow(f"new{n}@{DOMAIN}", "new", f"secret-{version}", n) for n in range(100)]
        with database.begin() as conn:
            saved = changes.save(conn, store.domain_id, SETTINGS, database.now())
            credentials.propose(conn, saved.change_id, store.domain_id, found, vault, database.now())
        store.lay_out(saved.run_id)
        with database.begin() as conn:
            outcomes.settle(conn, saved.run_id, Verdict.OK, Code.OK, None, "")
            pages.close(conn, saved.run_id, CANDIDATE)
        preflight.flow.finish_run(saved.run_id)
        return saved

    for number in range(1, ROUNDS // 3 + 1):
        keys.insert(0, SecretStr(new_key()))
        newer = Vault([key.get_secret_value() for key in keys])
        saved, slice_id = proposed(number), store.health_run(number)
        store.lay_out(slice_id)
        lane = lane_at(store, slice_id)
        beside: tuple[Callable[[], object], ...] = (
            lambda: [rotate_credentials(database, newer) for _ in range(5)],  # noqa: B023 - it is over before the next
            lambda: write_all(lane, store.boxes(), random.Random(1)),  # noqa: B023, S311 - an order, no secret
            lambda: store.lay_out(store.health_run(1000)),
        )
        together(lambda: account.changes.apply(saved.change_id), *beside)  # noqa: B023
        together(lambda: account.changes.roll_back(saved.change_id), *beside)  # noqa: B023
        again = proposed(number)
        together(lambda: account.changes.discard(again.change_id), *beside)  # noqa: B023
    assert store.deadlocks() == 0
