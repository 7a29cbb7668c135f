"""Health checks: what is due, and the lanes that check endpoints.

Nothing but the database says what is due. A lane claims some domains, checks their endpoints side by side and writes
down what it found; what it does not come to, or is killed over, is due again.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from sqlalchemy import Connection

from checks.context import CheckContext, Script
from checks.model import Endpoint, EndpointResult, Pin, Protocol, Unavailable
from checks.network.static_addresses import first_source
from checks.settings import Settings
from settings_store import domains
from settings_store.health import endpoints, schedule
from settings_store.health.endpoints import Watched
from settings_store.health.schedule import Due, Next, jittered
from settings_store.runs import quarantine
from worker.egress.egresses import share_of
from worker.health.endpoint_state import Subject, after_check, begins_to_fail, is_certain, rules_of
from worker.health.mailbox_slices import begin_slices
from worker.metrics import counters
from worker.resources import Resources
from worker.runs.endpoints import check_watched, context_of, pins_in_force
from worker.sandbox import scripts_of

Check = Callable[[Endpoint, CheckContext], EndpointResult]

LANES = 2
"""Lanes of one process at a time."""
MOST_LANES = 16
"""Lanes asked for at a time, over all workers: those for which nobody has room are dropped."""
LANE_SECONDS = 60.0  # after which a lane begins nothing and lets another message have the slot
LEASE_SECONDS = 120.0  # more than a lane and its last check take
BATCH = 100  # domains in memory
FLUSH_SECONDS = 1.0  # at the most, until half a batch is written at once: a transaction costs as much as three checks
_LOOK_SECONDS = 0.25
IDLE_SECONDS = 2.0  # after which a lane that waits for its last checks looks again whether anything became due
KEEP_SECONDS = 20.0  # how long a database that is away is waited for: results are worth it, but leases end
SIBLINGS = 200  # domains on a server that are looked at soon when one on it begins to fail
CONTROL = 20  # and elsewhere, to tell whether it is the server or us


def tick(resources: Resources) -> int:
    """Keeps the schedule in order and begins slices. Returns how many lanes have endpoints to check."""
    config, now = resources.config, resources.now()
    with resources.database.begin() as conn:
        schedule.enrol(conn, now, config.health_endpoint_minutes * 60, config.health_slice_minutes * 60)
    begin_slices(resources)
    with resources.database.read() as conn:
        due = schedule.due_count(conn, now, _horizon(resources, now), MOST_LANES * BATCH)
    return -(-due // BATCH)


def _horizon(resources: Resources, now: float) -> float:
    """Nothing is put off as far as this: what is was put off before the clock was put back."""
    return now + 2 * resources.config.health_endpoint_minutes * 60 + LEASE_SECONDS


@dataclass(frozen=True, slots=True)
class _Open:
    """A claimed domain and the checks of its endpoints."""

    subject: Subject
    claimed_at: float
    checks: tuple[Future[EndpointResult], ...]

    @property
    def complete(self) -> bool:
        return all(check.done() for check in self.checks)

    @property
    def given_up(self) -> bool:
        return any(check.cancelled() for check in self.checks)


class EndpointLane:
    """Checks endpoints that are due until there are none, for about `LANE_SECONDS`.

    `only` is the account whose domains it takes, None for all.
    `check` is made of each endpoint; None: the real one, in turn with the logins to the server. Equal endpoints under
    equal settings are checked once for all domains that the lane has at the time.
    """

    def __init__(self, resources: Resources, check: Check | None = None, only: int | None = None) -> None:
        self._resources = resources
        self._only = only
        self._share = share_of(resources.config)
        self._quarantined: Mapping[str, str] = {}
        self._scripts: dict[int, Script] = {}  # by settings: what answers in place of the servers of a sandbox
        self._check = check or self._check_watched
        self._rules = rules_of(resources.config)
        self._threads = max(1, resources.config.health_threads // LANES)
        self._until = time.monotonic() + LANE_SECONDS
        self._open: dict[int, _Open] = {}
        self._checks: dict[object, Future[EndpointResult]] = {}
        self._ask_at = 0.0
        self._count = 0

    def run(self) -> int:
        """Returns how many domains were checked."""
        pool = ThreadPoolExecutor(self._threads, thread_name_prefix="health")
        try:
            self._take(pool)
            while self._open:
                self._keep(self._collect())
                if self._is_over:
                    self._give_up()
                elif len(self._open) <= BATCH // 2:  # some may take long: the threads have other work meanwhile
                    self._take(pool)
        finally:
            pool.shutdown(cancel_futures=True)
        return self._count

    @property
    def _is_over(self) -> bool:
        return time.monotonic() > self._until or self._resources.stopping.is_set()

    @property
    def _futures(self) -> set[Future[EndpointResult]]:
        return {check for item in self._open.values() for check in item.checks}

    # -- claiming

    def _take(self, pool: ThreadPoolExecutor) -> None:
        """Claims as many domains as there is room for, and begins their checks."""
        now, room = self._resources.now(), BATCH - len(self._open)
        if self._is_over or time.monotonic() < self._ask_at:
            return
        needed = self._futures
        self._checks = {key: check for key, check in self._checks.items() if check in needed}
        with self._resources.database.begin() as conn:
            subjects = self._claim(conn, now, room)
            self._quarantined = quarantine.active(conn, now)
        self._ask_at = 0.0 if subjects else time.monotonic() + IDLE_SECONDS
        for subject in subjects:
            checks = tuple(self._begin(pool, subject, endpoint) for endpoint in subject.settings.endpoints)
            self._open[subject.due.domain_id] = _Open(subject, now, checks)

    def _claim(self, conn: Connection, now: float, room: int) -> list[Subject]:
        horizon = _horizon(self._resources, now)
        due = schedule.claim_due(
            conn, now, until=now + LEASE_SECONDS, horizon=horizon, limit=room, only=self._only, share=self._share
        )
        if not due:
            return []
        self._scripts |= scripts_of(conn, [item.settings_id for item in due], now)
        versions = domains.load_versions(conn, [item.settings_id for item in due])
        mailboxes = endpoints.password_mailboxes(conn, [item.domain_id for item in due])
        return [self._subject(item, versions[item.settings_id], mailboxes.get(item.domain_id, 0)) for item in due]

    def _subject(self, due: Due, settings: Settings, mailboxes: int) -> Subject:
        config = self._resources.config
        source = first_source(config.own_static) if settings.static_addresses else config.shared_source
        return Subject(due, settings, mailboxes, source.ipv4 or source.ipv6 or "")

    def _begin(self, pool: ThreadPoolExecutor, subject: Subject, endpoint: Endpoint) -> Future[EndpointResult]:
        settings, pins = subject.settings, self._pins(subject)
        domain = subject.due.domain if endpoint.protocol is Protocol.HTTPS else ""
        trusted = settings.ca_pem, settings.allow_insecure_certificate, pins.get(str(endpoint))
        key = endpoint, *trusted, settings.static_addresses, domain, self._scripts.get(subject.due.settings_id)
        if key not in self._checks:
            self._checks[key] = pool.submit(self._check_one, endpoint, subject, pins)
        return self._checks[key]

    def _pins(self, subject: Subject) -> Mapping[str, Pin]:
        """Only where the option is on does a key that was let in say anything."""
        option = subject.settings.allow_insecure_certificate
        return pins_in_force(self._resources, subject.due.settings_id) if option else {}

    def _check_one(self, endpoint: Endpoint, subject: Subject, pins: Mapping[str, Pin]) -> EndpointResult:
        # Not before its turn: what is trusted takes memory.
        script = self._scripts.get(subject.due.settings_id)
        context = context_of(self._resources.config, subject.settings, subject.due.domain, pins, script=script)
        begun = time.monotonic()
        result = self._check(endpoint, context)
        if script is None:
            counters.endpoint_checked(endpoint.protocol, result.verdict, result.code, time.monotonic() - begun)
        return result

    def _check_watched(self, endpoint: Endpoint, context: CheckContext) -> EndpointResult:
        return check_watched(endpoint, context, self._resources, self._quarantined)

    # -- recording

    def _collect(self) -> list[_Open]:
        """The domains whose checks have ended: all, a bulk of them, or what there is after a while."""
        end = time.monotonic() + FLUSH_SECONDS
        while True:
            running = wait(self._futures, timeout=_LOOK_SECONDS).not_done
            complete = [item for item in self._open.values() if item.complete]
            if not running or len(complete) >= BATCH // 2 or self._is_over or time.monotonic() > end:
                return complete

    def _give_up(self) -> None:
        """What has not begun is due again at once."""
        for check in self._futures:
            check.cancel()

    def _keep(self, complete: Iterable[_Open]) -> None:
        """Writes down what was found, and when it is looked at again."""
        items = {item.subject.due.domain_id: item for item in complete}
        if not items:
            return
        end = time.monotonic() + KEEP_SECONDS
        while True:
            try:
                with self._resources.database.begin() as conn:
                    self._count += self._write(conn, items, self._resources.now())
                break
            except Unavailable:
                if time.monotonic() > end:
                    raise
                time.sleep(_LOOK_SECONDS)
        for domain_id in items:
            del self._open[domain_id]

    def _write(self, conn: Connection, items: Mapping[int, _Open], now: float) -> int:
        found = endpoints.watched_of(conn, items, for_update=True)
        known = {(row.domain_id, row.protocol): row for row in found}
        versions = endpoints.in_force(conn, items)
        # Another lane may have recorded a check that began later than this one.
        overtaken = {row.domain_id for row in found if items[row.domain_id].claimed_at < row.checked_at <= now}
        rows: list[Watched] = []
        following: list[Next] = []
        for domain_id, item in sorted(items.items()):
            if domain_id in overtaken:
                continue
            stale = item.given_up or versions.get(domain_id) != item.subject.due.settings_id
            own = [] if stale else self._rows(item, known, now)
            rows += own
            following.append(Next(domain_id, _server(item.subject), self._next(own, now)))
        begun = self._begun_to_fail(conn, known, rows, now)
        endpoints.record(conn, rows)
        schedule.schedule_next(conn, following)
        if begun:
            not_since = now - self._resources.config.health_retry_seconds
            schedule.hurry(conn, begun, now, not_since=not_since, siblings=SIBLINGS, others=CONTROL)
        return len({row.domain_id for row in rows})

    def _rows(self, item: _Open, known: Mapping[tuple[int, Protocol], Watched], now: float) -> list[Watched]:
        results = [check.result() for check in item.checks]
        key = item.subject.due.domain_id
        return [
            after_check(item.subject, known.get((key, result.endpoint.protocol)), result, now, self._rules)
            for result in results
        ]

    def _next(self, rows: list[Watched], now: float) -> float:
        if not rows:
            return now
        certain = all(is_certain(row, now, self._rules) for row in rows)
        config = self._resources.config
        return now + jittered(config.health_endpoint_minutes * 60 if certain else config.health_retry_seconds)

    def _begun_to_fail(
        self, conn: Connection, known: Mapping[tuple[int, Protocol], Watched], rows: list[Watched], now: float
    ) -> set[str]:
        """The hosts that domains come up by where a server has begun to fail, and had not at another domain already.

        By the time that is certain it is to be known whether others on it fail too.
        """
        real = (row for row in rows if row.settings_id not in self._scripts)
        failing = [row for row in real if begins_to_fail(known.get((row.domain_id, row.protocol)), row)]
        since = now - self._resources.config.health_endpoint_minutes * 60
        already = endpoints.failing_since(conn, {row.server for row in failing}, since) if failing else set()
        return {_server(self._open[row.domain_id].subject) for row in failing if row.server not in already}


def _server(subject: Subject) -> str:
    """The host that a domain comes up by."""
    return subject.settings.endpoints[0].host
