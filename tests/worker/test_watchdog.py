"""Whoever computes beyond the deadline is ended from outside and begun anew; who waits is not."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="the watchdog needs Linux")


@contextlib.contextmanager
def program(what: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.worker.overrun_program", what]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == "begun\n"
            yield process
        finally:
            process.kill()


def worker_of(process: subprocess.Popen[str]) -> int:
    return int(Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()[0])


def is_there(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("what", ["python", "c"])
def test_who_computes_is_ended_and_the_next_is_told(what: str) -> None:
    """With the interpreter's lock held in C no thread of the process itself could have noticed."""
    with program(what) as process:
        out, err = process.communicate(timeout=60)

    assert (process.returncode, out) == (5, "endpoint check of imap://mail.example:993\n")
    assert "imap://mail.example:993 computes beyond its deadline; the worker starts anew" in err
    assert f"compute_in_{what}" in err  # where it was


def test_who_only_waits_is_left_alone() -> None:
    with program("wait") as process:
        _, err = process.communicate(timeout=60)

    assert (process.returncode, err) == (7, "")


def test_a_signal_is_passed_on() -> None:
    with program("long") as process:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)

    assert process.returncode == 128 + signal.SIGTERM


def test_the_worker_dies_with_the_one_that_looks_after_it() -> None:
    with program("long") as process:
        worker = worker_of(process)
        process.kill()
        process.wait(10)
        end = time.monotonic() + 20
        while is_there(worker) and time.monotonic() < end:
            time.sleep(0.05)

        assert not is_there(worker)
