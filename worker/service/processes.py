"""Who does the work that is saved: this process, for a while or until a signal, or others that the broker reaches."""

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from threading import Event

from celery import Celery

from checks.model import Invalid
from settings_store.db import Database
from settings_store.secrets import Vault
from worker import process, tracing
from worker.app import HEALTH, PREFLIGHT, QUEUES, make_app
from worker.config import Config
from worker.finished_runs import finish
from worker.pacing.pacer import Pacer
from worker.resources import Resources
from worker.runs.flow import Flow
from worker.tasks import publisher, register
from worker.watchdog import Overrun


@dataclass
class Processes:
    """Of one service. `stopping` is set once this process is to end."""

    config: Config
    database: Database
    vault: Vault
    stopping: Event = field(default_factory=Event)

    # -- meanwhile

    @contextlib.contextmanager
    def working(self) -> Iterator[None]:
        """Somebody works on runs meanwhile: this process when embedded, else whoever the broker reaches.

        Raises `Unavailable` when the broker does not answer.
        """
        if not self.config.embedded:
            self._require_broker()
            yield
            return
        with process.embedded_workers(self._app_of_runs, [PREFLIGHT], self.stopping):
            yield

    @contextlib.contextmanager
    def serving(self) -> Iterator[None]:
        """Workers of both queues and beat in this process meanwhile. Raises `Unavailable`."""
        with self.telling(), self._serving():
            yield

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Somebody does all that `serve` does meanwhile: whoever is at work, else this process."""
        from settings_store import heartbeats

        with contextlib.ExitStack() as stack:
            with self.database.read() as conn:
                served = heartbeats.all_at_work(conn, self.database.now())
            if not served and self._is_the_only_one(stack):
                stack.enter_context(self._serving())
            yield

    def _is_the_only_one(self, stack: contextlib.ExitStack) -> bool:
        """Whether no `serve` has just begun; as long as `stack` lasts, none begins."""
        try:
            stack.enter_context(self.alone())
        except Invalid:
            return False
        return True

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Holds the lock of the database's file, where there is one. Raises `Invalid` when another process has it."""
        path = self._database_file
        with process.only_one(path.with_name(path.name + ".serve")) if path else contextlib.nullcontext():
            yield

    @contextlib.contextmanager
    def telling(self) -> Iterator[None]:
        """Prometheus gets this process's metrics meanwhile, where a port is set, and whoever wants them its traces.

        Raises `Invalid` when the port is taken, or traces cannot be made.
        """
        from worker.metrics import counters

        port = self.config.metrics_port
        with (
            tracing.exporting(),
            counters.serve(port, self.config.metrics_host, self.database) if port else contextlib.nullcontext(),
        ):
            yield

    @contextlib.contextmanager
    def _serving(self) -> Iterator[None]:
        self._require_broker()
        from worker.changes.watch import begin_watches

        with process.embedded_workers(self.app, QUEUES, self.stopping):
            self.flow.sweep()
            begin_watches(self.flow.resources)
            with process.beat(self.app):
                yield
        if self.config.embedded:
            from settings_store import heartbeats

            with self.database.begin() as conn:
                heartbeats.forget(conn)

    # -- until a signal

    def work(self, queue: str) -> None:
        """A worker of one queue, until SIGTERM or SIGINT. Raises `Unavailable` when the broker does not answer.

        Raises `Invalid` where it is to be an egress's that there is none of.
        """
        from worker.egress.egresses import at_egress, queue_at

        if self.config.egress:
            at_egress(self.config, self.config.egress)
        self._require_broker()
        with self.telling():
            process.work(self.app, queue_at(queue, self.config.egress), self.stopping)

    def beat(self) -> None:
        """The scheduler alone, until SIGTERM or SIGINT."""
        self._require_broker()
        self.flow.sweep()
        with process.beat(self.app):
            process.wait_for_signal(self.stopping)

    def wait(self) -> None:
        """Comes back at SIGTERM or SIGINT."""
        process.wait_for_signal(self.stopping)

    # -- before that

    def quarantine(self, overruns: Iterable[Overrun]) -> None:
        """Leaves the endpoints alone for an hour that cost the last process of this worker its life."""
        from settings_store.runs import quarantine

        with self.database.begin() as conn:
            for item in overruns:
                quarantine.add(conn, item.endpoint, item.work, self.database.now())

    def require_workers(self) -> None:
        """Raises `Invalid` where no other process could work on what this one saves, `Unavailable` as a worker does."""
        if self.config.embedded:
            raise Invalid(
                "`mail-preflight web` is for the distributed mode and MAIL_PREFLIGHT_BROKER_URL names no broker; "
                "`mail-preflight serve` answers the API and works in one process"
            )
        self._require_broker()

    def _require_broker(self) -> None:
        if not self.config.embedded:
            from worker import broker

            broker.require(self.config.broker_url.get_secret_value())

    @property
    def _database_file(self) -> Path | None:
        from sqlalchemy.engine import make_url

        url = make_url(self.config.database_url.get_secret_value())
        return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None

    # -- what they work with

    @cached_property
    def app(self) -> Celery:
        """The Celery app, with its tasks."""
        from worker.health_tasks import register_health

        register_health(self._app_of_runs, self.flow)
        return self._app_of_runs

    @cached_property
    def _app_of_runs(self) -> Celery:
        """The same app with the tasks of runs alone: what a verification needs, in half the time to import."""
        app = self._bare_app
        register(app, self.flow)
        return app

    @cached_property
    def _bare_app(self) -> Celery:
        return make_app(self.config)

    @cached_property
    def flow(self) -> Flow:
        """The use cases of runs."""
        resources = Resources(
            self.database,
            self.vault,
            self.config,
            publisher(self._bare_app),
            self.database.now,
            stopping=self.stopping,
            shared_pacer=None if self.config.embedded else self._redis_pacer(),
            publish_health=publisher(self._bare_app, HEALTH),
        )
        return Flow(resources, finish)

    def _redis_pacer(self) -> Pacer:
        from worker.pacing.redis_pacer import RedisPacer  # with the client of Redis, which takes long to import

        return RedisPacer(self.config.broker_url.get_secret_value(), self.config.logins_at_once)
