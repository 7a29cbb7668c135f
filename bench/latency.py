"""How soon after a save the first connection comes, when the workers are idle."""

import contextlib
import queue
import socket
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from pydantic import SecretStr

from bench.field import HOST, say
from bench.plan import Void
from bench.service import Backends, Service, distributed, embedded
from checks.model import Endpoint, Protocol, Security
from checks.settings import ImapSettings
from settings_store.audit import SERVICE
from settings_store.secrets import new_key
from worker.config import Config
from worker.service.preflight import Preflight

_IDLE_SECONDS = 0.5
_PATIENCE = 20.0


@dataclass(frozen=True, slots=True)
class Latency:
    """Medians in seconds, from the call that saves to the accepted connection."""

    embedded: float
    distributed: float


class Door:
    """A listening socket that notes when somebody comes, and closes at once."""

    def __init__(self) -> None:
        self._listener = socket.create_server((HOST, 0))
        self._came: queue.SimpleQueue[float] = queue.SimpleQueue()
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._watch, name="door", daemon=True).start()

    def _watch(self) -> None:
        with contextlib.suppress(OSError):  # closed: the bench is done with it
            while True:
                visitor, _ = self._listener.accept()
                self._came.put(time.monotonic())
                visitor.close()

    def forget(self) -> None:
        """Nobody has come so far."""
        while not self._came.empty():
            self._came.get()

    def first(self) -> float:
        """When the first visitor came, by `time.monotonic`. Raises `Void` when nobody does."""
        try:
            return self._came.get(timeout=_PATIENCE)
        except queue.Empty:
            raise Void(f"no connection came within {_PATIENCE:.0f} seconds of a save") from None

    def close(self) -> None:
        """Nobody is let in any more."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


def measure_latency(folder: Path, backends: Backends, saves: int) -> Latency:
    """Saves `saves` changes in each mode, each when the one before is done and the workers have been idle."""
    with contextlib.closing(Door()) as door:
        with embedded(folder) as service:
            alone = _median_of_saves(config_of(service, new_key()), door, saves)
            say(f"  one process: {alone * 1000:.0f} ms")
        with distributed(folder, backends) as service:
            key = service.environment["MAIL_PREFLIGHT_SECRET_KEY"]
            together = _median_of_saves(config_of(service, key, backends.redis.url), door, saves)
            say(f"  two workers: {together * 1000:.0f} ms")
    return Latency(alone, together)


def config_of(service: Service, key: str, broker_url: str = "memory://") -> Config:
    """The configuration that a service of the bench has, for this process."""
    return Config(
        database_url=SecretStr(service.database_url), broker_url=SecretStr(broker_url), secret_key=SecretStr(key)
    )


def _median_of_saves(config: Config, door: Door, saves: int) -> float:
    with Preflight.open(config) as preflight, preflight.processes.working():
        return median(seconds_to_connect(preflight, door) for _ in range(saves))


def seconds_to_connect(preflight: Preflight, door: Door) -> float:
    """Saves a change after a moment; how long after the save somebody is at the door. Waits for the run's end."""
    time.sleep(_IDLE_SECONDS)
    door.forget()
    account = preflight.account(actor=SERVICE)
    begun = time.monotonic()
    saved = account.changes.save("door.example", _settings(door.port))
    took = door.first() - begun
    for _ in account.runs.follow(saved.run_id, _PATIENCE):
        pass
    return took


def _settings(port: int) -> ImapSettings:
    return ImapSettings(
        imap=Endpoint(Protocol.IMAP, HOST, port, Security.TLS), smtp=Endpoint(Protocol.SMTP, HOST, port, Security.TLS)
    )
