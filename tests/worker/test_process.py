"""How a working process is asked to end."""

import subprocess
import sys

PROGRAM = """
import os, signal, threading
from worker.process import wait_for_signal

class Asked(threading.Event):
    def wait(self, timeout=None):
        with self._cond:  # where the main thread is for a moment whenever it begins to wait
            os.kill(os.getpid(), signal.{signal})
        return super().wait(timeout)

wait_for_signal(Asked())
print("ends")
"""


def ending(signal: str) -> str:
    command = [sys.executable, "-c", PROGRAM.format(signal=signal)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


def test_a_signal_in_the_moment_in_which_the_wait_begins() -> None:
    """Given a thread that holds the very lock that a signal's handler would want, then neither waits for the other."""
    assert [ending("SIGTERM"), ending("SIGINT")] == ["ends\n", "ends\n"]
