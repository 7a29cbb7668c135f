"""All sources at the same time, every server that is proposed checked, one deadline over everything."""

import contextlib
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from functools import partial
from threading import Lock
from typing import Any

from checks.codes import Code, Verdict
from checks.context import CheckContext
from checks.discovery.model import Attempt, Candidate, Confidence, Evidence, Outcome, Source, SourceReport, Subject
from checks.discovery.proposals import Discovery, Offer, Proposal
from checks.discovery.ranking import findings_of, ranked
from checks.discovery.repairs import repaired
from checks.discovery.sources import autoconfig, autodiscover, guesses, pacc, providers, srv
from checks.discovery.sources.asking import Asked
from checks.discovery.vouching import evidence_of
from checks.discovery.web import Outside
from checks.model import Endpoint, EndpointResult
from checks.network.dial import Deadline
from checks.network.dns import Answer, Dns, Kind

log = logging.getLogger(__name__)

SECONDS = 25.0
SOURCE_SECONDS = 8.0
MOST_CANDIDATES = 16
MOST_CHECKS = 40
_THREADS = 64

CheckOne = Callable[[Endpoint, CheckContext], EndpointResult]
"""The check of one endpoint. Raises nothing."""
Ask = Callable[[Asked], SourceReport]
Tell = Callable[[SourceReport], None]

SOURCES: Mapping[Source, Ask] = {
    Source.PACC: pacc.ask,
    Source.AUTOCONFIG: autoconfig.ask,
    Source.AUTODISCOVER: autodiscover.ask,
    Source.PROVIDER: providers.ask,
    Source.SRV: srv.ask,
    Source.PROVIDER_BY_MX: providers.ask_by_mx,
    Source.AUTOCONFIG_BY_MX: autoconfig.ask_by_mx,
    Source.GUESS: guesses.ask,
}
"""They are asked at once, but for guesses: those only where the others lead nowhere."""


def discover(
    subject: Subject,
    outside: Outside,
    check: CheckOne,
    *,
    typed: Candidate | None = None,
    tell: Tell = lambda _: None,
    sources: Mapping[Source, Ask] = SOURCES,
    seconds: float = SECONDS,
) -> Discovery:
    """Proposals for a domain, the best first, within so many seconds and a moment. Raises nothing of the network's.

    `typed` is what somebody has entered, which is checked and repaired like the rest. `tell` hears of each source as
    it ends, in the thread of the caller.
    """
    pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="discovery")
    try:
        return _Run(subject, replace(outside, dns=_Once(outside.dns)), check, tell, Deadline(seconds), pool).all(
            sources, typed
        )
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


@dataclass
class _Run:
    """One discovery."""

    subject: Subject
    outside: Outside
    check: CheckOne
    tell: Tell
    deadline: Deadline
    pool: ThreadPoolExecutor
    reports: list[SourceReport] = field(default_factory=list)
    pending: dict[Future[Any], Callable[[Any], None]] = field(default_factory=dict)
    asked: set[Source] = field(default_factory=set)
    tried: list[tuple[Candidate, dict[int, Offer]]] = field(default_factory=list)
    known: dict[Endpoint, Future[EndpointResult]] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    def all(self, sources: Mapping[Source, Ask], typed: Candidate | None) -> Discovery:
        begun = time.monotonic()
        for source in sources.keys() - {Source.GUESS}:
            self._begin(source, sources[source])
        if typed is not None:
            self._try([typed])
        self._settle()
        if Source.GUESS in sources and not any(each.works and each.complete for each in self._proposals()):
            self._begin(Source.GUESS, sources[Source.GUESS])
            self._settle()
        return self._result(time.monotonic() - begun)

    def _result(self, seconds: float) -> Discovery:
        found = ranked(self._proposals())
        reports = tuple(sorted(self.reports, key=lambda report: tuple(Source).index(report.source)))
        told = tuple(finding for report in reports for finding in report.findings)
        ended = {report.source for report in reports}
        unfinished = tuple(source for source in Source if source in self.asked - ended)
        return Discovery(self.subject, found, reports, (*told, *findings_of(found)), unfinished, seconds)

    # -- sources

    def _begin(self, source: Source, ask: Ask) -> None:
        self.asked.add(source)
        self.pending[self.pool.submit(self._ask, source, ask)] = self._heard

    def _ask(self, source: Source, ask: Ask) -> SourceReport:
        begun = time.monotonic()
        try:
            limit = Deadline(min(SOURCE_SECONDS, self.deadline.remaining()))
            report = ask(Asked(self.subject, self.outside, limit, self.pool))
        except TimeoutError:
            report = SourceReport(source, (), (Attempt(source, "", Outcome.NO_ANSWER, "no answer in time"),))
        except Exception as error:  # noqa: BLE001 - this room's one: a defect of ours in a source is no end to the others
            _log_defect(source, error)
            report = SourceReport(source, (), (Attempt(source, "", Outcome.UNUSABLE, type(error).__name__),))
        return replace(report, seconds=time.monotonic() - begun)

    def _heard(self, report: SourceReport) -> None:
        self.reports.append(report)
        self.tell(report)
        self._try(report.candidates)

    # -- servers

    def _try(self, candidates: Iterable[Candidate]) -> None:
        for candidate in candidates:
            if len(self.tried) >= MOST_CANDIDATES:
                return
            offers: dict[int, Offer] = {}
            self.tried.append((candidate, offers))
            for place, servers in enumerate(candidate.servers):
                future = self.pool.submit(self._offer, candidate, servers)
                self.pending[future] = partial(offers.__setitem__, place)

    def _offer(self, candidate: Candidate, servers: tuple[Endpoint, ...]) -> Offer:
        """The first of the endpoints that works, else what would repair the first, else the first as it is."""
        results: list[EndpointResult] = []
        for endpoint in servers:
            results.append(self._checked(endpoint))
            if results[-1].verdict is Verdict.OK:
                return Offer(results[-1], self._vouched(candidate, candidate.evidence, results[-1]))
        if candidate.source is not Source.GUESS:
            for failed, named in zip(results, servers, strict=True):
                if found := repaired(failed, named, self._checked):
                    repair, result = found
                    same = repair.named.host == repair.instead.host
                    evidence = candidate.evidence if same else Evidence.OTHER_NAME
                    return Offer(result, self._vouched(candidate, evidence, result), repair)
        return Offer(results[0], candidate.evidence)

    def _vouched(self, candidate: Candidate, evidence: Evidence, result: EndpointResult) -> Evidence:
        if candidate.source is Source.PROVIDER_BY_MX:
            return evidence  # none of those we know has certificates for its customers' domains
        return evidence_of(evidence, result, self.subject.domain, self.outside, self.deadline)

    def _checked(self, endpoint: Endpoint) -> EndpointResult:
        """Each endpoint is checked once, however many sources name it."""
        with self.lock:
            future = self.known.get(endpoint)
            mine = future is None
            if future is None:
                if len(self.known) >= MOST_CHECKS:
                    return _unchecked(endpoint, "enough servers for one discovery")
                future = self.known[endpoint] = Future()
        if mine:
            future.set_result(self._check(endpoint))
        try:
            return future.result(self.deadline.remaining())
        except TimeoutError:
            return _unchecked(endpoint, "no time was left")

    def _check(self, endpoint: Endpoint) -> EndpointResult:
        try:
            seconds = min(self.outside.context.deadline_seconds, self.deadline.remaining())
            return self.check(endpoint, replace(self.outside.context, deadline_seconds=seconds))
        except TimeoutError:
            return _unchecked(endpoint, "no time was left")

    # -- waiting

    def _settle(self) -> None:
        """Until nothing is under way, or the deadline."""
        with contextlib.suppress(TimeoutError):
            while self.pending:
                done, _ = wait(self.pending, self.deadline.remaining(), FIRST_COMPLETED)
                for future in done:
                    self.pending.pop(future)(future.result())

    def _proposals(self) -> list[Proposal]:
        """Of the candidates all of whose servers were tried."""
        return [
            Proposal(candidate, tuple(offers[place] for place in range(len(offers))), Confidence.LOW)
            for candidate, offers in self.tried
            if len(offers) == len(candidate.servers)
        ]


def _log_defect(source: Source, error: Exception) -> None:
    """Where it happened and of what type. Not the exception's text, which may hold what a stranger said."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "unknown place"
    log.error("the discovery source %s broke: %s at %s", source, type(error).__name__, place)


def _unchecked(endpoint: Endpoint, seen: str) -> EndpointResult:
    return EndpointResult(endpoint, Verdict.INCONCLUSIVE, Code.DEADLINE, seen=seen)


class _Once:
    """A question to the DNS is asked once in a discovery, however many sources have it."""

    def __init__(self, dns: Dns) -> None:
        self._dns = dns
        self._lock = Lock()
        self._known: dict[tuple[str, Kind], Future[Answer]] = {}

    def ask(self, name: str, kind: Kind, deadline: Deadline) -> Answer:
        """See `Dns`."""
        with self._lock:
            future = self._known.get((name, kind))
            mine = future is None
            if future is None:
                future = self._known[name, kind] = Future()
        if mine:
            try:
                future.set_result(self._dns.ask(name, kind, deadline))
            except BaseException as error:
                future.set_exception(error)
                raise
        return future.result(deadline.remaining())
