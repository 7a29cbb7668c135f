"""The use cases of runs: somebody works on them, and somebody watches how far they are."""

import contextlib
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass

from checks.model import EndpointResult, Unavailable
from settings_store.runs import endpoints, outcomes, runs
from settings_store.runs.runs import Stage
from worker.runs.endpoints import results_of
from worker.service.bound_to import Binding

_POLL_SECONDS, _POLL_HERE_SECONDS = 0.05, 0.25  # news of an end comes by itself where the work is done here
_TALLY_SECONDS, _LONGEST_TALLY_SECONDS = 0.25, 0.5
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
class Runs:
    """Of one account. Each raises `Invalid` for a run that the account does not have."""

    _to: Binding

    def working(self) -> AbstractContextManager[None]:
        """Somebody works on runs meanwhile: this process when embedded, else whoever the broker reaches.

        Raises `Unavailable` when the broker does not answer.
        """
        return self._to.working()

    def follow(self, run_id: str, timeout: float | None = None, *, every: float = _TALLY_SECONDS) -> Iterator[Progress]:
        """The run's progress, `every` so many seconds at most, and at its end. Sweeps when the run stalls.

        Raises `TimeoutError` after `timeout` seconds.
        """
        begun = told = swept = time.monotonic()
        rhythm, poll = every, _POLL_HERE_SECONDS if self._to.config.embedded else _POLL_SECONDS
        ended = self._to.ended()
        yield self.progress(run_id)
        while True:
            known = ended.count
            if self._ended(run_id):
                break
            now = time.monotonic()
            if timeout is not None and now - begun > timeout:
                raise TimeoutError(f"run {run_id} has not ended in {timeout:.0f} seconds")
            if now - swept > _STALL_SECONDS:
                swept = now
                # Whoever reads it may go on where nobody can write, as when the disk is full.
                with contextlib.suppress(Unavailable):
                    self._to.sweep(run_id)
            if now - told > rhythm:
                told, progress = now, self.progress(run_id)
                # Counting takes longer the more there is: a hundredth of the time is enough for it. But there is news
                # within a second, however many there are, for whoever wants it.
                rhythm = max(every, min(_LONGEST_TALLY_SECONDS, progress.total * 1e-4))
                yield progress
            ended.wait(known, poll)
        yield self.progress(run_id)

    def progress(self, run_id: str) -> Progress:
        """How far a run is."""
        with self._to.database.read() as conn:
            run = runs.get(conn, self._to.account_id, run_id)
            tally = outcomes.tally(conn, run.id)
            results = results_of(endpoints.documents(conn, run.id, runs.CANDIDATE))
        return Progress(tally.stage, results, tally.total, tally.ok, tally.fail, tally.inconclusive)

    def _ended(self, run_id: str) -> bool:
        with self._to.database.read() as conn:
            return (runs.stage_of(conn, run_id) or "cancelled") in runs.ENDED
