"""How a run flows: endpoints, canaries, mailboxes, baseline, report.

Every step may come twice, late or not at all. The database says what is left to do; a message only says that there may
be something. Messages are published after the commit, and what is lost with the broker is found by the sweep.
"""

import logging
import uuid
from collections.abc import Callable

from checks.codes import Code, Verdict
from settings_store.runs import baseline, outcomes, pages, runs
from settings_store.runs.runs import BASELINE, CANDIDATE, Phase, Run
from worker.resources import Resources
from worker.runs.baseline import begin_baseline
from worker.runs.canaries import like_failure, settle_rejections, suspected
from worker.runs.endpoints import check_endpoints
from worker.runs.planning import plan_mailboxes
from worker.runs.second_look import look_again

log = logging.getLogger(__name__)

LEASE_SECONDS = 30.0
STEP_LEASE_SECONDS = 45.0  # endpoints wait up to 10 seconds and take up to 30, planning and reporting little
IDLE_SECONDS = 10.0
SWEEP_LIMIT = 50


class Flow:
    """The use cases of a run. `finish` is given a run whose last mailbox is done: it writes the report, once."""

    def __init__(self, resources: Resources, finish: Callable[[Resources, Run], None]) -> None:
        self.resources = resources
        self._finish = finish

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
                check_endpoints(self.resources, run, CANDIDATE, run.settings_id)
                plan_mailboxes(self.resources, run)
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
        with self.resources.database.read() as conn:
            run = runs.load(conn, run_id)
        if run is None or run.stage in runs.ENDED:
            return
        if run.stage in {"queued", "endpoints"}:
            self.resources.send("start_run", run)
        elif not self._pages_open(run):
            self.resources.send("finish_run", run)
        else:
            for _ in range(1 if run.stage == "canaries" else self._lanes(run)):
                self.resources.send("run_page", run)

    def advance_after_lane(self, run_id: str) -> None:
        """A lane has ended: the report, where it was the last one, or another lane for pages that nobody has."""
        with self.resources.database.read() as conn:
            run = runs.load(conn, run_id)
            if run is None or run.stage in runs.ENDED:
                return
            left = pages.count_open(conn, run_id, phase_of(run))
            free = pages.free(conn, run_id, phase_of(run), self.resources.now())
            # What they come to belongs to the report: the last lane of a run that was broken off closes it.
            others = pages.is_leased(conn, run_id, phase_of(run), self.resources.now())
        if not left and not others:
            self.resources.send("finish_run", run)
        elif free:
            self.resources.send("run_page", run)

    def sweep(self, only: str | None = None) -> int:
        """Sets runs going again that nobody takes care of: a killed worker's, or a lost broker's. Returns how many.

        `only` names the one run that the caller may take care of.
        """
        with self.resources.database.begin() as conn:
            stalled = runs.stalled(conn, self.resources.now(), IDLE_SECONDS, SWEEP_LIMIT)
            found = [run for run in stalled if only is None or run.id == only]
            for run in sorted(found, key=lambda run: run.id):  # one order, for two sweeps may meet
                runs.touch(conn, run.id, self.resources.now())
        for run in found:
            log.warning("run %s has stalled in stage %s; it is set going again", run.id, run.stage)
            self.advance(run.id)
        return len(found)

    # -- canaries

    def judge_canaries(self, run_id: str) -> bool:
        """After the canaries: all rejected alike ends the logins, anything else opens the pages to all lanes.

        False, and nothing is judged, where another lane is still at the canaries.
        """
        with self.resources.database.begin() as conn:
            if pages.is_open(conn, run_id, CANDIDATE, pages.CANARY_PAGE):
                return False
            alike = like_failure(outcomes.of_page(conn, run_id, CANDIDATE, pages.CANARY_PAGE))
            if alike and runs.move(conn, run_id, ("canaries",), "mailboxes", self.resources.now()):
                code = suspected(self.resources, conn, run_id, alike)
                outcomes.leave_untried(conn, run_id, code, self.resources.now())
        if not alike:
            self.open_pages(run_id)
        return True

    def break_off(self, run_id: str, code: Code) -> None:
        """Ends the logins of a run in the middle: one failure after the other was the same."""
        log.warning("run %s is broken off after like failures: %s", run_id, code)
        with self.resources.database.begin() as conn:
            runs.lock(conn, run_id)
            run = runs.load(conn, run_id)
            if run is not None and run.stage == "baseline":
                baseline.settle(conn, run_id, Verdict.INCONCLUSIVE, Code.RUN_NOT_TRIED)
                pages.close(conn, run_id, BASELINE)
            else:
                outcomes.leave_untried(conn, run_id, code, self.resources.now())

    def open_pages(self, run_id: str) -> bool:
        """Lets every lane at the pages; the caller is one of them. False where that was done already."""
        with self.resources.database.begin() as conn:
            opened = runs.move(conn, run_id, ("canaries",), "mailboxes", self.resources.now())
            run = runs.load(conn, run_id)
        if opened and run:
            for _ in range(self._lanes(run) - 1):
                self.resources.send("run_page", run)
        return opened

    # -- baseline and report

    def _baseline_or_report(self, run: Run) -> bool:
        """True where baseline logins are needed before the report. Canaries may be all there is: they count too."""
        if run.stage != "baseline":
            with self.resources.database.begin() as conn:
                settle_rejections(self.resources, conn, run.id)
        if run.stage != "baseline" and run.baseline_settings_id:
            begin_baseline(self.resources, run, run.baseline_settings_id)
            with self.resources.database.begin() as conn:
                if pages.count_open(conn, run.id, BASELINE):
                    runs.move(conn, run.id, ("canaries", "mailboxes"), "baseline", self.resources.now())
                    return True
        if run.kind == "preflight":
            look_again(self.resources, run)
        self._finish(self.resources, run)
        self.resources.news.tell()
        return False

    # -- helpers

    def _lanes(self, run: Run) -> int:
        """How many lanes a run has at most: a slice for health has one, and leaves the other slots to other domains."""
        return 1 if run.is_slice else self.resources.config.lanes

    def _claim(self, run_id: str, owner: str) -> Run | None:
        with self.resources.database.begin() as conn:
            if not runs.claim(conn, run_id, owner, self.resources.now(), self.resources.now() + STEP_LEASE_SECONDS):
                return None
            return runs.load(conn, run_id)

    def _release(self, run_id: str, owner: str) -> None:
        with self.resources.database.begin() as conn:
            runs.release(conn, run_id, owner)

    def _pages_open(self, run: Run) -> int:
        with self.resources.database.read() as conn:
            return pages.count_open(conn, run.id, phase_of(run))


def phase_of(run: Run) -> Phase:
    """Which settings a run is trying."""
    return BASELINE if run.stage == "baseline" else CANDIDATE
