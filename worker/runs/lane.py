"""A lane: some threads that log in one page of mailboxes after the other, and one loop that writes the results down.

The threads never touch the database. The loop writes in bulk, renews the leases with each write, and learns with it
whether the run goes on.
"""

import itertools
import logging
import queue
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection

from checks.codes import Code, Verdict
from checks.context import CheckContext, Route
from checks.egress.survey import login_sources
from checks.model import Credential, EndpointResult, Fault, LoginResult, Protocol, Unavailable
from checks.network.way_out import Source
from checks.runner import check_mailbox, open_route
from settings_store import domains
from settings_store.mailboxes import correlation, login_budget, rejections
from settings_store.runs import endpoints, outcomes, pages, quarantine, runs
from settings_store.runs.outcomes import Done
from settings_store.runs.pages import Work
from settings_store.runs.runs import CANDIDATE, Phase, Run, Stage
from settings_store.secrets import Vault
from worker import tracing, watchdog
from worker.pacing.lane_pacer import TROUBLE, LanePacer
from worker.resources import Resources
from worker.runs.endpoints import context_of, endpoint_results, servers_of
from worker.runs.flow import LEASE_SECONDS, Flow, phase_of
from worker.runs.second_tries import SecondTries
from worker.sandbox import script_of

log = logging.getLogger(__name__)

BUDGET_SECONDS = 60.0  # after which a lane takes no new page and lets another message have the slot
FLUSH_SECONDS = 0.25
START_SECONDS = 0.05  # until a server has shown that it bears more: what is not learned, no login may use
FLUSH_ROWS = 200
KEEP_SECONDS = 600.0  # how long results are held for a database that does not take them
GRACE_SECONDS = 2.0  # how long a lease that lapsed is watched before it is taken: many times what a renewal takes
OVERTAKEN = "others have taken our mailboxes over"
_ASK_SECONDS = 0.02
READY = 1  # mailboxes kept ready for each thread: none waits for the loop, and no lane hoards what another could do


@dataclass(frozen=True, slots=True)
class Routes:
    """The endpoints that a mailbox logs in to, in order, for one run."""

    routes: tuple[Route, ...]
    context: CheckContext
    vault: Vault = field(repr=False)
    sources: Mapping[Protocol, Iterator[Source]] = field(default_factory=dict)
    """Of static addresses: where the next login to an endpoint leaves from."""

    def try_mailbox(self, work: Work, may_log_in: Callable[[], bool]) -> Done | None:
        """Logs a mailbox in to each endpoint. The first failure decides; a rejected credential is not sent again.

        None where it must not log in any more: somebody else may have the mailbox by now.
        """
        try:
            if work.credential is None:
                raise Fault(Code.CREDENTIAL_MISSING)
            credential = Credential(work.username, self.vault.open(work.credential), work.kind)
        except Fault as fault:
            return Done(
                work.mailbox_id, LoginResult(Verdict.INCONCLUSIVE, fault.code, self.routes[0].endpoint.protocol)
            )
        undecided: LoginResult | None = None
        evidence = self._evidence(work)
        for place, route in enumerate(self.routes[work.skip :], work.skip):
            if not may_log_in():
                return None
            protocol = route.endpoint.protocol.value
            with (
                watchdog.during("login", route.endpoint, self.context.login_seconds),
                tracing.span("login", protocol=protocol) as seen,
            ):
                result = check_mailbox(route, credential, self._context_of(route), work.address)
                tracing.concluded(seen, result.verdict.value, result.code.value)
            if result.verdict is Verdict.FAIL:
                return Done(work.mailbox_id, result, evidence)
            if result.wait and undecided is None and not work.again:
                return Done(work.mailbox_id, result, reached=place)
            if result.verdict is Verdict.INCONCLUSIVE:
                undecided = undecided or result
                evidence = correlation.BACKEND_AWAY if result.code in correlation.AWAY else ""
            elif route.endpoint.protocol is Protocol.IMAP:
                evidence = correlation.IMAP_ACCEPTED
        return Done(work.mailbox_id, undecided or result)

    def _context_of(self, route: Route) -> CheckContext:
        sources = self.sources.get(route.endpoint.protocol)
        return self.context if sources is None else replace(self.context, source=next(sources))

    def _evidence(self, work: Work) -> str:
        let_in = [route.endpoint.protocol for route in self.routes[: work.skip]]
        return correlation.IMAP_ACCEPTED if Protocol.IMAP in let_in else ""


class RouteCache:
    """The routes of the runs that this process works on, so that its lanes share names and TLS sessions."""

    def __init__(self, limit: int = 64) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._routes: dict[tuple[str, Phase], Routes] = {}

    def get(self, resources: Resources, run: Run, phase: Phase) -> Routes:
        """The routes of a run. Raises `Fault` when a name does not resolve any more."""
        with self._lock:
            if (known := self._routes.get((run.id, phase))) is not None:
                return known
        made = _open(resources, run, phase)
        with self._lock:
            while len(self._routes) >= self._limit:
                self._routes.pop(next(iter(self._routes)))
            return self._routes.setdefault((run.id, phase), made)


def _open(resources: Resources, run: Run, phase: Phase) -> Routes:
    settings_id = run.settings_id if phase == CANDIDATE else run.baseline_settings_id
    with resources.database.read() as conn:
        settings = domains.load_settings(conn, settings_id or run.settings_id)
        known = endpoints.verified(conn, settings_id or run.settings_id)
        script = script_of(conn, settings_id or run.settings_id, resources.now())
    canaries = phase == CANDIDATE and run.stage == "canaries"
    context = replace(context_of(resources.config, settings, script=script), canaries=canaries)
    results = [_with_learned(result, known) for result in endpoint_results(resources, run.id, phase)]
    return routes_for(results, context, resources.vault)


def routes_for(results: Sequence[EndpointResult], context: CheckContext, vault: Vault) -> Routes:
    """The ways to log in at endpoints that have passed, from the addresses that they admit. Raises `Fault`."""
    routes = tuple(open_route(result, context) for result in results)
    return Routes(routes, replace(context, static=None), vault, _sources(results, context))


def _sources(results: Sequence[EndpointResult], context: CheckContext) -> dict[Protocol, Iterator[Source]]:
    """Static addresses in turn, those that the endpoint admits: an endless iterator, which threads may share."""
    if context.static is None or context.script is not None:
        return {}
    found = {result.endpoint.protocol: login_sources(context.static, result.admissions) for result in results}
    return {protocol: itertools.cycle(sources or (Source(only=True),)) for protocol, sources in found.items()}


def _with_learned(result: EndpointResult, known: Mapping[str, Mapping[str, Any]]) -> EndpointResult:
    """With what logins of this run have learned of the endpoint, or else of the run that verified the settings."""
    earlier = known.get(result.endpoint.protocol, {}).get("learned", {})
    return replace(result, learned=result.learned or earlier)


class Lane:
    """One lane of one run. `run` comes back when there is nothing left that it may do."""

    def __init__(self, flow: Flow, cache: RouteCache, run_id: str) -> None:
        self._flow = flow
        self._resources = resources = flow.resources
        self._cache = cache
        self._run_id = run_id
        self._owner = uuid.uuid4().hex
        self._until = time.monotonic() + BUDGET_SECONDS
        self._done: queue.SimpleQueue[Done | None] = queue.SimpleQueue()  # None: one that was not tried
        self._lease_end = 0.0
        self._held = 0
        self._lost = False
        self._suspects: dict[int, tuple[float, float]] = {}
        self._second_tries = SecondTries()
        self._outstanding = 0
        self._halted = self._broken_off = False
        self._exhausted = False
        self._phase: Phase = CANDIDATE
        self._canaries = False
        self._servers: dict[str, str] = {}
        self._routes: tuple[Route, ...] = ()
        config = resources.config
        self._pacer = LanePacer(resources.pacer, (), self._owner, config.threads, config.like_failures)

    def run(self) -> None:
        """Works pages off, then says what is next."""
        with self._resources.database.read() as conn:
            run = runs.load(conn, self._run_id)
        if run is None or run.stage not in {"canaries", "mailboxes", "baseline"}:
            return
        if self._resources.stopping.is_set():
            self._resources.send("run_page", run)  # for a worker that stays
            return
        self._phase, self._canaries = phase_of(run), run.stage == "canaries"
        results = endpoint_results(self._resources, self._run_id, self._phase)
        if self._is_quarantined(results):
            self._flow.break_off(self._run_id, Code.INTERNAL)
            self._flow.advance_after_lane(self._run_id)
            return
        self._meet(results)
        claimed = self._claim_first()
        if claimed:
            try:
                routes = self._cache.get(self._resources, run, self._phase)
            except Fault as fault:
                self._give_up(fault)
            else:
                self._routes = routes.routes
                self._work(routes)
        judged = self._canaries and not self._halted and self._flow.judge_canaries(self._run_id)
        if claimed or judged:
            self._flow.advance_after_lane(self._run_id)

    def _is_quarantined(self, results: Sequence[EndpointResult]) -> bool:
        """A login at one of the endpoints has cost a worker already: no second one begins."""
        with self._resources.database.read() as conn:
            held = quarantine.active(conn, self._resources.now())
        return any(str(result.endpoint) in held for result in results)

    def _meet(self, results: Sequence[EndpointResult]) -> None:
        """The servers of the run: pacing goes by address, for a server has many names."""
        config = self._resources.config
        self._servers = servers_of(results)
        addresses = [result.address or result.endpoint.host for result in results]
        self._pacer = LanePacer(self._resources.pacer, addresses, self._owner, config.threads, config.like_failures)

    def _give_up(self, fault: Fault) -> None:
        """The name resolved a moment ago and does not now: no mailbox is to blame."""
        protocol = endpoint_results(self._resources, self._run_id, self._phase)[0].endpoint.protocol
        for work in self._pacer.gate.drain():
            self._done.put(Done(work.mailbox_id, LoginResult(Verdict.INCONCLUSIVE, fault.code, protocol, fault.seen)))
        self._flush(self._rest())
        self._close()

    def _work(self, routes: Routes) -> None:
        self._pacer.renew()
        threads = self._start_threads(routes)
        try:
            while self._outstanding:
                self._flush(self._collect(START_SECONDS if self._pacer.starting else FLUSH_SECONDS))
                self._pacer.gate.put(self._second_tries.due())
                while self._wants_page() and self._claim_beside():
                    pass
        finally:
            self._lost = True
            self._drain()  # after a failure of ours nobody would keep the results of further logins
            self._pacer.gate.close()
            for thread in threads:
                thread.join()
            self._keep([*self._second_tries.give_up(), *self._rest()])
            self._pacer.end()  # not before the last login is over: others may begin then
            self._close()

    def _start_threads(self, routes: Routes) -> list[threading.Thread]:
        gate, carrier = self._pacer.gate, tracing.carried()

        def work() -> None:
            with tracing.continued(carrier):
                while (item := gate.take()) is not None:
                    try:
                        self._done.put(routes.try_mailbox(item, self._has_lease))
                    finally:
                        gate.leave()

        count = self._resources.config.threads
        threads = [threading.Thread(target=work, name=f"login-{number}", daemon=True) for number in range(count)]
        for thread in threads:
            thread.start()
        return threads

    def _may_claim(self) -> bool:
        stopping = self._halted or self._resources.stopping.is_set()
        return not (stopping or self._exhausted or time.monotonic() > self._until)

    def _wants_page(self) -> bool:
        return self._may_claim() and self._pacer.gate.waiting < READY * self._resources.config.threads

    def _claim(self) -> bool:
        """Leases a page and queues its mailboxes. False where there is none, or none is to be begun."""
        if not self._may_claim():
            return False
        now, begun = self._resources.now(), time.monotonic()
        whose = self._run_id, self._phase, self._owner
        with self._resources.database.begin() as conn:
            abandoned = self._abandoned(conn, now)
            number = pages.claim(conn, *whose, now, now + LEASE_SECONDS, canaries=self._canaries, abandoned=abandoned)
            if number is None:
                self._exhausted = not self._suspects
                return False
            logins, limit = len(self._servers), self._resources.config.logins_per_hour
            login_budget.spend(conn, self._run_id, self._phase, number, logins=logins, limit=limit, now=now)
            work = pages.work(conn, self._run_id, self._phase, number)
        if not self._held:
            self._lease_end = begun + LEASE_SECONDS
        self._held += 1
        self._second_tries.take(work)
        self._pacer.gate.put(work)
        self._outstanding += len(work)
        return True

    def _claim_beside(self) -> bool:
        """As `_claim`, while mailboxes are under way: a database that is away is no reason to leave those half done."""
        try:
            return self._claim()
        except Unavailable:
            self._suspects = {}  # what was noted with a write that failed is no watch
            return False

    def _claim_first(self) -> bool:
        """The first page; a lease that lapsed is watched for as long as it takes."""
        while not self._claim():
            if not self._suspects or not self._may_claim():
                return False
            time.sleep(FLUSH_SECONDS)
        return True

    def _abandoned(self, conn: Connection, now: float) -> dict[int, float]:
        """The lapsed leases that nobody has renewed while we watched: their owner is gone.

        Lapsed alone says nothing, for the clock may have jumped; whoever is alive renews within a moment. Where the
        database takes no writes nobody can renew, so the watch begins with one.
        """
        found = pages.lapsed(conn, self._run_id, self._phase, now, canaries=self._canaries)
        moment, known = time.monotonic(), self._suspects
        if any(page not in known or known[page][0] != until for page, until in found.items()):
            runs.touch(conn, self._run_id, now)
        self._suspects = {
            page: known[page] if page in known and known[page][0] == until else (until, moment)
            for page, until in found.items()
        }
        return {page: until for page, (until, at) in self._suspects.items() if moment - at >= GRACE_SECONDS}

    def _has_lease(self) -> bool:
        """Whether our pages are still ours, by a clock that runs on while the process is stopped and never jumps.

        A lease that lapsed may be renewed by the loop, where nobody has taken it meanwhile: that is waited for.
        """
        while time.monotonic() >= self._lease_end and not self._lost:
            time.sleep(_ASK_SECONDS)
        return not self._lost

    def _collect(self, seconds: float) -> list[Done | None]:
        """The results of the next moment: what has come by its end, or when the threads run short, or a full bulk.

        What shows that the server has had enough of us is acted on at once.
        """
        end = time.monotonic() + seconds
        found: list[Done | None] = []
        while len(found) < min(FLUSH_ROWS, max(1, self._outstanding)):
            try:
                last = self._done.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                break
            found.append(last)
            if self._wants_page() or last is None or last.result.code in TROUBLE or self._opens_pages(last):
                break
        return found

    def _opens_pages(self, done: Done) -> bool:
        """One canary works: they cannot be rejected alike any more, so nobody waits for the slowest."""
        return self._canaries and done.result.verdict is Verdict.OK

    def _rest(self) -> list[Done]:
        """The results that nobody has collected; there are none but after a failure of ours."""
        rest = [self._done.get_nowait() for _ in range(self._done.qsize())]
        return [done for done in rest if done]

    def _keep(self, results: Sequence[Done]) -> Stage:
        """Writes results down and renews the leases. They have cost logins: a database that is away is waited for.

        For long, for a disk that is full stays so until somebody makes room; for a lease only once we are to stop.
        """
        begun, told = time.monotonic(), False
        while True:
            try:
                return self._write(results)
            except Unavailable as error:
                waited = time.monotonic() - begun
                if waited > (LEASE_SECONDS if self._resources.stopping.is_set() else KEEP_SECONDS):
                    raise
                if not told and waited > LEASE_SECONDS / 10:
                    log.warning(
                        "run %s keeps %d results until they can be stored: %s", self._run_id, len(results), error
                    )
                    told = True
                time.sleep(FLUSH_SECONDS)

    def _write(self, results: Sequence[Done]) -> Stage:
        now, begun = self._resources.now(), time.monotonic()
        whose = self._run_id, self._phase, self._owner
        with self._resources.database.begin() as conn:
            stage = pages.renew(conn, *whose, now, now + LEASE_SECONDS)  # holds the run's row for what follows
            outcomes.save(conn, self._run_id, self._phase, results)
            rejections.remember(conn, self._run_id, results, self._servers, now, self._phase)
            complete = pages.held(conn, *whose) == self._held
            run = None if complete else runs.load(conn, self._run_id)
        if complete:
            self._lease_end = begun + LEASE_SECONDS
        elif not self._lost:
            self._lose(run)
        return stage

    def _lose(self, run: Run | None) -> None:
        """Our pages are ours no more: the run was broken off, by us or another lane, or others were quicker."""
        if not self._broken_off and (run is None or run.stop_code is None):
            log.warning("run %s: %s, after %.0f seconds without a sign of us", self._run_id, OVERTAKEN, LEASE_SECONDS)
        self._lost = True
        self._halt()

    def _flush(self, found: Sequence[Done | None]) -> None:
        results = [done for done in found if done]
        done_with = results if self._halted else self._second_tries.put_off(results)
        stage = self._keep(done_with)
        self._outstanding -= len(found) - len(results) + len(done_with)
        if len(results) < len(found):
            self._halt()
        too_many = self._pacer.learn(results)
        if too_many and not self._canaries and not self._broken_off:
            self._broken_off = True
            self._flow.break_off(self._run_id, too_many)
            self._halt()
        if stage in runs.ENDED or self._resources.stopping.is_set():
            self._halt()
        elif any(map(self._opens_pages, results)):
            self._canaries = self._exhausted = False
            self._tell_learned()
            self._flow.open_pages(self._run_id)

    def _tell_learned(self) -> None:
        """What the canaries have learned of the servers is for the lanes of all processes."""
        with self._resources.database.begin() as conn:
            for route in self._routes:
                if route.learned:
                    endpoints.learn(conn, self._run_id, self._phase, route.endpoint.protocol, route.learned)

    def _halt(self) -> None:
        """What has not begun is left for whoever comes next, and nobody is waited for."""
        self._halted = True
        self._drain()
        for done in self._second_tries.give_up():
            self._done.put(done)

    def _drain(self) -> None:
        self._outstanding -= len(self._pacer.gate.drain())

    def _close(self) -> None:
        with self._resources.database.begin() as conn:
            pages.close_own(conn, self._run_id, self._phase, self._owner)
            for protocol, (count, seconds) in self._second_tries.waited.items():
                endpoints.add_patience(conn, self._run_id, self._phase, protocol, count, seconds)
