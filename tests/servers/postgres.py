"""A real PostgreSQL cluster that is thrown away: nothing is synced to disk."""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg

from tests.servers.lent import empty, shape_of
from tests.servers.process import LOOPBACK, Daemon, Server, ServerError, as_user, free_port, is_root, program
from tests.servers.stores import migrate

OWNER = "postgres"
"""Who runs the cluster when we are root: PostgreSQL refuses to run as root."""
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "32MB"}
QUIET = {"autovacuum": "off"}
"""It would go round all the databases of the tests; where a plan depends on statistics, the test says ANALYZE."""


class PostgresServer(Server):
    """PostgreSQL on loopback without passwords; `new_database` gives an empty database, `new_store` one with tables.

    `durable`: what was committed outlives the death of the server (not that of the machine). `more`: its parameters.
    """

    def __init__(
        self, folder: Path, max_connections: int = 300, durable: bool = False, more: Mapping[str, str] | None = None
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self._folder = folder
        self._data = folder / "data"
        self._count = 0
        self._shape = ""
        self._lent: list[str] = []
        self._prefix = as_user(OWNER) if is_root() else []
        settings = {**FAST, **QUIET, "max_connections": str(max_connections), "listen_addresses": LOOPBACK}
        if durable:
            settings["synchronous_commit"] = "on"
        settings |= {"unix_socket_directories": "", "port": str(self.port), **(more or {})}
        arguments = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        command = [*self._prefix, _tool("postgres"), "-D", str(self._data), *arguments]
        # SIGINT is its "fast" shutdown: it does not wait for clients to leave
        self._daemon = Daemon(command, folder / "postgres.log", stop_signal=signal.SIGINT)

    def start(self) -> None:
        """Create the cluster, the first time, and start it. Raises `ServerError` when that fails."""
        if not self._data.exists():
            self._create()
        self._daemon.start(self._answers)

    def stop(self) -> None:
        self._daemon.stop()

    def restart(self, mode: signal.Signals) -> None:
        """What `pg_ctl restart -m` does: SIGINT is its fast mode, SIGQUIT its immediate one, which is a crash."""
        pid = self._daemon.pid
        os.kill(pid, mode)
        while Path(f"/proc/{pid}").exists():
            time.sleep(0.01)
        self._daemon.stop()
        self._daemon.start(self._answers)

    def new_database(self) -> str:
        """Create an empty database. Returns its URL (postgresql://...)."""
        self._count += 1
        return self._create_database(f"test{self._count}", "template1")

    def new_store(self) -> str:
        """Create a database with the newest schema and nothing in it. Returns its URL (postgresql://...)."""
        self._migrate()
        self._count += 1
        return self._create_database(f"test{self._count}", "migrated")

    @contextlib.contextmanager
    def lent_store(self) -> Iterator[str]:
        """As `new_store`, but it is given back: emptied, unless it was changed or is in use still, and lent again.

        To make one takes a fifth of a second of CPU and ten megabytes, to empty it a hundredth.
        """
        url = self._lent.pop() if self._lent else self.new_store()
        yield url
        with psycopg.connect(url, autocommit=True) as connection:
            as_before = shape_of(connection) == self._shape and empty(connection)
        if as_before:
            self._lent.append(url)
        else:
            self.drop(url)

    def drop(self, url: str) -> None:
        """Remove a database, whoever uses it still."""
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)".encode())

    @property
    def pid(self) -> int:
        """The process id of the postmaster."""
        return self._daemon.pid

    def _migrate(self) -> None:
        if not self._shape:
            url = self._create_database("migrated", "template1")
            migrate(url)
            with psycopg.connect(url) as connection:
                self._shape = shape_of(connection)

    def _create_database(self, name: str, template: str) -> str:
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
        return self._url(name)

    def _url(self, database: str) -> str:
        return f"postgresql://{OWNER}@{LOOPBACK}:{self.port}/{database}"

    def _answers(self) -> bool:
        try:
            psycopg.connect(self._url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _create(self) -> None:
        self._data.mkdir(mode=0o700)
        if is_root():
            shutil.chown(self._data, OWNER)
        options = ["--no-sync", "--auth=trust", f"--username={OWNER}", "--encoding=UTF8", "--locale=C"]
        command = [*self._prefix, _tool("initdb"), "-D", str(self._data), *options]
        done = subprocess.run(command, capture_output=True, text=True, cwd="/", check=False)
        if done.returncode:
            raise ServerError(f"initdb failed: {done.stderr.strip()[-500:]}")


def _tool(name: str) -> str:
    """Debian keeps the server's programs out of PATH, one folder a version: take the newest."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda bin_: float(bin_.parent.name), reverse=True)
    return program(name, *map(str, folders))
