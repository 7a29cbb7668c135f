"""The machine fails in the middle of a run: what was done is kept, and the run goes on when there is room again."""

import contextlib
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from tests.flows.harness import Program, System, account_of, outcome, settings_of, stored, wait_for
from tests.flows.test_deaths import (
    COUNT,
    DOMAIN,
    SLOW,
    assert_as_ever,
    assert_nobody_twice,
    saved_run,
    wait_for_the_middle,
)
from tests.servers.lab import MailLab
from tests.servers.process import is_root

pytestmark = pytest.mark.skipif(not is_root(), reason="Postfix can only be started by root")
DISK = 4 * 1024 * 1024


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system with room for a small database."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this machine does not let us mount a file system")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


@contextlib.contextmanager
def full(place: Path) -> Iterator[None]:
    """Nothing more fits on the file system meanwhile."""
    filler = place / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    yield
    filler.unlink()


def test_the_disk_fills(embedded_system: System, lab: MailLab, small_disk: Path) -> None:
    """Given a disk that fills while mailboxes log in, then one line says so, and with space the run ends as ever."""
    embedded_system.database_url = f"sqlite:///{small_disk}/preflight.db"
    with saved_run(embedded_system, lab) as (preflight, saved), embedded_system.start("serve", **SLOW) as serve:
        known = wait_for_the_middle(preflight, saved.run_id)
        with full(small_disk):
            wait_for(lambda: "until they can be stored" in serve.words, f"it says so: {serve.words}")
            held = len(stored(preflight, saved.run_id))
            refused = embedded_system.command("domains", "pause", DOMAIN)
        found = outcome(preflight, saved)
        words = serve.words

    assert held < COUNT
    assert (refused.status, refused.out, refused.err.count("\n")) == (5, "", 1)
    assert "is full" in refused.err
    assert_as_ever(found)
    assert_nobody_twice(lab, known, most=1)
    assert "Traceback" not in words


def test_postgresql_takes_nothing_for_a_while(own_system: System, lab: MailLab) -> None:
    """As in a switch to a standby: sessions end, and those that follow may only read."""
    name = own_system.database_url.rpartition("/")[2]
    with own_system.working(2, **SLOW) as workers, saved_run(own_system, lab) as (preflight, saved):
        known = wait_for_the_middle(preflight, saved.run_id)
        _set_read_only(own_system.database_url, name, "on")
        wait_for(lambda: any("read-only" in worker.words for worker in workers), "a worker says so")
        _set_read_only(own_system.database_url, name, "off")
        found = outcome(preflight, saved)
        words = "".join(worker.words for worker in workers)

    assert_as_ever(found)
    assert_nobody_twice(lab, known)
    assert "Traceback" not in words


def _set_read_only(url: str, name: str, value: str) -> None:
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute("SET default_transaction_read_only = off")
        admin.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = {value}".encode())
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()",
            (name,),
        )


def test_redis_has_no_room(own_system: System, lab: MailLab, redis_url: str) -> None:
    """Given a Redis at `maxmemory`, then a worker stays, or ends so that it is started again, and nothing is lost."""
    with (
        own_system.working(1, **SLOW) as (worker,),
        own_system.start("beat") as beat,
        saved_run(own_system, lab) as (preflight, saved),
        redis.Redis.from_url(redis_url) as broker,
    ):
        wait_for_the_middle(preflight, saved.run_id)
        broker.config_set("maxmemory", "1")
        try:
            again = account_of(preflight).changes.save(
                "room.example", settings_of(lab)
            )  # is stored, though nobody can be told
            time.sleep(5)  # lanes end meanwhile, and none can be asked for
            assert account_of(preflight).runs.progress(again.run_id).stage == "queued"
        finally:
            broker.config_set("maxmemory", "0")
        with contextlib.ExitStack() as stack:
            kept = [_Kept(own_system, program, stack) for program in (worker, beat)]

            def finished() -> bool:
                for each in kept:
                    each.look()
                return account_of(preflight).runs.progress(again.run_id).stage == "finished"

            wait_for(finished, "it goes on", 100)
            found = outcome(preflight, saved)

    assert_as_ever(found)


class _Kept:
    """A program that is started again where it has failed as it should, now or in a moment."""

    def __init__(self, system: System, program: Program, stack: contextlib.ExitStack) -> None:
        self._system, self._program, self._stack = system, program, stack

    def look(self) -> None:
        """Starts another one where the last has ended; one that ends as if all were well is an error."""
        if self._program.process.poll() is not None:
            assert self._program.process.returncode != 0, self._program.words
            self._program = self._stack.enter_context(self._system.start(*self._program.arguments))
