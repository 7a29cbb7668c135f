"""The course of an incident: it recovers, fails again, is reminded of and ends. Pure.

One opened, one resolved: what recovers and fails again before that has lasted is the same incident, and has to last
longer each time. Nothing is said of what nobody knows.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from settings_store.incidents.evidence import Known
from settings_store.incidents.incidents import Open, Scope, Severity
from worker.incidents.correlation import covers
from worker.incidents.own_outage import Condition

Step = Literal["reopen", "recover", "unsettle", "resolve", "drop", "remind"]

LONGEST_SETTLE_SECONDS = 3600.0
NOTICE_REMINDER_SECONDS = 7 * 86400.0
"""What is said weeks ahead is not repeated every day."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long it has to be well, and how often to remind, in seconds; 0: never."""

    settle_seconds: float
    reminder_seconds: float

    def settle(self, reopened: int) -> float:
        """How long all has to be well after having been reopened so often."""
        doubled = self.settle_seconds * 2.0 ** min(reopened, 20)
        return min(doubled, max(self.settle_seconds, LONGEST_SETTLE_SECONDS))

    def reminder(self, scope: Scope, severity: Severity) -> float | None:
        """How often to remind of such an incident, None for never."""
        if not self.reminder_seconds or severity is Severity.INFO:
            return None
        return max(self.reminder_seconds, NOTICE_REMINDER_SECONDS) if scope is Scope.NOTICE else self.reminder_seconds


def step_of(incident: Open, condition: Condition, pace: Pace, now: float, *, stirring: bool = False) -> Step | None:
    """What becomes of an incident now. `stirring`: it has begun to fail again, which is not certain yet."""
    if condition == "gone":
        return "drop"
    if incident.recovered_at is None:
        return "recover" if condition == "ok" else _remind(incident, condition, now)
    if condition == "bad":
        return "reopen"
    if stirring:
        return "unsettle"  # from now on it has to be well for so long
    settled = now - incident.recovered_at >= pace.settle(incident.reopened)
    return "resolve" if condition == "ok" and settled else None


def _remind(incident: Open, condition: Condition, now: float) -> Step | None:
    due = incident.remind_at is not None and incident.remind_at <= now
    return "remind" if due and condition == "bad" else None


def endpoint_condition(
    incident: Open, rows: Mapping[int, Sequence[Known]], unwatched: Collection[int]
) -> tuple[Condition, bool]:
    """How the endpoints of an incident are, and whether one stirs. `rows` are by domain.

    `unwatched` domains are paused or have no settings.
    """
    conditions = []
    for domain_id in incident.domain_ids:
        own = rows.get(domain_id, ())
        conditions.append("gone" if domain_id in unwatched else _of_domain(incident, own))
    mine = (row for domain_id in incident.domain_ids for row in rows.get(domain_id, ()) if covers(incident, row))
    return together(conditions), any(row.stirring for row in mine)


def _of_domain(incident: Open, rows: Sequence[Known]) -> Condition:
    if not rows or any(row.resting or not row.in_force for row in rows):
        return "unclear"
    mine = [row for row in rows if covers(incident, row)]
    if mine:
        return "bad" if any(row.bad for row in mine) else _of_working(mine)
    # The settings name other endpoints now; where those fail it is another cause, and another incident.
    return "gone" if any(row.bad for row in rows) else _of_working(rows)


def _of_working(rows: Sequence[Known]) -> Condition:
    return "ok" if all(row.state == "ok" for row in rows) else "unclear"


def together(conditions: Iterable[Condition]) -> Condition:
    """The condition of what has several parts: it works when all parts that are left do."""
    found = set(conditions)
    order: tuple[Condition, ...] = ("bad", "unclear", "ok")
    return next((condition for condition in order if condition in found), "gone")
