"""Celery workers and beat inside this process, started and stopped by us."""

import contextlib
import fcntl
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from celery import Celery
from celery.beat import Scheduler, Service
from celery.worker import WorkController
from celery.worker import state as worker_state

from checks.model import Invalid, Unavailable
from worker.app import HEALTH, PREFLIGHT

WAKE = "mail_preflight.wake"
SLOTS = {PREFLIGHT: 4, HEALTH: 12}
"""Tasks at a time in one worker: lanes and the steps between them. What is of health waits for nobody."""
_START_SECONDS = 15.0
_STOP_SECONDS = 45.0


def controller(app: Celery, queue: str, ready: Callable[[], None] | None = None) -> WorkController:
    """A worker of one queue, or of an egress's (`preflight.tokyo`).

    Threads, for its work is waiting; no gossip, for its work is in the database.
    """
    app.set_default()  # the pool's threads look their tasks up in the default app
    return WorkController(
        app=app,
        hostname=f"{queue}@mail-preflight",
        queues=[queue],
        pool="threads",
        concurrency=SLOTS[queue.partition(".")[0]],
        without_heartbeat=True,
        without_mingle=True,
        without_gossip=True,
        ready_callback=(lambda _consumer: ready()) if ready else None,
        loglevel=None,
    )


@contextlib.contextmanager
def embedded_workers(app: Celery, queues: Sequence[str], stopping: threading.Event) -> Iterator[None]:
    """Workers in threads of this process for as long as the block runs. Raises `Unavailable` when they do not start."""
    reset()
    stopping.clear()
    workers: list[tuple[WorkController, threading.Thread]] = []
    try:
        workers.extend(_start(app, queue) for queue in queues)
        yield
    finally:
        stopping.set()
        worker_state.should_stop = os.EX_OK  # type: ignore[assignment] # an exit status, as Celery sets it
        for (_, thread), queue in zip(workers, queues, strict=False):
            # An idle worker looks whether it should stop every two seconds or when a message comes, and then goes
            # round once more.
            for _ in range(2):
                app.send_task(WAKE, queue=queue, ignore_result=True)
            thread.join(_STOP_SECONDS)
        reset()


def _start(app: Celery, queue: str) -> tuple[WorkController, threading.Thread]:
    ready = threading.Event()
    worker = controller(app, queue, ready.set)
    thread = threading.Thread(target=worker.start, name=f"worker-{queue}", daemon=True)
    thread.start()
    if not ready.wait(_START_SECONDS):
        raise Unavailable("the worker did not start; is the broker up, and is this machine very busy?")
    return worker, thread


def reset() -> None:
    """Celery keeps the wish to stop in a module, so the next worker of this process would stop at once."""
    worker_state.should_stop = None
    worker_state.should_terminate = None


def work(app: Celery, queue: str, stopping: threading.Event) -> None:
    """A worker of one queue in the main thread, until SIGTERM or SIGINT.

    Raises `Unavailable` when Celery gives up, as where Redis has no room for what it notes of a message: whoever looks
    after the process starts it again.
    """
    reset()
    _on_signal(stopping)
    worker = controller(app, queue)
    warm = worker.stop

    def stop(*arguments: Any, **options: Any) -> None:
        stopping.set()  # lanes end early, or the end of the worker would wait a minute for them
        warm(*arguments, **options)

    worker.stop = stop  # type: ignore[method-assign] # its own methods call it too
    worker.start()
    if worker.exitcode:
        raise Unavailable("the broker does not do what the worker needs; it ends, and goes on when it is started again")


def wait_for_signal(stopping: threading.Event) -> None:
    """Comes back at SIGTERM or SIGINT."""
    _on_signal(stopping)
    stopping.wait()


def _on_signal(stopping: threading.Event) -> None:
    """The first signal lets running tasks come to an end, the second does not wait.

    A handler takes no lock: the thread that it interrupts may hold it, as the one that waits for `stopping` does for a
    moment, and both would wait for ever. So a thread of its own is told through a pipe.
    """
    told, tell = os.pipe()
    begun: list[int] = []

    def stop(number: int, frame: Any) -> None:  # noqa: ARG001 - what a handler is given
        if begun:
            worker_state.should_terminate = os.EX_OK  # type: ignore[assignment] # an exit status, as Celery sets it
        worker_state.should_stop = os.EX_OK  # type: ignore[assignment] # an exit status, as Celery sets it
        if not begun:
            begun.append(number)
            os.write(tell, b"!")

    def pass_on() -> None:
        os.read(told, 1)
        stopping.set()

    threading.Thread(target=pass_on, name="signals", daemon=True).start()
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)


@contextlib.contextmanager
def beat(app: Celery) -> Iterator[None]:
    """The scheduler in a thread of this process."""
    # Celery's own default keeps its schedule in a file of the working directory.
    service = Service(app, scheduler_cls=Scheduler)
    thread = threading.Thread(target=service.start, name="beat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        service.stop()


@contextlib.contextmanager
def only_one(path: Path) -> Iterator[None]:
    """Holds a lock file. Raises `Invalid` when another process has it."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with path.open("w", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Invalid(f"another `mail-preflight serve` works on this database (it holds {path})") from None
        yield
