"""The API as processes: `serve` with workers and beat, `web` by itself. How they begin, and how they end."""

import contextlib
import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import sqlalchemy as sa

from settings_store import schema
from settings_store.access.api_keys import KeyRequest
from settings_store.secrets import new_key
from tests.flows.harness import Program, System, wait_for
from tests.web.api import ANNA

HOST = "127.0.0.1"
BODY = (
    b'{"settings": {"kind": "imap", "imap": {"host": "imap.invalid", "port": 993},'
    b' "smtp": {"host": "smtp.invalid", "port": 465}}}'
)


@pytest.fixture
def system(tmp_path: Path) -> System:
    return System("embedded", tmp_path, f"sqlite:///{tmp_path}/p.db", "memory://", new_key())


def free_port() -> int:
    with socket.create_server((HOST, 0)) as server:
        return int(server.getsockname()[1])


def answers(port: int, program: Program) -> bool:
    assert program.process.poll() is None, program.words
    with contextlib.suppress(requests.RequestException):
        return requests.get(f"http://{HOST}:{port}/readyz", timeout=5).status_code == 200
    return False


def catches_sigterm(pid: int) -> bool:
    """Whether a process has a handler for SIGTERM by now (proc(5), status)."""
    caught = re.search(r"^SigCgt:\s*(\w+)", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return caught is not None and bool(int(caught[1], 16) >> (signal.SIGTERM - 1) & 1)


@contextlib.contextmanager
def serving(system: System, *arguments: str) -> Iterator[tuple[Program, int]]:
    """A process that answers, and its port."""
    port = free_port()
    with system.start(*(arguments or ("serve",)), WEB_PORT=str(port)) as program:
        wait_for(lambda: answers(port, program), "the API answers")
        wait_for(lambda: catches_sigterm(program.pid), "it can be asked to end")
        yield program, port


def half_a_request(port: int, key: str) -> socket.socket:
    """A save whose body has not come yet: a request in flight for as long as we like."""
    head = (
        f"POST /v1/domains/example.com/changes HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(BODY)}\r\n\r\n"
    )
    connection = socket.create_connection((HOST, port), timeout=30)
    connection.sendall(head.encode() + BODY[:20])
    return connection


def all_of(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(65536), b""))


def closed(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=1):
        return False
    return True


def new_api_key(system: System) -> str:
    with system.open() as preflight:
        return preflight.account(actor=ANNA).access.create_key(KeyRequest(name="test"))[1].text


def saved(system: System) -> int:
    """How many changes there are."""
    with system.open() as preflight, preflight.database.read() as conn:
        return int(conn.execute(sa.select(sa.func.count()).select_from(schema.changes)).scalar_one())


class TestServe:
    def test_from_nothing_it_says_where_it_answers_and_how_to_make_a_key(self, system: System) -> None:
        """Given no store at all, `serve` makes one and answers; a request in flight at SIGTERM is finished."""
        with serving(system) as (program, port):
            assert f"the HTTP API answers at http://{HOST}:{port}" in program.words
            assert "`mail-preflight api-keys create NAME`" in program.words
            key = new_api_key(system)
            with half_a_request(port, key) as connection:
                program.process.send_signal(signal.SIGTERM)
                wait_for(lambda: closed(port), "nobody is let in any more")
                assert program.process.poll() is None
                connection.sendall(BODY[20:])
                answer = all_of(connection)
            assert program.process.wait(45) == 0, program.words

        assert answer.startswith(b"HTTP/1.1 201 "), answer
        assert "Traceback" not in program.words
        assert saved(system) == 1

    def test_a_port_that_is_taken_is_one_line(self, system: System) -> None:
        with socket.create_server((HOST, 0)) as taken:
            port = taken.getsockname()[1]
            said = system.command("serve", WEB_PORT=str(port))
        assert said.status == 2
        assert said.err.count("\n") == 1, said.err
        assert f"nothing can listen at {HOST}:{port}" in said.err

    def test_without_a_port_there_is_no_api(self, system: System) -> None:
        with system.start("serve", WEB_PORT="") as program:
            wait_for(lambda: catches_sigterm(program.pid), "it works")
            wait_for(lambda: (system.folder / "p.db.serve").exists(), "it has begun")
            program.terminate()
        assert "HTTP API" not in program.words


class TestWeb:
    def test_is_for_the_distributed_mode(self, system: System) -> None:
        said = system.command("web", WEB_PORT=str(free_port()))
        assert (said.status, said.out) == (2, "")
        assert "MAIL_PREFLIGHT_BROKER_URL names no broker" in said.err

    def test_ends_politely_at_the_first_signal_and_at_once_at_the_second(
        self, tmp_path: Path, redis_url: str, new_postgres_store: str
    ) -> None:
        """Given a request in flight: SIGTERM lets it come to its end; a second one does not, and nothing is halved."""
        system = System("distributed", tmp_path, new_postgres_store, redis_url)
        key = new_api_key(system)
        with serving(system, "web") as (program, port), half_a_request(port, key) as connection:
            program.process.send_signal(signal.SIGTERM)
            wait_for(lambda: closed(port), "nobody is let in any more")
            connection.sendall(BODY[20:])
            assert all_of(connection).startswith(b"HTTP/1.1 201 ")
            assert program.process.wait(45) == 0, program.words
        assert saved(system) == 1
        with serving(system, "web") as (program, port), half_a_request(port, key):
            assert "api-keys create" not in program.words, "there is a key"
            program.process.send_signal(signal.SIGTERM)
            wait_for(lambda: closed(port), "nobody is let in any more")
            program.process.send_signal(signal.SIGTERM)
            assert program.process.wait(5) == 128 + signal.SIGTERM
        assert saved(system) == 1
