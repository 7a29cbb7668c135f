"""What every real server of the tests needs: a free port, a folder others may enter, a process that surely ends."""

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Self

LOOPBACK = "127.0.0.1"
GUARD = Path(__file__).with_name("guard.py")
FIRST_PORT, LAST_PORT = 12_000, 32_000
"""Below Linux's ephemeral range (32768 and up), so that no outgoing connection takes a server's port meanwhile."""
_handed_out: set[int] = set()


class ServerError(RuntimeError):
    """A server of the tests cannot run here; the text says what to do."""


def free_port() -> int:
    """A TCP port on loopback that nobody listens on. Never the same one twice in one process."""
    chance = random.SystemRandom()
    while True:
        port = chance.randrange(FIRST_PORT, LAST_PORT)
        if port not in _handed_out and _is_free(port):
            _handed_out.add(port)
            return port


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """A new folder in /tmp that unprivileged server users may enter (pytest's own is 0700); removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="mail-preflight-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def program(name: str, *folders: str) -> str:
    """The path of a server's program. Raises `ServerError` when it is not installed."""
    found = shutil.which(name, path=os.pathsep.join((*folders, os.environ.get("PATH", ""), "/usr/sbin", "/sbin")))
    if found is None:
        raise ServerError(f"{name} is not installed. Run scripts/install-test-servers.sh first.")
    return found


def as_user(name: str) -> list[str]:
    """What to put before a command so that root runs it as user `name`."""
    return ["setpriv", f"--reuid={name}", f"--regid={name}", "--clear-groups"]


def is_root() -> bool:
    return os.geteuid() == 0


def greets(port: int) -> Callable[[], bool]:
    """Ready when a connection to `port` gets its first bytes."""

    def ready() -> bool:
        try:
            with socket.create_connection((LOOPBACK, port), timeout=2) as connection:
                return bool(connection.recv(1))
        except OSError:
            return False

    return ready


def accepts(port: int) -> Callable[[], bool]:
    """Ready when `port` takes a connection."""

    def ready() -> bool:
        try:
            socket.create_connection((LOOPBACK, port), timeout=2).close()
        except OSError:
            return False
        return True

    return ready


class Daemon:
    """One server process and everything it forks, below a guard that outlives neither it nor us."""

    def __init__(
        self,
        command: Sequence[str],
        output: Path,
        patience: float = 3.0,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        """`patience`: seconds between `stop_signal` and SIGKILL. `output` collects what the process prints."""
        self._command = list(command)
        self._output = output
        self._patience = patience
        self._stop_signal = stop_signal
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, ready: Callable[[], bool], seconds: float = 20.0) -> None:
        """Start and wait until `ready()`. Raises `ServerError` with the end of the output when it does not come up."""
        numbers = (os.getpid(), self._patience, int(self._stop_signal))
        guard = [sys.executable, "-I", "-S", str(GUARD), *map(str, numbers)]
        with self._output.open("ab") as output:
            self._process = subprocess.Popen(
                [*guard, *self._command], stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
            )
        try:
            self._wait(self._process, ready, time.monotonic() + seconds)
        except BaseException:
            self.stop()
            raise

    def _wait(self, process: subprocess.Popen[bytes], ready: Callable[[], bool], end: float) -> None:
        while not ready():
            if process.poll() is not None or time.monotonic() > end:
                raise ServerError(f"{self._command[0]} did not start: {self._last_words()}")
            time.sleep(0.01)

    def stop(self) -> None:
        """End it. Does nothing when it is not running."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a power cut would: it gets no chance to finish anything."""
        self._end(signal.SIGQUIT)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(self._patience + 10)
            self._process = None

    @property
    def pid(self) -> int:
        """The server's own process id. Raises `ServerError` when it is not running."""
        if self._process is None:
            raise ServerError(f"{self._command[0]} is not running.")
        guard = self._process.pid
        return int(Path(f"/proc/{guard}/task/{guard}/children").read_text().split()[0])

    def _last_words(self) -> str:
        return self._output.read_text(errors="replace")[-1500:].strip() or "it said nothing"


class Server:
    """A server that runs inside a `with` block."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        raise NotImplementedError

    def stop(self) -> None:
        raise NotImplementedError


def settled(log: Path, quiet: float = 0.15, seconds: float = 5.0) -> str:
    """The text of `log` once it has not grown for `quiet` seconds: servers write their logs a moment late."""
    end = time.monotonic() + seconds
    size = -1
    while log.exists() and log.stat().st_size != size and time.monotonic() < end:
        size = log.stat().st_size
        time.sleep(quiet)
    return log.read_text(errors="replace") if log.exists() else ""
