"""Availability and latency as they are drawn: blocks on a terminal that can, plain characters anywhere else."""

import os
import pty
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cli.reports.bars import bars, percent, sparkline
from settings_store.health.history import Bucket
from tests.cli.planted import HOUR, Planted
from worker.health.endpoint_document import BucketDocument
from worker.health.endpoint_wording import bucket_document

BLOCKS = re.compile("[▁▂▃▄▅▆▇█]")


class TestDrawings:
    def plant(self, planted: Planted) -> None:
        if planted.now % HOUR > HOUR - 30:  # a command of its own process has the real time, and another hour soon
            time.sleep(31)
            planted.now += 31
        domain_id = planted.healthy()
        planted.hours(domain_id, range(24, 120))
        planted.hours(domain_id, range(5, 24), ms_sum=240.0)
        planted.hours(domain_id, [4], ok=6, fail=6, ms_sum=600.0, ms_max=150.0)
        planted.hours(domain_id, [3], ok=0, fail=12, ms_sum=0.0, ms_max=0.0)
        planted.hours(domain_id, [2], ok=0, inconclusive=12, ms_sum=0.0, ms_max=0.0)
        planted.hours(domain_id, [0])

    def test_plain_where_no_terminal_reads(self, planted: Planted) -> None:
        self.plant(planted)

        out = planted.run("health", "demo.example").out

        assert "Available 24 h     ###################50?.#  93.18 %; without a clear answer: 12\n" in out
        assert "Latency 24 h       00000000000000000009...0  20 to 100 ms, 150 at most\n" in out
        assert "Available 30 days  .........................####9" in out
        assert not BLOCKS.search(out)

    def test_blocks_and_colours_on_a_terminal(self, planted: Planted) -> None:
        self.plant(planted)

        out = on_terminal(planted)

        assert "███████████████████" in out
        assert "▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁█···▁" in out
        assert "\x1b[32m" in out

    @pytest.mark.parametrize("given", [{"NO_COLOR": "1"}, {"PYTHONIOENCODING": "ascii"}, {"TERM": "dumb"}])
    def test_plain_on_a_terminal_that_cannot_or_shall_not(self, planted: Planted, given: dict[str, str]) -> None:
        self.plant(planted)

        out = on_terminal(planted, **given)

        assert "###################50?.#" in out
        assert not BLOCKS.search(out)
        assert "PYTHONIOENCODING" in given or not re.search(r"\x1b\[[\d;]*3[1-7]m", out)  # no colours

    def test_full_is_all_and_nothing_else(self) -> None:
        shares = [bucket(ok=100_000), bucket(ok=99_999, fail=1), bucket(fail=5), bucket(inconclusive=2), bucket()]

        assert "".join(text for text, _ in bars(shares, blocks=True)) == "█▇▁?·"
        assert "".join(text for text, _ in bars(shares, blocks=False)) == "#90?."
        assert [percent(item.availability) for item in shares] == ["100 %", "99.99 %", "0 %", "-", "-"]

    def test_sparkline(self) -> None:
        assert sparkline([], blocks=True) == ""
        assert sparkline([None, None], blocks=False) == ".."
        assert sparkline([5.0, 5.0], blocks=True) == "▁▁"
        assert sparkline([0.0, None, 50.0, 100.0], blocks=True) == "▁·▅█"


def bucket(**values: int) -> BucketDocument:
    return bucket_document(Bucket(0.0, **values))


def on_terminal(planted: Planted, **variables: str) -> str:
    """What the command writes to a terminal of its own."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "TZ") if name in os.environ}
    given = {"MAIL_PREFLIGHT_DATABASE_URL": planted.url, "MAIL_PREFLIGHT_SECRET_KEY": planted.key}
    environment = inherited | given | {"TERM": "xterm", "COLUMNS": "120", "PYTHONIOENCODING": "utf-8"} | variables
    controller, terminal = pty.openpty()
    program = [sys.executable, "-c", "from cli.main import main; main()", "health", "demo.example"]
    root = Path(__file__).parents[3]
    with subprocess.Popen(
        program, stdin=terminal, stdout=terminal, stderr=terminal, env=environment, cwd=root
    ) as process:
        os.close(terminal)
        written = b""
        while chunk := _read(controller):
            written += chunk
        assert process.wait(20) == 0
    os.close(controller)
    return written.decode()


def _read(controller: int) -> bytes:
    try:
        return os.read(controller, 65536)
    except OSError:  # the other end is closed
        return b""
