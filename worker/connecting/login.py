"""The one login of a mailbox that is being connected, in the process that was asked: its secret goes through no broker.

The servers are looked at first, as by every run; one that does not pass is sent no credential.
"""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from checks.codes import Code, Verdict
from checks.context import CheckContext
from checks.model import Authentication, CredentialKind, EndpointResult, Fault, LoginResult
from checks.runner import unfit_credentials
from checks.settings import Settings
from settings_store import domains
from settings_store.connecting.attempts import ServersBusy
from settings_store.runs import quarantine
from settings_store.runs.pages import Work
from worker.connecting.turn import turn_at
from worker.pacing.lane_pacer import TROUBLE
from worker.resources import Resources
from worker.runs.endpoints import check_watched, context_of, decisive, pins_in_force
from worker.runs.lane import Routes, routes_for
from worker.sandbox import script_of

KNOWN_SECONDS = 60.0
"""For how long servers that passed are not looked at again: a crowd that connects at a time costs one look."""
_NOBODY = 0  # the mailbox has no id yet
_Key = tuple[str, int, Settings]
"""The domain, the id of its settings and what they are: SQLite gives the id of a removed version to the next one."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A mailbox and what it logs in with, at settings that are stored. `in_force`: they are those of its domain."""

    settings_id: int
    domain: str
    address: str
    username: str
    kind: CredentialKind
    sealed: bytes = field(repr=False)
    in_force: bool = True


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of it. `judged`: a server was told the credential and has judged it; else `result` is not of a login.

    `endpoints` are what the servers were found to be.
    """

    result: LoginResult
    judged: bool
    endpoints: tuple[EndpointResult, ...]


@dataclass(frozen=True, slots=True)
class _Passed:
    until: float
    endpoints: tuple[EndpointResult, ...]
    routes: Routes


class Login:
    """Of one process, for all its threads."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._lock = threading.Lock()
        self._passed: dict[_Key, _Passed] = {}

    def __call__(self, candidate: Candidate) -> Tried:
        """Tries the mailbox once with each of its servers; the first rejection ends it, and nothing is tried again."""
        with self._resources.database.read() as conn:
            settings = domains.load_settings(conn, candidate.settings_id)
        key = candidate.domain, candidate.settings_id, settings
        known = self._known(key)
        if known is None:
            endpoints, routes = self._look(candidate, key)
            settled = decisive(endpoints)
            if settled is not None or routes is None:
                return Tried(_of_endpoint(settled or endpoints[0]), judged=False, endpoints=endpoints)
        else:
            endpoints, routes = known.endpoints, known.routes
        tried = self._try(candidate, endpoints, routes)
        if tried.result.verdict is Verdict.INCONCLUSIVE:  # met something else than a judgement: the next one looks anew
            self._drop(key)
        return tried

    def _known(self, key: _Key) -> _Passed | None:
        now = time.monotonic()
        with self._lock:
            self._passed = {each: item for each, item in self._passed.items() if item.until > now}
            return self._passed.get(key)

    def _drop(self, key: _Key) -> None:
        with self._lock:
            self._passed.pop(key, None)

    def _look(self, candidate: Candidate, key: _Key) -> tuple[tuple[EndpointResult, ...], Routes | None]:
        """The servers, each checked once, side by side, and the way to log in where all of them passed."""
        resources, settings_id, settings = self._resources, candidate.settings_id, key[-1]
        with resources.database.read() as conn:
            script = script_of(conn, settings_id, resources.now())
            held = quarantine.active(conn, resources.now())
        pins = pins_in_force(resources, settings_id) if candidate.in_force else {}
        context = context_of(resources.config, settings, candidate.domain, pins, script=script)
        endpoints = self._check(settings, context, held)
        if decisive(endpoints) is not None:
            return endpoints, None
        try:
            routes = routes_for(endpoints, context, resources.vault)
        except Fault as fault:  # the name resolved a moment ago
            lost = EndpointResult(endpoints[0].endpoint, Verdict.INCONCLUSIVE, fault.code, seen=fault.seen)
            return (lost, *endpoints[1:]), None
        if candidate.in_force and script is None:
            with self._lock:
                self._passed[key] = _Passed(time.monotonic() + KNOWN_SECONDS, endpoints, routes)
        return endpoints, routes

    def _check(self, settings: Settings, context: CheckContext, held: dict[str, str]) -> tuple[EndpointResult, ...]:
        asked = settings.endpoints
        with ThreadPoolExecutor(len(asked), thread_name_prefix="endpoint") as pool:
            return tuple(pool.map(lambda each: check_watched(each, context, self._resources, held), asked))

    def _try(self, candidate: Candidate, endpoints: tuple[EndpointResult, ...], routes: Routes) -> Tried:
        for result in endpoints:
            if (fault := unfit_credentials(result).get(candidate.kind)) is not None:
                refused = LoginResult(Verdict.FAIL, fault.code, result.endpoint.protocol, fault.seen)
                return Tried(refused, judged=True, endpoints=endpoints)
        servers = [result.address or result.endpoint.host for result in endpoints if _logs_in(result)]
        seconds = len(servers) * routes.context.login_seconds
        work = Work(_NOBODY, candidate.address, candidate.username, candidate.kind, candidate.sealed, again=True)
        with turn_at(self._resources.pacer, servers, seconds) as ours:
            if not ours:
                raise ServersBusy(
                    "the mail server has as many logins of ours as it may have; try again in a moment", 5.0
                )
            done = routes.try_mailbox(work, lambda: True)
        if done is None:
            raise AssertionError("nobody takes this login over")
        self._learn(servers, done.result)
        return Tried(done.result, judged=done.result.verdict is not Verdict.INCONCLUSIVE, endpoints=endpoints)

    def _learn(self, servers: Sequence[str], result: LoginResult) -> None:
        for server in dict.fromkeys(servers):
            if result.code in TROUBLE:
                self._resources.pacer.trouble(server)
            elif result.verdict is Verdict.OK:
                self._resources.pacer.fine(server, 1)


def _logs_in(result: EndpointResult) -> bool:
    return result.endpoint.authentication is Authentication.LOGIN


def _of_endpoint(result: EndpointResult) -> LoginResult:
    """What a server that did not pass says of the login: nothing, whatever its own verdict is."""
    code = result.code if result.code is not Code.OK else Code.INTERNAL
    return LoginResult(Verdict.INCONCLUSIVE, code, result.endpoint.protocol, result.seen)
