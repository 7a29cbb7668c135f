"""The faults. Each is a function that does its worst and returns when it has; what heals by itself is left to heal."""

import os
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from settings_store.changes.changes import Saved
from tests.flows.chaos.arena import Arena
from tests.flows.chaos.seen import Outage
from worker.app import PREFLIGHT, make_app
from worker.tasks import PREFIX

LATE_SECONDS = 1.0
CUT_OFF_SECONDS = 3.0  # a login that an outage has cut off is over and stored by then
STEPS = ("start_run", "run_page", "run_page", "finish_run")
Between = Callable[[], None]
"""Called in the middle of a fault that has a middle, to look at what is stored then."""


@dataclass(frozen=True, slots=True)
class Fault:
    """`loses`: the results of logins under way may be lost with it, so those may be repeated. `weight`: how often.

    `late`: what a process sent just before it died or was stopped, a busy server answers up to so many seconds later.
    Nobody can have taken its mailboxes over by then, for that takes a lease and more.
    """

    name: str
    happen: Callable[[Arena, Saved, Between], str]
    weight: int
    loses: bool = False
    late: float = 0.0


def _kill(arena: Arena, _saved: Saved, _between: Between) -> str:
    place = arena.chance.randrange(len(arena.workers))
    arena.workers[place].kill()
    arena.start_worker(place)
    return f"worker {place}"


def _kill_all(arena: Arena, _saved: Saved, _between: Between) -> str:
    for place, worker in enumerate(list(arena.workers)):
        worker.kill()
        arena.start_worker(place)
    return "both"


def _stop(arena: Arena, _saved: Saved, between: Between) -> str:
    place = arena.chance.randrange(len(arena.workers))
    worker = arena.workers[place].pid
    seconds = arena.lease + arena.chance.uniform(0.5, 4.0)
    os.kill(worker, signal.SIGSTOP)
    try:
        time.sleep(seconds)
        between()
    finally:
        os.kill(worker, signal.SIGCONT)
    return f"worker {place} for {seconds:.1f} s, lease {arena.lease:.0f} s"


def _flush(arena: Arena, _saved: Saved, _between: Between) -> str:
    arena.redis.flush()
    return ""


def _restart_redis(arena: Arena, _saved: Saved, _between: Between) -> str:
    arena.redis.restart(lose_data=True)
    return ""


def _restart_postgres_fast(arena: Arena, _saved: Saved, _between: Between) -> str:
    arena.postgres.restart(signal.SIGINT)
    return ""


def _crash_postgres(arena: Arena, _saved: Saved, _between: Between) -> str:
    arena.postgres.restart(signal.SIGQUIT)
    return ""


def _messages(arena: Arena, saved: Saved, _between: Between) -> str:
    names = [arena.chance.choice(STEPS) for _ in range(arena.chance.randint(1, 6))]
    app = make_app(arena.preflight.config)
    for name in names:
        app.send_task(PREFIX + name, args=[saved.run_id], queue=PREFLIGHT, ignore_result=True)
    app.close()
    return " ".join(names)


def _late_messages(arena: Arena, _saved: Saved, _between: Between) -> str:
    """Of the run before, which has long ended; to the workers it is all the same whether that was an hour ago."""
    app = make_app(arena.preflight.config)
    old = arena.folder / "last-run"
    run_id = old.read_text() if old.exists() else "no-run"
    for name in STEPS:
        app.send_task(PREFIX + name, args=[run_id], queue=PREFLIGHT, ignore_result=True)
    app.close()
    return "of the run before"


def _jump_one(arena: Arena, _saved: Saved, _between: Between) -> str:
    place = arena.chance.randrange(len(arena.workers))
    return f"of worker {place}, by {_set_clock(arena.folder / f'clock-{place}', arena.chance):+.0f} s"


def _jump_shared(arena: Arena, _saved: Saved, _between: Between) -> str:
    return f"of the database, by {_set_clock(arena.shared_clock, arena.chance):+.0f} s"


def _set_clock(file: Path, chance: random.Random) -> float:
    """Between now and two hours ahead, so that every second jump or so is one back."""
    before = float(file.read_text()) if file.exists() else 0.0
    after = round(chance.uniform(0, 7200))
    fresh = file.with_suffix(".new")
    fresh.write_text(str(after))
    fresh.replace(file)
    return after - before


def _mail_down(arena: Arena, saved: Saved, _between: Between) -> str:
    server = arena.chance.choice([arena.lab.dovecot, arena.lab.postfix])
    seconds = arena.chance.uniform(0.1, 1.0)
    before, down = arena.snapshot(saved), time.clock_gettime(time.CLOCK_REALTIME)
    server.stop()
    time.sleep(seconds)
    server.start()
    up = time.clock_gettime(time.CLOCK_REALTIME)
    time.sleep(CUT_OFF_SECONDS)
    arena.outages.append(Outage(before, arena.snapshot(saved), down, up))
    return f"{type(server).__name__.removesuffix('Server')} for {seconds:.1f} s"


FAULTS = (
    Fault("kill -9 of a worker", _kill, 6, loses=True, late=LATE_SECONDS),
    Fault("kill -9 of both workers", _kill_all, 2, loses=True, late=LATE_SECONDS),
    Fault("SIGSTOP, then SIGCONT", _stop, 3, loses=True, late=LATE_SECONDS),
    Fault("Redis flushed", _flush, 5),
    Fault("Redis restarted, empty", _restart_redis, 5),
    Fault("PostgreSQL restarted, fast", _restart_postgres_fast, 3, loses=True),
    Fault("PostgreSQL crashed", _crash_postgres, 3, loses=True),
    Fault("messages twice or out of turn", _messages, 5),
    Fault("messages an age late", _late_messages, 2),
    Fault("a worker's clock jumps", _jump_one, 3),
    Fault("the database's clock jumps", _jump_shared, 3),
    Fault("mail server down", _mail_down, 1),
)
