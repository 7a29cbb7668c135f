"""Processes of `tests.flows.quick` that begin with everything imported: forked from one that waits for that.

What a process does, from its first argument to its exit status, is the same as where Python starts for it; only a
second of importing is left out, which is most of the time of a short command.
"""

import atexit
import contextlib
import gc
import importlib
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

ROOT = Path(__file__).parents[2]
_NUMBER = struct.Struct("=i")
_LONGEST = 1 << 17  # of a message: arguments and environment


class WarmProcess:
    """A process that was forked for a test, to be used as a `subprocess.Popen`."""

    def __init__(self, told: socket.socket) -> None:
        self._told, self._lock = told, threading.Lock()
        told.settimeout(30)
        self.pid: int = _NUMBER.unpack(told.recv(_NUMBER.size))[0]
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """The exit status, or minus the signal, of a process that has ended."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0.0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Waits so many seconds for the process to end. Raises `subprocess.TimeoutExpired`."""
        with self._lock:
            if self.returncode is None:
                self._told.settimeout(timeout)
                try:
                    self.returncode = _NUMBER.unpack(self._told.recv(_NUMBER.size))[0]
                except (TimeoutError, BlockingIOError):
                    raise subprocess.TimeoutExpired("mail-preflight", timeout or 0.0) from None
                self._told.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Nothing happens where it has ended."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """As a power cut would."""
        self.send_signal(signal.SIGKILL)


class _Parent:
    """The process that the others are forked from. It ends when this one does."""

    def __init__(self) -> None:
        self._ask, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._lock = threading.Lock()
        inherited = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        command = [sys.executable, "-m", "tests.flows.warm", str(there.fileno())]
        with there:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=inherited, stdin=subprocess.DEVNULL, pass_fds=[there.fileno()]
            )

        atexit.register(self.close)

    def close(self) -> None:
        self._ask.close()
        self._process.wait(10)

    def start(self, arguments: Sequence[str], environment: Mapping[str, str], out: int, err: int) -> WarmProcess:
        told, tells = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        message = json.dumps([list(arguments), dict(environment)]).encode()
        assert len(message) < _LONGEST
        with tells, self._lock:
            socket.send_fds(self._ask, [message], [tells.fileno(), out, err])
        return WarmProcess(told)


_parents: list[_Parent] = []


def start(arguments: Sequence[str], environment: Mapping[str, str], stdout: BinaryIO, stderr: BinaryIO) -> WarmProcess:
    """Starts `mail-preflight ARGUMENTS` with this environment and nothing else."""
    if not _parents:
        _parents.append(_Parent())
    return _parents[0].start(arguments, environment, stdout.fileno(), stderr.fileno())


# -- in the other process

_BEFOREHAND = (
    "alembic.command",
    "celery.beat",
    "celery.worker",
    "cli.account",
    "cli.console",
    "cli.reports.change_report",
    "cli.reports.json_documents",
    "kombu.transport.memory",
    "kombu.transport.redis",
    "psycopg",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite",
    "worker.health_tasks",
    "worker.process",
    "worker.tasks",
)


def _become_one(asked: socket.socket) -> list[str]:
    """Forks one process after the other; comes back in each of them, with its arguments."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those who wait
    while True:
        message, descriptors, *_ = socket.recv_fds(asked, _LONGEST, 3)
        if not message:
            os._exit(0)
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            # Ignored where the tests are a shell's background job (POSIX, 2.11 of the shell).
            signal.signal(signal.SIGINT, signal.default_int_handler)
            asked.close()
            return _in_one(message, *descriptors)
        for descriptor in descriptors:
            os.close(descriptor)


def _in_one(message: bytes, tells: int, out: int, err: int) -> list[str]:
    """Splits once more: the one waits and tells, the other one comes back with what it is to be."""
    if pid := os.fork():
        for descriptor in (0, 1, 2, out, err):
            os.close(descriptor)
        os.write(tells, _NUMBER.pack(pid))
        _, status = os.waitpid(pid, 0)
        with contextlib.suppress(OSError):  # nobody may want to know any more
            os.write(tells, _NUMBER.pack(os.waitstatus_to_exitcode(status)))
        os._exit(0)
    os.dup2(out, 1)
    os.dup2(err, 2)
    for descriptor in (tells, out, err):
        os.close(descriptor)
    arguments, environment = json.loads(message)
    os.environ.clear()
    os.environ.update(environment)
    return [str(argument) for argument in arguments]


def main() -> int:
    """Imports, waits, and is whatever is asked for."""
    from tests.flows import quick

    for name in _BEFOREHAND:
        importlib.import_module(name)
    gc.freeze()
    arguments = _become_one(socket.socket(fileno=int(sys.argv[1])))
    sys.argv = ["mail-preflight", *arguments]
    return quick.main(arguments)


if __name__ == "__main__":
    sys.exit(main())
