"""One run and what is done to it: save, disturb, wait, judge, apply."""

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import sqlalchemy as sa

from checks.model import Unavailable
from settings_store import schema
from settings_store.changes.changes import Saved
from settings_store.changes.lifecycle import Refused
from tests.flows.chaos.arena import WORKER, Arena, finish, patiently
from tests.flows.chaos.faults import FAULTS, Fault
from tests.flows.chaos.judge import Mark, Report, judge_logins, judge_report, judge_verdicts
from tests.flows.chaos.seen import read_logins
from tests.flows.harness import account_of
from worker.runs.lane import OVERTAKEN

LANE_THREADS = int(WORKER["LOGINS_AT_ONCE"])
STATEMENTS = 14  # about as many as `apply` has


def say(line: str) -> None:
    """A line on standard output, at once."""
    print(line, flush=True)  # noqa: T201 - what the harness is for


def report_of(arena: Arena, saved: Saved) -> Report:
    """The finished run's report."""
    report = account_of(arena.preflight).changes.report(saved.change_id)
    impacts = {line.address: (str(line.impact), str(line.code)) for line in report.mailboxes()}
    return Report(dict(report.counts), report.checksum, impacts)


def quiet(arena: Arena) -> Report:
    """A run that nobody disturbs, applied at its end. Raises `AssertionError` when even that goes wrong."""
    saved = arena.save()
    assert finish(arena, saved), "a quiet run does not end"
    found = report_of(arena, saved)
    problems = [*judge_logins(read_logins(arena.lab), [], arena.snapshot(saved), True)]
    assert not problems, problems
    account_of(arena.preflight).changes.apply(saved.change_id, found.counts["will_disconnect"])
    (arena.folder / "last-run").write_text(saved.run_id)
    return found


@dataclass
class Trial:
    """A run under faults. `number` counts the runs, `count` the faults of all runs so far."""

    arena: Arena
    expected: Report
    number: int
    count: int
    marks: list[Mark] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def hold(self, faults: int) -> None:
        """Goes through it with at most so many faults, killing `apply` included."""
        arena = self.arena
        saved = arena.save()
        begun = time.monotonic()
        while len(self.marks) < faults - 1 and self._wait(saved):
            self._strike(saved, self._draw(), begun)
        if not finish(arena, saved):
            self.problems.append(f"the run did not end: it is {arena.run(saved)}")
            return
        self._judge(saved)
        if faults > len(self.marks) and not self._is_applied(saved):
            self._kill_apply(saved)
        (arena.folder / "last-run").write_text(saved.run_id)

    def _is_applied(self, saved: Saved) -> bool:
        """Whether the run had ended just before a change was applied that was meant to be too early."""
        with self.arena.preflight.database.read() as conn:
            state = sa.select(schema.changes.c.state).where(schema.changes.c.id == saved.change_id)
            return bool(conn.execute(state).scalar_one() == "applied")

    def _wait(self, saved: Saved) -> bool:
        """Until the next fault. False where the run has ended before."""
        end = time.monotonic() + self.arena.chance.uniform(0.05, 2.0)
        while time.monotonic() < end:
            if self.arena.ended(saved):
                return False
            time.sleep(0.02)
        return True

    def _draw(self) -> Fault:
        return self.arena.chance.choices(FAULTS, [fault.weight for fault in FAULTS])[0]

    def _strike(self, saved: Saved, fault: Fault, begun: float) -> None:
        arena = self.arena
        self._apply_too_early(saved)
        stage, before = arena.run(saved).stage, arena.snapshot(saved)
        at = time.monotonic() - begun
        middle: list[Mark] = []

        def look() -> None:
            # Logins that were under way when their process was stopped end when it wakes: they cannot be called back.
            middle.append(Mark(arena.snapshot(saved), time.clock_gettime(time.CLOCK_REALTIME), True, LANE_THREADS))

        start = time.clock_gettime(time.CLOCK_REALTIME)
        said = fault.happen(arena, saved, look)
        # A process that is stopped loses what it has under way when it stops, not when it wakes.
        after = start if middle else time.clock_gettime(time.CLOCK_REALTIME)
        under_way = LANE_THREADS if middle else 0
        self.marks += [Mark(before, after, fault.loses, under_way, fault.late), *middle]
        self._tell(f"{at:5.1f} s {stage:9} {len(before.known):5} known  {fault.name}{': ' if said else ''}{said}")

    def _tell(self, line: str) -> None:
        self.count += 1
        say(f"fault {self.count:3}  run {self.number:2} {line}")

    def _apply_too_early(self, saved: Saved) -> None:
        try:
            if self.arena.ended(saved):
                return
            account_of(self.arena.preflight).changes.apply(saved.change_id, 0)
        except (Refused, Unavailable):
            return
        if patiently(lambda: self.arena.run(saved)).counts is None:
            self.problems.append("a change was applied without a report")

    def _judge(self, saved: Saved) -> None:
        arena = self.arena
        final = arena.snapshot(saved)
        self.problems += judge_report(report_of(arena, saved), self.expected, arena.under_way())
        self.problems += judge_verdicts(self.marks, final, arena.mailboxes)
        excused = LANE_THREADS * arena.said(f"run {saved.run_id}: {OVERTAKEN}")
        self.problems += judge_logins(
            read_logins(arena.lab), self.marks, final, not arena.outages, excused, arena.outages
        )

    # -- applying

    def _kill_apply(self, saved: Saved) -> None:
        arena = self.arena
        before = arena.in_force()
        count = str((arena.run(saved).counts or {})["will_disconnect"])
        arguments = ["apply", saved.change_id, *(["--accept-disconnects", count] if count != "0" else [])]
        moment = self._moment()
        clocks = f"{arena.folder}/clock-of-nobody{os.pathsep}{arena.shared_clock}"
        with arena.system.start(*arguments, WATCH_MINUTES="0", KILL_APPLY=moment, CLOCKS=clocks) as command:
            status = command.process.wait(60)
        applied = arena.in_force() != before
        self.problems += self._half_applied(saved, applied)
        if status not in {-signal.SIGKILL, 0, 2}:
            self.problems.append(f"apply ended with {status}: {command.words}")
        when = f"in its transaction, at {moment}" if status == -signal.SIGKILL else f"came before {moment}: {status}"
        what = "applied" if applied else "as it was"
        self._tell(f"{'':7} {'finished':9} {'':11}  kill -9 of apply {when}: {what}")
        if not applied:
            self.problems += self._half_applied(saved, self._apply(saved, int(count)))

    def _moment(self) -> str:
        """Before one of its statements, before or after its commit, or some time after it began (see `quick`)."""
        chance = self.arena.chance
        kind = chance.choices(("statement", "commit", "committed", "seconds"), [6, 2, 1, 3])[0]
        number = {"statement": str(chance.randrange(1, STATEMENTS + 1)), "seconds": f"{chance.uniform(0, 0.05):.4f}"}
        return f"{kind}:{number.get(kind, '')}"

    def _apply(self, saved: Saved, count: int) -> bool:
        """Whether the change could be applied. A report that the mail server left incomplete is refused, rightly."""
        try:
            account_of(self.arena.preflight).changes.apply(saved.change_id, count)
        except Refused as refused:
            if not self.arena.outages:
                self.problems.append(f"a good change cannot be applied: {refused}")
            self.arena.direction = 1 - self.arena.direction
            return False
        return True

    def _half_applied(self, saved: Saved, applied: bool) -> Iterator[str]:
        """All of a change is in force, or nothing of it."""
        with self.arena.preflight.database.read() as conn:
            state, settings_id = conn.execute(
                sa.select(schema.changes.c.state, schema.changes.c.settings_id).where(
                    schema.changes.c.id == saved.change_id
                )
            ).one()
            log = schema.events.c.subject == saved.change_id, schema.events.c.kind == "change.applied"
            lines = conn.execute(sa.select(sa.func.count()).select_from(schema.events).where(*log)).scalar_one()
            states = set(conn.execute(sa.select(schema.mailboxes.c.state).distinct()).scalars())
        found = state == "applied", self.arena.in_force() == settings_id, lines == 1, states != {"unknown"}
        if set(found) != {applied}:
            yield f"half applied: state {state}, in force {found[1]}, {lines} lines in the log, mailboxes {states}"
