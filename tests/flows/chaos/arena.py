"""Where the faults happen: real servers, two workers and beat, and one domain whose settings change to and fro."""

import contextlib
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa

from checks.model import Unavailable
from checks.settings import ImapSettings
from settings_store import schema
from settings_store.changes.changes import Saved
from settings_store.runs import runs
from tests.flows import clocks
from tests.flows.chaos.seen import Outage, Snapshot, read_logins, read_snapshot
from tests.flows.harness import Program, System, account_of, boxes_of, settings_of, wait_for
from tests.servers.dovecot import DovecotOptions
from tests.servers.lab import MailLab, mail_lab
from tests.servers.postgres import PostgresServer
from tests.servers.redis import RedisServer
from worker.service.preflight import Preflight

DOMAIN = "chaos.example"
HOSTS = ("localhost", "127.0.0.1")
WRONG_EVERY = 20
# What is left after many deaths is mostly what takes long, and those are the rejections: many in a row, by no fault of
# the settings. So like failures end no run here.
WORKER = {"LOGINS_AT_ONCE": "16", "LANES": "4", "LOGINS_PER_HOUR": "100000", "LIKE_FAILURES": "1000"}
PATIENCE = 180.0
T = TypeVar("T")


@dataclass
class Arena:
    """All of it. `mailboxes` is how many the domain has; one in twenty has a wrong password.

    `lease`: for how long (seconds) a worker has a page without a sign of life.
    """

    folder: Path
    lab: MailLab
    redis: RedisServer
    postgres: PostgresServer
    system: System
    preflight: Preflight
    mailboxes: int
    lease: float
    chance: random.Random
    workers: list[Program] = field(default_factory=list)
    beat: Program | None = None
    direction: int = 0
    outages: list[Outage] = field(default_factory=list)

    # -- processes

    def start_worker(self, place: int) -> None:
        """A worker with a clock of its own; the one that had its place is gone."""
        own = self.folder / f"clock-{place}"
        page = str(max(2, self.mailboxes // 80))
        ours = {"CLOCKS": f"{own}{os.pathsep}{self.shared_clock}", "LEASE": str(self.lease), "PAGE_SIZE": page}
        program = self.system.start("worker", "--queue", "preflight", **ours, **WORKER)
        self.workers[place:] = [program, *self.workers[place + 1 :]]

    def supervise(self) -> None:
        """Starts what ended by itself, as every supervisor does: a worker cannot begin while the database is away."""
        for place, worker in enumerate(list(self.workers)):
            if worker.process.poll() is not None:
                self.start_worker(place)

    @property
    def shared_clock(self) -> Path:
        """By how much the database's clock is off."""
        return self.folder / "clock-shared"

    def stop(self) -> None:
        """Ends every process of ours; a stopped one is woken first."""
        for program in [*self.workers, *([self.beat] if self.beat else [])]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(program.pid, signal.SIGCONT)
            program.kill()

    def said(self, words: str) -> int:
        """How often a process, dead or alive, has said that on standard error."""
        return sum(file.read_text(errors="replace").count(words) for file in self.system.folder.glob("*.err"))

    # -- runs

    def settings(self, direction: int) -> ImapSettings:
        """The same servers by another name, so that a change is one."""
        return settings_of(self.lab, host=HOSTS[direction])

    def save(self) -> Saved:
        """A change to the other settings, as if nobody had ever logged in, and its run under way."""
        self.direction = 1 - self.direction
        self.outages.clear()
        with self.preflight.database.begin() as conn:
            for table in ("rejections", "login_budget"):
                conn.exec_driver_sql(f"DELETE FROM {table}")  # noqa: S608 - the names are the line above
            conn.exec_driver_sql("UPDATE mailboxes SET state = 'unknown'")
        self.lab.dovecot.forget()
        return account_of(self.preflight).changes.save(DOMAIN, self.settings(self.direction))

    def run(self, saved: Saved) -> runs.Run:
        """The run as the database has it, which may be away for a moment."""

        def read() -> runs.Run:
            with self.preflight.database.read() as conn:
                found = runs.load(conn, saved.run_id)
            assert found
            return found

        return patiently(read)

    def ended(self, saved: Saved) -> bool:
        """Whether a run has ended. Whoever waits for that looks after the workers."""
        self.supervise()
        return self.run(saved).stage in runs.ENDED

    def snapshot(self, saved: Saved) -> Snapshot:
        """What is stored of a run at this moment."""
        return patiently(lambda: read_snapshot(self.preflight.database, saved.run_id))

    def under_way(self) -> set[str] | None:
        """The addresses that were under way while a mail server was away; None where none was."""
        if not self.outages:
            return None
        logins = read_logins(self.lab)
        numbers = {user: number for number, user in enumerate(self.lab.users)}
        return {f"box{numbers[user]:03}@{DOMAIN}" for outage in self.outages for user in outage.cut_off(logins)}

    def in_force(self) -> int | None:
        """The id of the domain's settings in force."""
        with self.preflight.database.read() as conn:
            found: int | None = conn.execute(sa.select(schema.domains.c.settings_id)).scalar_one()
            return found


def patiently(ask: Callable[[], T]) -> T:
    """Asks the database until it is there again."""
    end = time.monotonic() + 30
    while True:
        try:
            return ask()
        except Unavailable:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


@contextlib.contextmanager
def open_arena(folder: Path, mailboxes: int, lease: float, seed: int) -> Iterator[Arena]:
    """Everything started and the domain filled; nothing is in force yet."""
    shared = folder / "clock-shared"
    clocks.install(str(folder / "clock-of-nobody"), str(shared))
    options = DovecotOptions(fast=True)
    with (
        mail_lab(folder / "lab", users=mailboxes, options=options) as lab,
        RedisServer(folder / "redis") as redis,
        PostgresServer(folder / "postgres", durable=True) as postgres,
    ):
        (folder / "system").mkdir()
        system = System("distributed", folder / "system", postgres.new_database(), redis.url)
        system.load(DOMAIN, boxes_of(lab, DOMAIN, mailboxes, wrong=range(0, mailboxes, WRONG_EVERY)))
        with system.open(watch_minutes=0) as preflight:
            chance = random.Random(seed)  # noqa: S311 - faults that can be repeated, no secret
            arena = Arena(folder, lab, redis, postgres, system, preflight, mailboxes, lease, chance)
            try:
                for place in range(2):
                    arena.start_worker(place)
                arena.beat = system.start("beat", CLOCKS=f"{folder}/clock-beat{os.pathsep}{shared}")
                yield arena
            finally:
                arena.stop()


def finish(arena: Arena, saved: Saved) -> bool:
    """Waits for the end of a run. False where it does not come."""
    try:
        wait_for(lambda: arena.ended(saved), "the run ends", PATIENCE)
    except AssertionError:
        return False
    return True
