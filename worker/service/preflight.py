"""What the command and the API call: the use cases, each one a method."""

import contextlib
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from threading import Event
from typing import Self

from celery import Celery
from sqlalchemy.engine import make_url

from checks.messages import Language
from checks.model import EndpointResult, Invalid, Unavailable
from checks.settings import Settings, normalise_domain
from settings_store import audit, domains
from settings_store.alerts.channel_keys import rotate_urls
from settings_store.audit import SERVICE, Actor, Entry
from settings_store.changes import applying, changes
from settings_store.changes.changes import Change, Saved
from settings_store.changes.watches import Watch
from settings_store.db import Database
from settings_store.domains import DomainSummary
from settings_store.mailboxes import restraint
from settings_store.mailboxes.csv_file import read_csv
from settings_store.mailboxes.mailboxes import ImportCounts, import_mailboxes, rotate_credentials
from settings_store.runs import endpoints as run_endpoints
from settings_store.runs import outcomes, quarantine, runs
from settings_store.runs.runs import Stage
from settings_store.secrets import Vault, load_or_create_key_file
from worker import broker, process
from worker.app import HEALTH, PREFLIGHT, QUEUES, make_app
from worker.changes.report import Report, with_findings
from worker.config import Config
from worker.finished_runs import finish
from worker.metrics import counters
from worker.pacing.pacer import RedisPacer
from worker.resources import Resources
from worker.runs.endpoints import results_of
from worker.runs.flow import Flow
from worker.service.supervision import Supervision
from worker.tasks import publisher, register
from worker.watchdog import Overrun

_POLL_SECONDS = 0.05
_TALLY_SECONDS = 0.25
_STALL_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is. `total` is 0 until it is planned."""

    stage: Stage
    endpoints: tuple[EndpointResult, ...]
    total: int
    ok: int
    fail: int
    inconclusive: int

    @property
    def done(self) -> int:
        """Mailboxes with a verdict."""
        return self.ok + self.fail + self.inconclusive


@dataclass(frozen=True, slots=True)
class Applied:
    """A change that took effect."""

    domain: str
    settings: Settings
    will_disconnect: int


@dataclass
class Preflight(Supervision):
    """The service of one account."""

    config: Config
    database: Database
    vault: Vault
    account_id: int
    stopping: Event = field(default_factory=Event)

    @classmethod
    def open(cls, config: Config) -> Self:
        """Opens the database, brings it to the newest schema, and reads the key. Raises `Invalid`."""
        database = Database(config.database_url.get_secret_value())
        database.migrate()
        with database.begin() as conn:
            account_id = domains.ensure_account(conn)
        return cls(config, database, Vault(_keys(config)), account_id)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.database.close()

    # -- settings and mailboxes

    def import_mailboxes(self, domain: str, path: Path) -> ImportCounts:
        """The mailboxes of a CSV file, all or none. Raises `Invalid` that names row and field."""
        rows = read_csv(path, normalise_domain(domain))
        with self.database.begin() as conn:
            domain_id = domains.ensure_domain(conn, self.account_id, domain)
            return import_mailboxes(conn, domain_id, rows, self.vault, self.database.now())

    def save(self, domain: str, settings: Settings, actor: Actor = SERVICE) -> Saved:
        """Saves a change with its run, then asks for the run. Saving never fails because a server is down."""
        with self.database.begin() as conn:
            domain_id = domains.ensure_domain(conn, self.account_id, domain)
            saved = changes.save(conn, domain_id, settings, self.database.now(), actor)
        self.flow.resources.publish("start_run", saved.run_id)
        return saved

    def domains(self) -> list[DomainSummary]:
        """The account's domains."""
        with self.database.read() as conn:
            return domains.list_domains(conn, self.account_id)

    def rotate_keys(self) -> int:
        """Encrypts every credential, and every alert channel's URL, with the first key. Returns how many there were."""
        return rotate_urls(self.database, self.vault) + rotate_credentials(self.database, self.vault)

    # -- the run

    @contextlib.contextmanager
    def working(self) -> Iterator[None]:
        """Somebody works on runs meanwhile: this process when embedded, else whoever the broker reaches.

        Raises `Invalid` when the broker does not answer.
        """
        if not self.config.embedded:
            self._require_broker()
            yield
            return
        with process.embedded_workers(self.app, [PREFLIGHT], self.stopping):
            yield

    def follow(self, run_id: str, timeout: float | None = None) -> Iterator[Progress]:
        """The run's progress, two to four times a second and once at its end. Sweeps when the run stalls.

        Raises `TimeoutError` after `timeout` seconds.
        """
        begun = told = swept = time.monotonic()
        rhythm = _TALLY_SECONDS
        yield self.progress(run_id)
        while not self._ended(run_id):
            now = time.monotonic()
            if timeout is not None and now - begun > timeout:
                raise TimeoutError(f"run {run_id} has not ended in {timeout:.0f} seconds")
            if now - swept > _STALL_SECONDS:
                swept = now
                # Whoever reads it may go on where nobody can write, as when the disk is full.
                with contextlib.suppress(Unavailable):
                    self.flow.sweep(run_id)
            if now - told > rhythm:
                told, progress = now, self.progress(run_id)
                # Counting takes longer the more there is: a hundredth of the time is enough for it. But there is news
                # within a second, however many there are.
                rhythm = min(0.5, max(_TALLY_SECONDS, progress.total * 1e-4))
                yield progress
            time.sleep(_POLL_SECONDS)
        yield self.progress(run_id)

    def progress(self, run_id: str) -> Progress:
        """How far a run is."""
        with self.database.read() as conn:
            tally = outcomes.tally(conn, run_id)
            endpoints = results_of(run_endpoints.documents(conn, run_id, runs.CANDIDATE))
        return Progress(tally.stage, endpoints, tally.total, tally.ok, tally.fail, tally.inconclusive)

    def _ended(self, run_id: str) -> bool:
        with self.database.read() as conn:
            run = runs.get(conn, run_id)
        return run is None or run.stage in runs.ENDED

    def report(self, change_id: str, language: Language = Language.EN) -> Report:
        """The report of a change. Raises `Invalid` for an unknown change and for a run that has not finished."""
        with self.database.read() as conn:
            change = changes.get(conn, change_id)
            run = runs.of_change(conn, change_id)
            if run is None or run.counts is None:
                raise Invalid(f"change {change_id} has no report: it is {change.state}")
            endpoints = results_of(run_endpoints.documents(conn, run.id, runs.CANDIDATE))
            endpoints = with_findings(endpoints, run.stop_code, sum(run.counts.values()))
        return Report(
            change_id=change_id,
            run_id=run.id,
            domain=change.domain,
            endpoints=endpoints,
            counts=run.counts,
            checksum=run.checksum or "",
            stop_code=run.stop_code,
            stop_detail=run.stop_detail,
            database=self.database,
            language=language,
        )

    def apply(
        self,
        change_id: str,
        accept_disconnects: int | None = None,
        *,
        checksum: str | None = None,
        actor: Actor = SERVICE,
        watch: Watch | None = None,
    ) -> Applied:
        """Puts a change in force, or raises `Refused` with the reason and leaves all as it was.

        Afterwards the mailboxes are watched for the configured time, unless `watch` says otherwise.
        """
        max_age = self.config.report_minutes * 60
        watch = watch or Watch(self.config.watch_minutes * 60)
        with self.database.begin() as conn:
            change = changes.get(conn, change_id)
            count = applying.apply(
                conn,
                change,
                accept_disconnects,
                self.database.now(),
                max_age,
                checksum=checksum,
                actor=actor,
                watch=watch,
            )
            return Applied(change.domain, domains.load_settings(conn, change.settings_id), count)

    def roll_back(self, change_id: str, actor: Actor = SERVICE) -> Change:
        """Puts the settings in force again that were before the change. Raises `Refused`."""
        with self.database.begin() as conn:
            return applying.roll_back(conn, change_id, self.database.now(), actor)

    def discard(self, change_id: str, actor: Actor = SERVICE) -> Change:
        """Gives an unapplied change up. Raises `Refused`."""
        with self.database.begin() as conn:
            return changes.discard(conn, change_id, self.database.now(), actor)

    def cancel(self, change_id: str, actor: Actor = SERVICE) -> Change:
        """Ends a verification under way. Raises `Refused`."""
        with self.database.begin() as conn:
            return changes.cancel(conn, change_id, self.database.now(), actor)

    def reopen(self, change_id: str, actor: Actor = SERVICE) -> Change:
        """Takes a superseded or discarded change up again. Raises `Refused`."""
        with self.database.begin() as conn:
            return changes.reopen(conn, change_id, self.database.now(), actor)

    def verify_again(self, change_id: str, actor: Actor = SERVICE) -> Saved:
        """Verifies a change anew. Raises `Refused`."""
        with self.database.begin() as conn:
            saved = Saved(change_id, changes.verify(conn, changes.get(conn, change_id), self.database.now(), actor))
        self.flow.resources.publish("start_run", saved.run_id)
        return saved

    def resume(self, change_id: str, actor: Actor = SERVICE) -> Saved:
        """Goes on with the mailboxes that the change's run has left untried. Raises `Invalid` where there are none."""
        with self.database.begin() as conn:
            run = changes.resume(
                conn,
                change_id,
                self.config.canaries,
                self.database.now(),
                self.config.report_minutes * 60,
                actor,
            )
        self.flow.resources.publish("run_page", run.id)
        return Saved(change_id, run.id)

    def history(self, change_id: str) -> tuple[Change, list[Entry]]:
        """A change and its log. Raises `Invalid` when it is not known."""
        with self.database.read() as conn:
            return changes.get(conn, change_id), list(audit.of_change(conn, change_id))

    def forget_rejections(self, domain: str) -> int:
        """Lets credentials be tried again that a server has rejected. Returns how many there were."""
        with self.database.begin() as conn:
            return restraint.forget_domain(conn, domains.find_domain(conn, self.account_id, domain).id)

    # -- processes

    def quarantine(self, overruns: Iterable[Overrun]) -> None:
        """Leaves the endpoints alone for an hour that cost the last process of this worker its life."""
        with self.database.begin() as conn:
            for item in overruns:
                quarantine.add(conn, item.endpoint, item.work, self.database.now())

    def serve(self) -> None:
        """Workers of both queues and beat in this process, until SIGTERM or SIGINT."""
        with contextlib.ExitStack() as stack:
            if (path := self._database_file) is not None:
                stack.enter_context(process.only_one(path.with_name(path.name + ".serve")))
            self._require_broker()
            stack.enter_context(self.telling())
            stack.enter_context(process.embedded_workers(self.app, QUEUES, self.stopping))
            self.flow.sweep()
            stack.enter_context(process.beat(self.app))
            process.wait_for_signal(self.stopping)

    def work(self, queue: str) -> None:
        """A worker of one queue, until SIGTERM or SIGINT. Raises `Invalid` when the broker does not answer."""
        self._require_broker()
        with self.telling():
            process.work(self.app, queue, self.stopping)

    @contextlib.contextmanager
    def telling(self) -> Iterator[None]:
        """Prometheus gets this process's metrics meanwhile, where a port is set. Raises `Invalid` when it is taken."""
        port = self.config.metrics_port
        with counters.serve(port, self.config.metrics_host, self.database) if port else contextlib.nullcontext():
            yield

    def beat(self) -> None:
        """The scheduler alone, until SIGTERM or SIGINT."""
        self._require_broker()
        self.flow.sweep()
        with process.beat(self.app):
            process.wait_for_signal(self.stopping)

    # -- parts

    @cached_property
    def app(self) -> Celery:
        """The Celery app, with its tasks."""
        app = self._bare_app
        register(app, self.flow)
        return app

    @cached_property
    def _bare_app(self) -> Celery:
        return make_app(self.config)

    @cached_property
    def flow(self) -> Flow:
        """The use cases of runs."""
        url = self.config.broker_url.get_secret_value()
        shared = None if self.config.embedded else RedisPacer(url, self.config.logins_at_once)
        resources = Resources(
            self.database,
            self.vault,
            self.config,
            publisher(self._bare_app),
            self.database.now,
            stopping=self.stopping,
            shared_pacer=shared,
            publish_health=publisher(self._bare_app, HEALTH),
        )
        return Flow(resources, finish)

    @property
    def _database_file(self) -> Path | None:
        url = make_url(self.config.database_url.get_secret_value())
        return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None

    def _require_broker(self) -> None:
        if not self.config.embedded:
            broker.require(self.config.broker_url.get_secret_value())


def _keys(config: Config) -> list[str]:
    given = config.secret_key.get_secret_value().replace(",", " ").split() if config.secret_key else []
    if given:
        return given
    if not config.embedded:
        raise Invalid("set MAIL_PREFLIGHT_SECRET_KEY; `mail-preflight keys new` makes one")
    return [load_or_create_key_file(config.key_file)]
