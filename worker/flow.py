"""How a run flows: endpoints, canaries, mailboxes, baseline, report.

Every step may come twice, late or not at all. The database says what is left to do; a message only says that there may
be something. Messages are published after the commit, and what is lost with the broker is found by the sweep.
"""

import logging
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from threading import Event
from typing import Literal

from sqlalchemy import Connection

from checks.context import CheckContext
from checks.model import CODES, Blame, Code, Endpoint, EndpointResult, Pin, Protocol, Verdict
from checks.runner import unfit_credentials
from checks.serialize import dump_endpoint_result
from checks.settings import Settings
from checks.tls import Trust
from settings_store import changes, domains, restraint, runs
from settings_store.db import Database
from settings_store.runs import BASELINE, CANDIDATE, Phase, Run
from settings_store.secrets import Vault
from worker.config import Config
from worker.health_slices import begin_slices, end_slice, is_slice
from worker.pacing import LocalPacer, Pacer
from worker.report import decisive, results_of, summarise
from worker.turns import check_in_turn
from worker.watch import judge_watch

log = logging.getLogger(__name__)

TaskName = Literal["start_run", "run_page", "finish_run"]
Publish = Callable[[TaskName, str], None]

LEASE_SECONDS = 30.0
STEP_LEASE_SECONDS = 45.0  # endpoints wait up to 10 seconds and take up to 30, planning and reporting little
IDLE_SECONDS = 10.0
SWEEP_LIMIT = 50
STANDARD = {Protocol.IMAP: {143, 993}, Protocol.SMTP: {25, 465, 587}, Protocol.HTTPS: {443}}


@dataclass
class Flow:
    """The use cases of a run. `publish` sends a task's name and a run's id; `stopping` asks lanes to come to an end."""

    database: Database
    vault: Vault
    config: Config
    publish: Publish
    now: Callable[[], float] = time.time
    stopping: Event = field(default_factory=Event)
    shared_pacer: Pacer | None = None
    publish_health: Publish | None = None

    @cached_property
    def pacer(self) -> Pacer:
        """How many logins at once: shared with other processes, or this one's own."""
        return self.shared_pacer or LocalPacer(self.config.logins_at_once)

    # -- the steps

    def start_run(self, run_id: str) -> None:
        """Checks the endpoints of the proposed settings, then settles every mailbox or sets the canaries off."""
        owner = uuid.uuid4().hex
        run = self._claim(run_id, owner)
        if run is None:
            return
        begun_already = run.stage not in {"queued", "endpoints"}
        try:
            if not begun_already:
                self._check_endpoints(run, CANDIDATE, run.settings_id)
                self._plan(run)
        finally:
            self._release(run_id, owner)
        if not begun_already:  # a message that comes twice sets no second set of lanes going
            self.advance(run_id)

    def finish_run(self, run_id: str) -> None:
        """Tests the baseline where it is needed, then writes the report."""
        owner = uuid.uuid4().hex
        run = self._claim(run_id, owner)
        if run is None:
            return
        baseline_begun = False
        try:
            # Before the pages are planned none is open either.
            if run.stage in {"canaries", "mailboxes", "baseline"} and not self._pages_open(run):
                baseline_begun = self._baseline_or_report(run)
        finally:
            self._release(run_id, owner)
        if baseline_begun:
            self.advance(run_id)

    def advance(self, run_id: str) -> None:
        """Publishes what is next for a run."""
        with self.database.read() as conn:
            run = runs.get(conn, run_id)
        if run is None or run.stage in runs.ENDED:
            return
        if run.stage in {"queued", "endpoints"}:
            self.send("start_run", run)
        elif not self._pages_open(run):
            self.send("finish_run", run)
        else:
            for _ in range(1 if run.stage == "canaries" else self._lanes(run)):
                self.send("run_page", run)

    def send(self, name: TaskName, run: Run) -> None:
        """Publishes a task for a run, where somebody waits for it or where nobody does."""
        preflight = run.kind == "preflight" or self.publish_health is None
        (self.publish if preflight else self.publish_health)(name, run.id)  # type: ignore[misc] # None is preflight

    def advance_after_lane(self, run_id: str) -> None:
        """A lane has ended: the report, where it was the last one, or another lane for pages that nobody has."""
        with self.database.read() as conn:
            run = runs.get(conn, run_id)
            if run is None or run.stage in runs.ENDED:
                return
            left = runs.pages_open(conn, run_id, phase_of(run))
            free = runs.pages_free(conn, run_id, phase_of(run), self.now())
        if not left:
            self.send("finish_run", run)
        elif free:
            self.send("run_page", run)

    def sweep(self, only: str | None = None) -> int:
        """Sets runs going again that nobody takes care of: a killed worker's, or a lost broker's. Returns how many.

        `only` names the one run that the caller may take care of.
        """
        with self.database.begin() as conn:
            stalled = runs.stalled(conn, self.now(), IDLE_SECONDS, SWEEP_LIMIT)
            found = [run for run in stalled if only is None or run.id == only]
            for run in sorted(found, key=lambda run: run.id):  # one order, for two sweeps may meet
                runs.touch(conn, run.id, self.now())
        for run in found:
            log.warning("run %s has stalled in stage %s; it is set going again", run.id, run.stage)
            self.advance(run.id)
        return len(found)

    # -- endpoints

    def _check_endpoints(self, run: Run, phase: Phase, settings_id: int) -> tuple[EndpointResult, ...]:
        """The endpoints of a version of the settings, each checked once, side by side."""
        with self.database.begin() as conn:
            runs.move(conn, run.id, ("queued",), "endpoints", self.now())
            known = runs.endpoint_documents(conn, run.id, phase)
            settings = domains.load_settings(conn, settings_id)
            domain = domains.name_of(conn, run.domain_id)
        open_ones = [endpoint for endpoint in settings.endpoints if endpoint.protocol.value not in known]
        context = self.context_of(settings, domain, self.pins_of(run, phase, settings_id))
        with ThreadPoolExecutor(max(1, len(open_ones)), thread_name_prefix="endpoint") as pool:
            for result in pool.map(lambda endpoint: check_in_turn(endpoint, context, self.pacer), open_ones):
                with self.database.begin() as conn:
                    document = dump_endpoint_result(result)
                    runs.save_endpoint(conn, run.id, phase, result.endpoint.protocol, document)
        return self.endpoint_results(run.id, phase)

    def endpoint_results(self, run_id: str, phase: Phase) -> tuple[EndpointResult, ...]:
        """What is known of a run's endpoints."""
        with self.database.read() as conn:
            return results_of(runs.endpoint_documents(conn, run_id, phase))

    def pins_of(self, run: Run, phase: Phase, settings_id: int) -> dict[str, Pin]:
        """The keys that were let in when settings now in force were verified; proposed ones are looked at afresh."""
        return {} if phase == CANDIDATE and run.kind == "preflight" else self.pins_in_force(settings_id)

    def pins_in_force(self, settings_id: int) -> dict[str, Pin]:
        """The keys that were let in when a version of the settings was verified, by the endpoint as text."""
        with self.database.read() as conn:
            results = results_of(runs.endpoints_verified(conn, settings_id))
        return {str(result.endpoint): result.pin for result in results if result.pin}

    def context_of(self, settings: Settings, domain: str = "", pins: Mapping[str, Pin] | None = None) -> CheckContext:
        """The context in which settings are checked; `domain` is that of the mailboxes, where it matters."""
        return CheckContext(
            pins=pins or {},
            trust=Trust(settings.ca_pem),
            policy=self.config.policy,
            deadline_seconds=self.config.endpoint_seconds,
            login_seconds=self.config.login_seconds,
            allow_insecure_certificate=settings.allow_insecure_certificate,
            source_address=self.config.source_address,
            domain=domain,
        )

    def _plan(self, run: Run) -> None:
        results = self.endpoint_results(run.id, CANDIDATE)
        settling = decisive(results)
        with self.database.begin() as conn:

            def without_login() -> None:
                if settling is None:
                    runs.settle_without_credential(conn, run.id)
                    for result in results:
                        _settle_unfit(conn, run.id, result)
                    restraint.recall(conn, run.id, servers_of(results), CANDIDATE)

            runs.plan(conn, run, self.config.canaries, self.config.page_size, without_login, self._known_since())
            if settling:
                protocol = settling.endpoint.protocol.value
                runs.settle(conn, run.id, settling.verdict, settling.code, protocol, settling.seen)
                runs.close_pages(conn, run.id, CANDIDATE)
            else:
                runs.close_idle_pages(conn, run.id, CANDIDATE)
            runs.move(conn, run.id, ("endpoints",), "mailboxes" if settling else "canaries", self.now())

    # -- canaries

    def judge_canaries(self, run_id: str) -> bool:
        """After the canaries: all rejected alike ends the logins, anything else opens the pages to all lanes.

        False, and nothing is judged, where another lane is still at the canaries.
        """
        with self.database.begin() as conn:
            if runs.page_is_open(conn, run_id, CANDIDATE, runs.CANARY_PAGE):
                return False
            outcomes = runs.page_outcomes(conn, run_id, CANDIDATE, runs.CANARY_PAGE)
            alike = like_failure(outcomes)
            if alike and runs.move(conn, run_id, ("canaries",), "mailboxes", self.now()):
                runs.leave_untried(conn, run_id, _suspected(conn, run_id, alike))
        if not alike:
            self.open_pages(run_id)
        return True

    def break_off(self, run_id: str, code: Code) -> None:
        """Ends the logins of a run in the middle: one failure after the other was the same."""
        log.warning("run %s is broken off after like failures: %s", run_id, code)
        with self.database.begin() as conn:
            runs.lock(conn, run_id)
            run = runs.get(conn, run_id)
            if run is not None and run.stage == "baseline":
                runs.settle_baseline(conn, run_id, Verdict.INCONCLUSIVE, Code.RUN_NOT_TRIED)
                runs.close_pages(conn, run_id, BASELINE)
            else:
                runs.leave_untried(conn, run_id, code)

    def open_pages(self, run_id: str) -> bool:
        """Lets every lane at the pages; the caller is one of them. False where that was done already."""
        with self.database.begin() as conn:
            opened = runs.move(conn, run_id, ("canaries",), "mailboxes", self.now())
            run = runs.get(conn, run_id)
        if opened and run:
            for _ in range(self._lanes(run) - 1):
                self.send("run_page", run)
        return opened

    # -- baseline and report

    def _baseline_or_report(self, run: Run) -> bool:
        """True where baseline logins are needed before the report. Canaries may be all there is: they count too."""
        if run.stage != "baseline" and run.baseline_settings_id:
            self._begin_baseline(run, run.baseline_settings_id)
            with self.database.begin() as conn:
                if runs.pages_open(conn, run.id, BASELINE):
                    runs.move(conn, run.id, ("canaries", "mailboxes"), "baseline", self.now())
                    return True
        self._report(run)
        return False

    def _known_since(self) -> float:
        return self.now() - self.config.state_hours * 3600

    def _needs_baseline(self, run: Run) -> bool:
        with self.database.read() as conn:
            return runs.baseline_needed(conn, run.id)

    def _begin_baseline(self, run: Run, baseline_settings_id: int) -> None:
        """What the settings in force would say, first by what is known already, then by logins."""
        with self.database.begin() as conn:
            runs.lock(conn, run.id)
            proposed = domains.load_settings(conn, run.settings_id)
            in_force = domains.load_settings(conn, baseline_settings_id)
            for protocol, code, _ in runs.baseline_protocols(conn, run.id):
                if protocol and same_failure(proposed, in_force, Protocol(protocol), code):
                    runs.settle_baseline(conn, run.id, Verdict.FAIL, code, failed=(protocol, code))
        if not self._needs_baseline(run):
            return
        settling = decisive(self._check_endpoints(run, BASELINE, baseline_settings_id))
        with self.database.begin() as conn:
            runs.lock(conn, run.id)
            if settling:
                runs.settle_baseline(conn, run.id, settling.verdict, settling.code)
            elif runs.plan_baseline(conn, run.id, self.config.page_size):
                restraint.recall(conn, run.id, servers_of(self.endpoint_results(run.id, BASELINE)), BASELINE)
                runs.close_idle_pages(conn, run.id, BASELINE)

    def _report(self, run: Run) -> None:
        endpoints = self.endpoint_results(run.id, CANDIDATE)
        with self.database.begin() as conn:
            runs.lock(conn, run.id)  # nothing comes in between counting and closing
            counts, checksum = summarise(runs.rows(conn, run.id), endpoints)
            if not runs.finish(conn, run.id, counts, checksum, self.now()):
                return
            if run.change_id is None:
                end_slice(self, conn, run)
            elif run.kind == "preflight":
                changes.mark_verified(conn, run.change_id, self.now())
            else:
                judge_watch(self, conn, run, run.change_id)
        if is_slice(run):
            begin_slices(self)  # this one made room

    # -- helpers

    def _lanes(self, run: Run) -> int:
        """How many lanes a run has at most: a slice for health has one, and leaves the other slots to other domains."""
        return 1 if is_slice(run) else self.config.lanes

    def _claim(self, run_id: str, owner: str) -> Run | None:
        with self.database.begin() as conn:
            if not runs.claim(conn, run_id, owner, self.now(), self.now() + STEP_LEASE_SECONDS):
                return None
            return runs.get(conn, run_id)

    def _release(self, run_id: str, owner: str) -> None:
        with self.database.begin() as conn:
            runs.release(conn, run_id, owner)

    def _pages_open(self, run: Run) -> int:
        with self.database.read() as conn:
            return runs.pages_open(conn, run.id, phase_of(run))


def like_failure(outcomes: Sequence[tuple[Verdict, Code]]) -> Code | None:
    """The code of canaries that came to the same bad end. One that could not be told does not make them differ."""
    lasting = [code for verdict, code in outcomes if verdict is Verdict.FAIL]
    codes = lasting or [code for _, code in outcomes]
    works = any(verdict is Verdict.OK for verdict, _ in outcomes)
    return codes[0] if len(codes) == 1 and not works else None


def servers_of(results: Iterable[EndpointResult]) -> dict[str, str]:
    """Protocol -> the server that logins of it go to, as rejections are remembered by."""
    return {str(item.endpoint.protocol): f"{item.endpoint.host}:{item.endpoint.port}" for item in results}


def _settle_unfit(conn: Connection, run_id: str, result: EndpointResult) -> None:
    """Mailboxes whose kind of credential the endpoint does not take fail by that fact, and nothing is sent."""
    for kind, fault in unfit_credentials(result).items():
        runs.settle_kind(conn, run_id, kind, fault.code, result.endpoint.protocol.value, fault.seen)


def _suspected(conn: Connection, run_id: str, code: Code) -> Code:
    """Why no more mailboxes are tried, where all canaries failed with `code`.

    Exchange rejects everybody alike for reasons of its own: Extended Protection behind a proxy, another form of user
    names, a login method that is offered and does not work. So the passwords are not to blame, and may be tried again.
    """
    tried = runs.page_tried(conn, run_id, runs.CANARY_PAGE)
    exchange = Protocol.HTTPS.value in runs.endpoint_documents(conn, run_id, CANDIDATE)
    if not (exchange and code is Code.AUTH_REJECTED and len(tried) > 1):
        return code
    restraint.forget(conn, tried)
    runs.stop(conn, run_id, Code.EXCHANGE_ALL_REJECTED, "0")  # how many are left untried is counted after this
    return Code.EXCHANGE_ALL_REJECTED


def phase_of(run: Run) -> Phase:
    """Which settings a run is trying."""
    return BASELINE if run.stage == "baseline" else CANDIDATE


def same_failure(proposed: Settings, in_force: Settings, protocol: Protocol, code: Code) -> bool:
    """Whether a failure with the proposed settings is one with those in force too, without another login.

    It is where the endpoint is the same, or where the same server rejected the mailbox: a credential that a server
    rejected is not sent to it again. On other than the standard ports of one host, two servers may live; and behind
    another path of one server another Exchange, which has other mailboxes but asks the same directory for passwords.
    """
    new, old = _endpoint(proposed, protocol), _endpoint(in_force, protocol)
    if new is None or old is None or new.host != old.host:
        return False
    rejected = CODES[code].blame is Blame.MAILBOX and not code.startswith("exchange.")
    if rejected and (new.port == old.port or {new.port, old.port} <= STANDARD[protocol]):
        return True
    return new == old and trust_of(proposed) == trust_of(in_force)


def trust_of(settings: Settings) -> tuple[bool, str]:
    """What of the settings decides about certificates."""
    return settings.allow_insecure_certificate, settings.ca_pem


def _endpoint(settings: Settings, protocol: Protocol) -> Endpoint | None:
    """None where the settings are of the other kind."""
    return next((endpoint for endpoint in settings.endpoints if endpoint.protocol is protocol), None)
