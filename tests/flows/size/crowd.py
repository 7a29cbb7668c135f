"""One run over many mailboxes on real servers: when progress shows, how soon a cancel works, what memory it takes."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from checks.settings import ImapSettings
from settings_store.changes.changes import Saved
from tests.flows.chaos.seen import read_logins
from tests.flows.harness import Mode, Outcome, Program, System, account_of, boxes_of, settings_of
from tests.servers.lab import MailLab
from tests.servers.postgres import PostgresServer
from tests.servers.process import free_port
from tests.servers.redis import RedisServer
from worker.service.preflight import Preflight

PATIENCE = 900.0


@dataclass(frozen=True, slots=True)
class Watched:
    """A run as somebody sees it who follows it. Seconds since the save; `gap` is the longest without any news."""

    planned: float
    gap: float
    seconds: float
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Cancelled:
    """`ended`: seconds from the cancel to the end of the run; `last`: to the last login that the server saw, which is
    below zero where none came after. `done` mailboxes had a verdict by then."""

    ended: float
    last: float
    done: int


@dataclass
class Crowd:
    """A system with its workers, and servers that know its mailboxes."""

    system: System
    lab: MailLab
    workers: tuple[Program, ...] = ()

    @contextmanager
    def open(self) -> Iterator[Preflight]:
        """The service, with somebody who works."""
        with self.system.open() as preflight, preflight.processes.working():
            yield preflight

    def load(self, domain: str, count: int, wrong: frozenset[int] = frozenset()) -> None:
        """The lab's first users; those in `wrong` have a wrong password."""
        self.system.load(domain, boxes_of(self.lab, domain, count, wrong))

    def watch(self, domain: str, settings: ImapSettings | None = None) -> Watched:
        """Saves a change and follows its run to the end."""
        with self.open() as preflight:
            begun = told = time.monotonic()
            saved = account_of(preflight).changes.save(domain, settings or settings_of(self.lab))
            planned = gap = 0.0
            for progress in account_of(preflight).runs.follow(saved.run_id, PATIENCE):
                now = time.monotonic()
                gap, told = max(gap, now - told), now
                if progress.total and not planned:
                    planned = now - begun
            seconds = time.monotonic() - begun
            report = account_of(preflight).changes.report(saved.change_id)
            lines = {line.address: line for line in report.mailboxes()}
            return Watched(planned, gap, seconds, Outcome(saved, report, lines))

    def cancel(self, domain: str, after: int) -> Cancelled:
        """Saves a change and cancels its run when `after` mailboxes have a verdict."""
        self.lab.forget()
        with self.open() as preflight:
            saved = account_of(preflight).changes.save(domain, settings_of(self.lab))
            for progress in account_of(preflight).runs.follow(saved.run_id, PATIENCE):
                if progress.done >= after:
                    break
            at, begun = time.time(), time.monotonic()
            account_of(preflight).changes.cancel(saved.change_id)
            self._wait(preflight, saved)
            ended = time.monotonic() - begun
            time.sleep(3)
            last = max(login.at for login in read_logins(self.lab))
            return Cancelled(ended, last - at, account_of(preflight).runs.progress(saved.run_id).done)

    def _wait(self, preflight: Preflight, saved: Saved) -> None:
        for _ in account_of(preflight).runs.follow(saved.run_id, PATIENCE):
            pass

    def unreachable(self) -> ImapSettings:
        """Settings with an SMTP server that is not there."""
        return settings_of(self.lab, smtp=free_port())

    @property
    def peak_megabytes(self) -> float:
        """The most memory that a worker ever had (proc(5): VmHWM); 0 where they are threads of this process."""
        return max((_peak(worker.pid) for worker in self.workers), default=0.0)


def _peak(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024 / 1e6


@contextmanager
def gather(folder: Path, mode: Mode, lab: MailLab) -> Iterator[Crowd]:
    """A new system; two workers where it is distributed."""
    folder.mkdir()
    if mode == "embedded":
        yield Crowd(System(mode, folder, f"sqlite:///{folder}/preflight.db", "memory://", cold=True), lab)
        return
    with ExitStack() as stack:
        redis = stack.enter_context(RedisServer(folder / "redis"))
        postgres = stack.enter_context(PostgresServer(folder / "postgres"))
        system = System(mode, folder, postgres.new_database(), redis.url, cold=True)
        with system.open():
            pass  # the tables
        yield Crowd(system, lab, stack.enter_context(system.working(2)))
