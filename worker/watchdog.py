"""Work on a stranger's bytes that computes beyond its deadline, noticed from another process.

Deadlines bind waiting. Who computes in C with the interpreter's lock held, in a regular expression say, lets no other
thread of the process run, and no Python signal handler: nobody inside can notice. So `worker` and `serve` are two
processes. The one that works notes in shared memory what it begins and until when; the other one looks at that twice a
second, and where a thread is past its deadline *and* has spent the processor's time, ends the first and starts it anew.
A thread that only waited, for the processor or because the process was stopped, is no reason.

Measured with Python 3.11 and one `pow` of big numbers in a thread that took 5.4 s: another thread that was to run after
0.5 s, and the handler of `signal.setitimer` in the main thread, ran after 5.4 s; what is written in C and needs no lock
(`faulthandler`) was there after 0.5 s, and so is another process.

Needs Linux: elsewhere, and where `begin` was not called, nobody looks and `during` costs nothing.
"""

import contextlib
import ctypes
import faulthandler
import mmap
import os
import resource
import select
import signal
import struct
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LOOK_SECONDS = 0.5
GRACE_SECONDS = 2.0
COMPUTED_SECONDS = 3.0
"""So much processor time of one check or login: a hundred times what one takes that works."""
_SLOTS, _TEXT = 1024, 200
_SLOT = struct.Struct(f"=dqd{_TEXT}s")  # deadline (0: free), thread, its processor time then, work and endpoint
_END = struct.Struct("=d")
_PR_SET_PDEATHSIG = 1
_DUMP_SECONDS = 3.0
_PASSED_ON = (signal.SIGTERM, signal.SIGINT)


@dataclass(frozen=True, slots=True)
class Overrun:
    """What did not end: `work` (what it was) at `endpoint` (as text)."""

    work: str
    endpoint: str


class Board:
    """What the threads of one process are at, in memory that another one can read."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, _SLOTS * _SLOT.size)
        self._free = list(range(_SLOTS))
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def during(self, work: str, endpoint: str, seconds: float) -> Iterator[None]:
        """The calling thread is at this, for so many seconds at most."""
        with self._lock:
            place = self._free.pop() if self._free else None
        if place is None:  # more threads than anybody configures
            yield
            return
        text = f"{work}\n{endpoint}".encode()[:_TEXT]
        at, end = place * _SLOT.size, time.monotonic() + seconds
        _SLOT.pack_into(self._memory, at, 0.0, threading.get_native_id(), time.thread_time(), text)
        _END.pack_into(self._memory, at, end)  # last: from here on it counts
        try:
            yield
        finally:
            _END.pack_into(self._memory, at, 0.0)
            with self._lock:
                self._free.append(place)

    def overruns(self, pid: int) -> list[Overrun]:
        """What the process `pid` computes at beyond its deadline."""
        now, found = time.monotonic(), []
        for at in range(0, _SLOTS * _SLOT.size, _SLOT.size):
            if not 0 < _END.unpack_from(self._memory, at)[0] < now - GRACE_SECONDS:
                continue
            _, thread, before, text = _SLOT.unpack_from(self._memory, at)
            if _processor_seconds(pid, thread) - before >= COMPUTED_SECONDS:
                work, _, endpoint = text.rstrip(b"\0").decode(errors="replace").partition("\n")
                found.append(Overrun(work, endpoint))
        return found

    def clear(self) -> None:
        """Forgets all, when nobody is at work."""
        self._memory[:] = bytes(len(self._memory))


def _processor_seconds(pid: int, thread: int) -> float:
    """User and system time of a thread (proc(5), fields 14 and 15 of stat); 0 where it has ended."""
    try:
        fields = Path(f"/proc/{pid}/task/{thread}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


_board: list[Board] = []  # of this process: none where nobody looks


@contextlib.contextmanager
def during(work: str, endpoint: object, seconds: float) -> Iterator[None]:
    """Notes that the calling thread is at `work` with an endpoint, for at most so many seconds."""
    with _board[0].during(work, str(endpoint), seconds) if _board else contextlib.nullcontext():
        yield


def begin() -> list[Overrun]:
    """Splits the process in two. Comes back in the one that works, with what its predecessor did not end.

    The other one ends with the status of the one that works (`SystemExit`), passes SIGTERM and SIGINT on to it, and
    takes it along when it is killed itself. To be called before there are threads or connections.
    """
    if not (hasattr(os, "pidfd_open") and Path("/proc/self/task").exists()):
        return []
    board, overruns = Board(), list[Overrun]()
    while True:
        board.clear()
        supervisor = os.getpid()
        signal.pthread_sigmask(signal.SIG_BLOCK, _PASSED_ON)  # until each of the two has its own handlers
        pid = os.fork()
        if pid == 0:
            _become_worker(supervisor)
            _board[:] = [board]
            return overruns
        overruns = _watch(board, pid)


def _become_worker(supervisor: int) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.setpgid(0, 0)  # a terminal's interrupt comes once, from the supervisor
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _PASSED_ON)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != supervisor:
        os._exit(1)
    # SIGABRT prints where each thread is, names of functions and no values, even while a thread holds the lock. The
    # memory holds passwords: no core of it is written.
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    faulthandler.enable()


def _watch(board: Board, pid: int) -> list[Overrun]:
    """Until the process ends by itself (`SystemExit`) or has to be ended: then returns why."""

    def pass_on(number: int, _frame: Any) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)

    for number in _PASSED_ON:
        signal.signal(number, pass_on)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _PASSED_ON)
    ended = os.pidfd_open(pid)
    try:
        while not select.select([ended], [], [], LOOK_SECONDS)[0]:
            if overruns := board.overruns(pid):
                _end(pid, ended)
                for item in overruns:
                    _say(f"{item.work} of {item.endpoint} computes beyond its deadline; the worker starts anew")
                return overruns
    finally:
        os.close(ended)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    raise SystemExit(status if status >= 0 else 128 - status)


def _end(pid: int, ended: int) -> None:
    os.kill(pid, signal.SIGABRT)
    select.select([ended], [], [], _DUMP_SECONDS)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def _say(line: str) -> None:
    with contextlib.suppress(OSError):
        sys.stderr.write(f"mail-preflight: {line}\n")
        sys.stderr.flush()
