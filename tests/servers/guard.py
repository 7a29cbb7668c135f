"""Runs one server and makes sure that nothing of it survives: `guard.py PARENT_PID PATIENCE SIGNAL COMMAND...`.

The guard ends the server (with SIGNAL, then after PATIENCE seconds with SIGKILL) when it gets SIGTERM, at once when it
gets SIGQUIT, and also when the process that asked for it is gone, however that died.
Servers fork children into sessions of their own, so a process group is not enough: the guard is a "child subreaper"
(prctl(2)), every orphan below it becomes its child, and it leaves only when it has none left.

Needs Linux. Takes only the standard library, because it is started without site packages to be quick.
"""

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
STOP = {signal.SIGTERM, signal.SIGINT, signal.SIGQUIT}


def main(parent: int, patience: float, stop_signal: int, command: list[str]) -> int:
    """Run `command` until we are told to stop or `parent` is gone (then 0), or until it ends by itself (then 1)."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    wakeup = _wakeup()
    try:
        parent_fd = os.pidfd_open(parent)
    except ProcessLookupError:
        return 1
    child = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *command], start_new_session=True)
    received = _watch(child.pid, parent_fd, wakeup)
    if received != signal.SIGQUIT:
        _ask_to_stop(child.pid, stop_signal, patience)
    _kill_rest()
    return 1 if received == signal.SIGCHLD else 0


def _wakeup() -> int:
    """A descriptor that yields the numbers of the signals we get, one byte each."""
    readable, writable = os.pipe()
    os.set_blocking(writable, False)
    signal.set_wakeup_fd(writable)
    for number in (*STOP, signal.SIGCHLD):
        signal.signal(number, lambda *_: None)
    return readable


def _watch(child: int, parent_fd: int, wakeup: int) -> int:
    """Wait. The signal that says what happened: SIGCHLD when the child ended, else the one that asked us to stop."""
    poller = select.poll()
    poller.register(parent_fd, select.POLLIN)
    poller.register(wakeup, select.POLLIN)
    while True:
        if parent_fd in {descriptor for descriptor, _ in poller.poll()}:
            return signal.SIGTERM
        asked = STOP & set(os.read(wakeup, 64))
        if asked:
            return max(asked)
        if _reaped(child):
            return signal.SIGCHLD


def _reaped(child: int) -> bool:
    """Collect every process that ended. True when `child` was among them."""
    found = False
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, _ = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                break
            found = found or pid == child
    return found


def _ask_to_stop(child: int, stop_signal: int, patience: float) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, stop_signal)
    end = time.monotonic() + patience
    while time.monotonic() < end and not _reaped(child):
        time.sleep(0.01)


def _kill_rest() -> None:
    """Kill our children, and theirs as they become ours, until there are none."""
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    while pids := children.read_text().split():
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        _reaped(0)
        time.sleep(0.005)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]))
