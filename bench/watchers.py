"""What many watchers of one run's events cost the server, and how soon they see news.

The run's results are written as its lanes write them, but nobody logs in: what is measured is the server's process,
which is one of its own.
"""

import selectors
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

from pydantic import SecretStr

from bench.field import HOST, say
from bench.meter import cpu_seconds
from bench.plan import Void
from bench.service import Backends
from bench.web_service import serving
from bench.written_run import WrittenRun, written_in
from settings_store.access.api_keys import KeyRequest
from settings_store.audit import SERVICE
from settings_store.secrets import new_key
from worker.config import Config
from worker.service.preflight import Preflight

CORE, SECONDS = 0.10, 1.0
_READY_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Watched:
    """`core` is the share of one core that the server took; `lags` are seconds from a commit to each watcher."""

    database: str
    watchers: int
    mailboxes: int
    core: float
    alone: float
    lags: Sequence[float]


def measure_watchers(folder: Path, backends: Backends, watchers: int, seconds: float) -> list[Watched]:
    """One run in each database. Raises `Void` where a watcher misses an event."""
    own = folder / "watchers"
    own.mkdir()
    urls = {"SQLite": f"sqlite:///{own}/preflight.db", "PostgreSQL": backends.postgres.new_database()}
    return [_measure(name, url, watchers, seconds, own) for name, url in urls.items()]


def _measure(name: str, url: str, watchers: int, seconds: float, folder: Path) -> Watched:
    key = new_key()
    with Preflight.open(Config(database_url=SecretStr(url), secret_key=SecretStr(key))) as preflight:
        run = WrittenRun(preflight, written_in(seconds), folder)
        api_key = preflight.account(actor=SERVICE).access.create_key(KeyRequest("bench"))[1].text
        with serving("bench.watchers_program", url, key, WEB_WAITING=str(watchers + 10)) as (pid, address):
            alone, _ = _watch(pid, run, _Crowd(address, run.change_id, api_key, 1), seconds / 4)
            core, lags = _watch(pid, run, _Crowd(address, run.change_id, api_key, watchers), seconds * 3 / 4)
    say(f"  {name}: {core:.3f} of a core, the latest news after {max(lags):.2f} s")
    return Watched(name, watchers, run.total, core, alone, lags)


def _watch(pid: int, run: WrittenRun, crowd: "_Crowd", seconds: float) -> tuple[float, list[float]]:
    with crowd:
        before, begun = cpu_seconds([pid]), time.monotonic()
        told = run.go_on(seconds)
        time.sleep(SECONDS)
        core = (cpu_seconds([pid]) - before) / (time.monotonic() - begun)
    return core, crowd.lags(told)


class _Crowd:
    """Watchers of a change, each with a connection of its own, read by one thread."""

    def __init__(self, address: str, change_id: str, api_key: str, count: int) -> None:
        url = urlsplit(address)
        self._place = (url.hostname or HOST, url.port or 0)
        self._ask = (
            f"GET /v1/changes/chg_{change_id}/events HTTP/1.1\r\nHost: {url.netloc}\r\n"
            f"Authorization: Bearer {api_key}\r\nAccept: text/event-stream\r\n\r\n"
        ).encode()
        self._count, self._ended = count, threading.Event()
        self._came: list[dict[int, float]] = [{} for _ in range(count)]
        self._selector = selectors.DefaultSelector()
        self._thread = threading.Thread(target=self._read, name="crowd", daemon=True)

    def __enter__(self) -> None:
        for number in range(self._count):
            connection = socket.create_connection(self._place, timeout=_READY_SECONDS)
            connection.sendall(self._ask)
            connection.setblocking(False)
            self._selector.register(connection, selectors.EVENT_READ, number)
        self._thread.start()
        give_up = time.monotonic() + _READY_SECONDS
        while not all(self._came) and time.monotonic() < give_up:
            time.sleep(0.05)

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr] # the sockets of above
        self._selector.close()

    def lags(self, told: dict[int, float]) -> list[float]:
        """Seconds from each commit to each watcher. Raises `Void` where one has not seen one."""
        missing = sum(1 for came in self._came for seq in told if seq not in came)
        if missing:
            raise Void(f"{missing} times a watcher has not seen an event")
        return [came[seq] - at for came in self._came for seq, at in told.items()]

    def _read(self) -> None:
        while not self._ended.is_set():
            for key, _ in self._selector.select(0.1):
                text, now = key.fileobj.recv(65536), time.monotonic()  # type: ignore[union-attr] # as above
                for line in text.split(b"\n"):
                    if line.startswith(b"id: evt_"):
                        self._came[key.data].setdefault(int(line[8:20]), now)


def watchers_table(found: Sequence[Watched]) -> Iterator[str]:
    """The lines of the table."""
    yield (
        f"| {found[0].watchers} watchers of one run's events | CPU of the server, of one core | with one watcher | "
        "news: median, latest | target |"
    )
    yield "|---|---:|---:|---:|---|"
    for each in found:
        core = _held(each.core, CORE, f"{each.core * 100:.1f} %")
        latest = _held(max(each.lags), SECONDS, f"{max(each.lags) * 1000:.0f} ms")
        news = f"{median(each.lags) * 1000:.0f} ms, {latest}"
        yield f"| {each.database} | {core} | {each.alone * 100:.1f} % | {news} | < {CORE:.0%}, < {SECONDS:.0f} s |"


def _held(value: float, limit: float, told: str) -> str:
    return told if value < limit else f"**{told}, missed**"
