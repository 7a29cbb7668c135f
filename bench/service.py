"""The service in its two modes, as the bench runs it: with the default settings but for addresses on loopback."""

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from sys import executable
from tempfile import TemporaryDirectory, mkdtemp

import redis

from bench.meter import cpu_seconds, peak_megabytes
from bench.plan import AT_ONCE, WORKERS
from settings_store.secrets import new_key
from tests.servers.postgres import PostgresServer
from tests.servers.process import Daemon
from tests.servers.redis import RedisServer

COMMAND = Path(executable).with_name("mail-preflight")
_STOP_SECONDS = 0.2  # its work is done and its database thrown away, so nobody waits for a worker to go


@dataclass(frozen=True, slots=True)
class Service:
    """A fresh database and who works on it. `workers` and `backends` are process ids, none when embedded."""

    database_url: str
    environment: Mapping[str, str] = field(repr=False)
    workers: tuple[int, ...] = ()
    backends: tuple[int, ...] = ()

    @property
    def embedded(self) -> bool:
        """Whether the command itself does the work."""
        return not self.workers

    def cpu(self) -> float:
        """Seconds that workers, broker and database have taken so far."""
        return cpu_seconds(self.workers + self.backends)

    def peak(self) -> float:
        """MB of the worker that ever had the most."""
        return peak_megabytes(self.workers)


@contextlib.contextmanager
def embedded(folder: Path) -> Iterator[Service]:
    """One process, SQLite in a folder of its own."""
    data = _new_folder(folder)
    yield Service(f"sqlite:///{data / 'mail-preflight' / 'preflight.db'}", _environment(data))


@dataclass(frozen=True, slots=True)
class Backends:
    """A Redis and a PostgreSQL that all distributed services use in turn."""

    redis: RedisServer
    postgres: PostgresServer


@contextlib.contextmanager
def open_backends(folder: Path) -> Iterator[Backends]:
    """Starts both. Raises `ServerError`."""
    with RedisServer(folder / "redis") as broker, PostgresServer(folder / "postgres") as database:
        yield Backends(broker, database)


@contextlib.contextmanager
def distributed(
    folder: Path, backends: Backends, queues: Sequence[str] = ("preflight",) * WORKERS
) -> Iterator[Service]:
    """An idle worker for each of `queues` on an empty database. Raises `ServerError` when they do not come up."""
    backends.redis.flush()
    data, url = _new_folder(folder), backends.postgres.new_database()
    variables = {
        "DATABASE_URL": url,
        "BROKER_URL": backends.redis.url,
        "SECRET_KEY": new_key(),
        "ALLOW_NETWORKS": "127.0.0.0/8",
    }
    environment = _environment(data, variables)
    with contextlib.ExitStack() as stack:
        workers = [
            stack.enter_context(_worker(data / f"worker-{number}.log", environment, backends.redis, number, queue))
            for number, queue in enumerate(queues, 1)
        ]
        yield Service(url, environment, tuple(workers), (backends.redis.pid, backends.postgres.pid))


@contextlib.contextmanager
def beating(service: Service) -> Iterator[None]:
    """The clock of a service runs meanwhile."""
    with TemporaryDirectory() as folder:
        daemon = Daemon([str(COMMAND), "beat"], Path(folder) / "beat.log", _STOP_SECONDS)
        with _as_ours(service.environment):
            daemon.start(lambda: True)
        try:
            yield
        finally:
            daemon.stop()


@contextlib.contextmanager
def _worker(log: Path, environment: Mapping[str, str], broker: RedisServer, number: int, queue: str) -> Iterator[int]:
    """The `number`th worker, idle. Yields its process id."""
    daemon = Daemon([str(COMMAND), "worker", "--queue", queue], log, _STOP_SECONDS)
    with redis.Redis.from_url(broker.url) as client:
        with _as_ours(environment):
            daemon.start(lambda: _waiting(client) >= number)
        try:
            yield daemon.pid
        finally:
            daemon.stop()


def _waiting(client: "redis.Redis") -> int:
    """How many workers are waiting for a message."""
    return sum(connection["cmd"] == "brpop" for connection in client.client_list())


def _environment(data: Path, variables: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment without settings of a service of one's own, and with those of the bench."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MAIL_PREFLIGHT_")}
    places = {f"XDG_{name}_HOME": str(data) for name in ("DATA", "STATE", "CACHE", "CONFIG")}
    chosen = {"LOGINS_AT_ONCE": str(AT_ONCE), **(variables or {})}
    return {**inherited, **places, **{f"MAIL_PREFLIGHT_{name}": value for name, value in chosen.items()}}


@contextlib.contextmanager
def _as_ours(environment: Mapping[str, str]) -> Iterator[None]:
    """What is started inside gets this environment, and no secret is on a command line."""
    before = dict(os.environ)
    os.environ.update(environment)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _new_folder(folder: Path) -> Path:
    return Path(mkdtemp(prefix="service-", dir=folder))
