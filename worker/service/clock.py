"""The clock of a sandbox: put on, with what health checks would have found meanwhile."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from checks.model import Unknown
from settings_store.health import schedule
from settings_store.sandbox import accounts, passed_time
from worker.health.endpoint_lane import EndpointLane
from worker.incidents.judge import judge_sandboxes
from worker.resources import Resources
from worker.service.bound_to import Binding

_STEPS = 12
_REMINDERS = 30


@dataclass(frozen=True, slots=True)
class Clock:
    """Of one account, which has one where it is a sandbox. Each raises `Unknown` where it is none."""

    _to: Binding

    def ahead(self) -> float:
        """How far it is ahead of ours, in seconds."""
        with self._to.database.read() as conn:
            found = accounts.ahead_of(conn, self._to.account_id)
        if found is None:
            raise Unknown("this account is no sandbox", "account")
        return found

    def advance(self, seconds: float) -> float:
        """Lets so many seconds pass, and returns how far it is ahead then.

        The last hour is played in steps, with a health check at each, for one alone is never certain. What lies before
        passes in as many as there are reminders of an incident in it, of the last month at most.
        """
        ahead = self.ahead()
        self._look()
        for passing in self._pieces(seconds):
            with self._to.database.begin() as conn:
                ahead = passed_time.advance(conn, self._to.account_id, passing)
            self._look()
        return ahead

    def _pieces(self, seconds: float) -> Iterator[float]:
        """What passes between one look and the next."""
        step, between = self._to.config.health_endpoint_minutes * 60, self._to.config.reminder_hours * 3600
        steps = min(_STEPS, int(seconds // step))
        before = seconds - steps * step
        reminders = min(_REMINDERS, int(before // between)) if between else 0
        yield before - reminders * between
        yield from itertools.repeat(between, reminders)
        yield from itertools.repeat(step, steps)

    def _look(self) -> None:
        """Checks what is due of this sandbox and nothing else, and judges it."""
        to = self._to
        resources = Resources(to.database, to.vault, to.config, to.publish, to.database.now)
        with to.database.begin() as conn:
            schedule.enrol(conn, resources.now(), 0.0, to.config.health_slice_minutes * 60, only=to.account_id)
        EndpointLane(resources, only=to.account_id).run()
        judge_sandboxes(resources)
