"""A lane: some threads that log in one page of mailboxes after the other, and one loop that writes the results down.

The threads never touch the database. The loop writes in bulk, renews the leases with each write, and learns with it
whether the run goes on.
"""

import queue
import threading
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from checks.context import CheckContext
from checks.model import Credential, EndpointResult, Fault, LoginResult, Verdict
from checks.runner import Route, check_mailbox, open_route
from settings_store import domains, restraint, runs
from settings_store.runs import CANDIDATE, Done, Phase, Run, Work
from settings_store.secrets import Vault
from worker.flow import LEASE_SECONDS, Flow, phase_of, servers_of
from worker.politeness import Politeness

BUDGET_SECONDS = 60.0  # after which a lane takes no new page and lets another message have the slot
FLUSH_SECONDS = 0.25
FLUSH_ROWS = 200
READY = 1  # mailboxes kept ready for each thread: none waits for the loop, and no lane hoards what another could do


@dataclass(frozen=True, slots=True)
class Routes:
    """The endpoints that a mailbox logs in to, in order, for one run."""

    routes: tuple[Route, ...]
    context: CheckContext
    vault: Vault = field(repr=False)

    def try_mailbox(self, work: Work) -> Done:
        """Logs a mailbox in to each endpoint. The first failure decides; a rejected credential is not sent again."""
        try:
            credential = Credential(work.username, self.vault.open(work.credential), work.kind)
        except Fault as fault:
            return Done(
                work.mailbox_id, LoginResult(Verdict.INCONCLUSIVE, fault.code, self.routes[0].endpoint.protocol)
            )
        undecided: LoginResult | None = None
        for route in self.routes:
            result = check_mailbox(route, credential, self.context, work.address)
            if result.verdict is Verdict.FAIL:
                return Done(work.mailbox_id, result)
            if result.verdict is Verdict.INCONCLUSIVE:
                undecided = undecided or result
        return Done(work.mailbox_id, undecided or result)


class RouteCache:
    """The routes of the runs that this process works on, so that its lanes share names and TLS sessions."""

    def __init__(self, limit: int = 64) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._routes: dict[tuple[str, Phase], Routes] = {}

    def get(self, flow: Flow, run: Run, phase: Phase) -> Routes:
        """The routes of a run. Raises `Fault` when a name does not resolve any more."""
        with self._lock:
            if (known := self._routes.get((run.id, phase))) is not None:
                return known
        made = _open(flow, run, phase)
        with self._lock:
            while len(self._routes) >= self._limit:
                self._routes.pop(next(iter(self._routes)))
            return self._routes.setdefault((run.id, phase), made)


def _open(flow: Flow, run: Run, phase: Phase) -> Routes:
    settings_id = run.settings_id if phase == CANDIDATE else run.baseline_settings_id
    with flow.database.read() as conn:
        settings = domains.load_settings(conn, settings_id or run.settings_id)
    context = flow.context_of(settings)
    results = flow.endpoint_results(run.id, phase)
    return Routes(tuple(open_route(result, context) for result in results), context, flow.vault)


class Lane:
    """One lane of one run. `run` comes back when there is nothing left that it may do."""

    def __init__(self, flow: Flow, cache: RouteCache, run_id: str) -> None:
        self._flow = flow
        self._cache = cache
        self._run_id = run_id
        self._owner = uuid.uuid4().hex
        self._until = time.monotonic() + BUDGET_SECONDS
        self._todo: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[Done] = queue.SimpleQueue()
        self._outstanding = 0
        self._halted = False
        self._exhausted = False
        self._phase: Phase = CANDIDATE
        self._canaries = False
        self._servers: dict[str, str] = {}
        self._polite = Politeness(flow.pacer, (), self._owner, flow.config.threads, flow.config.like_failures)

    def run(self) -> None:
        """Works pages off, then says what is next."""
        with self._flow.database.read() as conn:
            run = runs.get(conn, self._run_id)
        if run is None or run.stage not in {"canaries", "mailboxes", "baseline"}:
            return
        if self._flow.stopping.is_set():
            self._flow.publish("run_page", self._run_id)  # for a worker that stays
            return
        self._phase, self._canaries = phase_of(run), run.stage == "canaries"
        self._meet(self._flow.endpoint_results(self._run_id, self._phase))
        claimed = self._claim()
        if claimed:
            try:
                routes = self._cache.get(self._flow, run, self._phase)
            except Fault as fault:
                self._give_up(fault)
            else:
                self._work(routes)
        judged = self._canaries and not self._halted and self._flow.judge_canaries(self._run_id)
        if claimed or judged:
            self._flow.advance_after_lane(self._run_id)

    def _meet(self, results: Sequence[EndpointResult]) -> None:
        """The servers of the run: pacing goes by address, for a server has many names."""
        config = self._flow.config
        self._servers = servers_of(results)
        addresses = [result.address or result.endpoint.host for result in results]
        self._polite = Politeness(self._flow.pacer, addresses, self._owner, config.threads, config.like_failures)

    def _give_up(self, fault: Fault) -> None:
        """The name resolved a moment ago and does not now: no mailbox is to blame."""
        while (work := self._next_work()) is not None:
            protocol = self._flow.endpoint_results(self._run_id, self._phase)[0].endpoint.protocol
            self._done.put(Done(work.mailbox_id, LoginResult(Verdict.INCONCLUSIVE, fault.code, protocol, fault.seen)))
        self._flush(self._collect(0))
        self._close()

    def _next_work(self) -> Work | None:
        try:
            return self._todo.get_nowait()  # the threads take from it meanwhile
        except queue.Empty:
            return None

    def _work(self, routes: Routes) -> None:
        self._polite.renew()
        threads = self._start_threads(routes)
        try:
            while self._outstanding:
                self._flush(self._collect(FLUSH_SECONDS))
                while self._wants_page() and self._claim():
                    pass
        finally:
            self._drain()  # after a failure of ours nobody would keep the results of further logins
            self._polite.end()
            for _ in threads:
                self._todo.put(None)
            for thread in threads:
                thread.join()
            self._close()

    def _start_threads(self, routes: Routes) -> list[threading.Thread]:
        gate = self._polite.gate

        def work() -> None:
            while True:
                gate.enter()
                try:
                    if (item := self._todo.get()) is None:
                        return
                    self._done.put(routes.try_mailbox(item))
                finally:
                    gate.leave()

        count = self._flow.config.threads
        threads = [threading.Thread(target=work, name=f"login-{number}", daemon=True) for number in range(count)]
        for thread in threads:
            thread.start()
        return threads

    def _may_claim(self) -> bool:
        stopping = self._halted or self._flow.stopping.is_set()
        return not (stopping or self._exhausted or time.monotonic() > self._until)

    def _wants_page(self) -> bool:
        return self._may_claim() and self._todo.qsize() < READY * self._flow.config.threads

    def _claim(self) -> bool:
        """Leases a page and queues its mailboxes. False where there is none, or none is to be begun."""
        if not self._may_claim():
            return False
        now = self._flow.now()
        with self._flow.database.begin() as conn:
            number = runs.claim_page(
                conn, self._run_id, self._phase, self._owner, now, now + LEASE_SECONDS, canaries=self._canaries
            )
            if number is None:
                self._exhausted = True
                return False
            logins, limit = len(self._servers), self._flow.config.logins_per_hour
            restraint.spend(conn, self._run_id, self._phase, number, logins=logins, limit=limit, now=now)
            work = runs.page_work(conn, self._run_id, self._phase, number)
        for item in work:
            self._todo.put(item)
        self._outstanding += len(work)
        return True

    def _collect(self, seconds: float) -> list[Done]:
        """The results of the next moment: what has come by its end, or when the threads run short, or a full bulk."""
        end = time.monotonic() + seconds
        found: list[Done] = []
        while len(found) < min(FLUSH_ROWS, max(1, self._outstanding)):
            try:
                found.append(self._done.get(timeout=max(0.0, end - time.monotonic())))
            except queue.Empty:
                break
            if self._wants_page():
                break
        return found

    def _flush(self, results: Sequence[Done]) -> None:
        now = self._flow.now()
        with self._flow.database.begin() as conn:
            runs.save_results(conn, self._run_id, self._phase, results)
            restraint.remember(conn, results, self._servers, now)
            stage = runs.renew(conn, self._run_id, self._phase, self._owner, now, now + LEASE_SECONDS)
        self._outstanding -= len(results)
        too_many = self._polite.learn(results)
        if too_many and self._phase == CANDIDATE and not self._canaries:
            self._flow.break_off(self._run_id, too_many)
            self._halt()
        if stage in runs.ENDED or self._flow.stopping.is_set():
            self._halt()
        elif self._canaries and any(done.result.verdict is Verdict.OK for done in results):
            # One canary works: they cannot be rejected alike any more, so nobody waits for the slowest.
            self._canaries = self._exhausted = False
            self._flow.open_pages(self._run_id)

    def _halt(self) -> None:
        """What has not begun is left for whoever comes next."""
        self._halted = True
        self._drain()

    def _drain(self) -> None:
        while self._next_work() is not None:
            self._outstanding -= 1

    def _close(self) -> None:
        with self._flow.database.begin() as conn:
            runs.close_own_pages(conn, self._run_id, self._phase, self._owner)
