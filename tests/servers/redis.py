"""A real Redis without persistence, with a witness of every command it gets."""

import contextlib
import socket
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import redis

from tests.servers.process import LOOPBACK, Daemon, Server, accepts, free_port, program


class Monitor:
    """Collects what Redis says to MONITOR (every command with its arguments) into `file`, across restarts."""

    def __init__(self, port: int, file: Path) -> None:
        self.file = file
        self._port = port
        self._end = threading.Event()
        self._watching = threading.Event()
        self._thread = threading.Thread(target=self._run, name="redis-monitor")

    def start(self) -> None:
        self._thread.start()
        self._watching.wait(10)

    def stop(self) -> None:
        self._end.set()
        self._thread.join()

    def text(self) -> str:
        """All of it so far: waits until a mark of our own has come by, so nothing before it is missing."""
        mark = uuid.uuid4().hex
        with redis.Redis(LOOPBACK, self._port) as client:
            client.echo(mark)
        for _ in range(500):
            text = self.file.read_text(errors="replace")
            if mark in text or self._end.wait(0.01):
                break
        return text

    def _run(self) -> None:
        with self.file.open("ab", buffering=0) as output:
            while not self._end.is_set():
                with contextlib.suppress(OSError):
                    self._watch(output.write)
                self._end.wait(0.005)

    def _watch(self, write: Callable[[bytes], object]) -> None:
        with socket.create_connection((LOOPBACK, self._port), timeout=0.1) as connection:
            connection.sendall(b"MONITOR\r\n")
            while not self._end.is_set():
                with contextlib.suppress(TimeoutError):
                    data = connection.recv(65536)
                    if not data:
                        return
                    write(data)
                    self._watching.set()


class RedisServer(Server):
    """Redis on loopback; `url` is its database 0."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.url = f"redis://{LOOPBACK}:{self.port}/0"
        self._folder = folder
        options = {"port": str(self.port), "bind": LOOPBACK, "save": "", "appendonly": "no", "dir": str(folder)}
        arguments = [word for name, value in options.items() for word in (f"--{name}", value)]
        self._daemon = Daemon([program("redis-server"), *arguments], folder / "redis.log", patience=1.0)

    def start(self) -> None:
        """Raises `ServerError` when Redis does not come up."""
        self._daemon.start(accepts(self.port))

    def stop(self) -> None:
        self._daemon.stop()

    def restart(self, lose_data: bool = True) -> None:
        """Kill it and start it again on the same port, empty unless `lose_data` is False."""
        if not lose_data:
            with redis.Redis.from_url(self.url) as client:
                client.save()
        self._daemon.kill()
        if lose_data:
            (self._folder / "dump.rdb").unlink(missing_ok=True)
        self.start()

    def flush(self) -> None:
        """Forget all keys."""
        with redis.Redis.from_url(self.url) as client:
            client.flushall()

    @contextlib.contextmanager
    def monitor(self, file: Path | None = None) -> Iterator[Monitor]:
        """Collect every command that arrives inside the block into `file` (one in the server's folder by default)."""
        monitor = Monitor(self.port, file or self._folder / f"monitor-{uuid.uuid4().hex}.txt")
        monitor.start()
        try:
            yield monitor
        finally:
            monitor.stop()

    @property
    def pid(self) -> int:
        """The process id of redis-server."""
        return self._daemon.pid
