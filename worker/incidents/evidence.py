"""What is known when incidents are judged: read once, when it is first asked for."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from sqlalchemy import Connection

from checks.model import MailboxState
from settings_store.incidents import evidence, incidents
from settings_store.incidents.evidence import Known, Probe
from settings_store.incidents.incidents import Open, Scope
from settings_store.sandbox import accounts as sandboxes
from worker.config import Config
from worker.incidents.correlation import Findings, correlate
from worker.incidents.lifecycle import LONGEST_SETTLE_SECONDS, Pace, endpoint_condition
from worker.incidents.mailbox_causes import single_condition, together_condition
from worker.incidents.notice_incidents import Foreseen, foreseen, notice_condition
from worker.incidents.own_outage import RECENT_SECONDS, SERVICE, Condition, Limits, ours_condition

OF_SERVERS = (Scope.ENDPOINT, Scope.SERVER)
_SETTLED_CHECKS = 2.5  # intervals between checks: at least two whole ones
_STALE_CHECKS = 3  # endpoints are checked so often before a check is history


def pace_of(config: Config) -> Pace:
    """How long incidents have to be well, and how often to remind of them.

    Well means that some checks said so: what comes and goes between two of them would seem well.
    """
    settle = config.health_settle_minutes * 60
    least = _SETTLED_CHECKS * config.health_endpoint_minutes * 60
    return Pace(max(settle, least) if settle else 0.0, config.reminder_hours * 3600)


@dataclass
class Case:
    """The evidence in one transaction. `now` is in UTC seconds since 1970.

    `sandboxed`: of the sandboxes, where all is planned, and nothing says how we are; else of all that is real.
    """

    conn: Connection
    config: Config
    now: float
    sandboxed: bool = False

    @cached_property
    def _sandboxes(self) -> Collection[int]:
        return set(sandboxes.all_ids(self.conn))

    def is_mine(self, account_id: int | None) -> bool:
        """Whether what an account has is part of this case; None is the operator."""
        return (account_id in self._sandboxes) is self.sandboxed

    @cached_property
    def open(self) -> list[Open]:
        mine = (incident for incident in incidents.open_ones(self.conn) if self.is_mine(incident.account_id))
        return [self._not_ahead(incident) for incident in mine]

    @cached_property
    def rows(self) -> list[Known]:
        found = evidence.known(self.conn, self.config.health_fails, self.now)
        return [row for row in found if self.is_mine(row.account_id)]

    @cached_property
    def by_domain(self) -> Mapping[int, Sequence[Known]]:
        found: dict[int, list[Known]] = {}
        for row in self.rows:
            found.setdefault(row.domain_id, []).append(row)
        return found

    @cached_property
    def probes(self) -> Sequence[Probe]:
        """Nothing, where nothing fails: then they are not needed, and they are many. Nothing in a sandbox."""
        if self.sandboxed:
            return ()
        ours = any(incident.account_id is None for incident in self.open)
        needed = ours or any(row.stirring for row in self.rows)
        return evidence.probes(self.conn, self.now - RECENT_SECONDS, self.now) if needed else ()

    @cached_property
    def by_source(self) -> Sequence[Probe]:
        return evidence.probes_by_source(self.conn, self.now - RECENT_SECONDS) if self.probes else ()

    @cached_property
    def limits(self) -> Limits:
        fresh = max(RECENT_SECONDS, _STALE_CHECKS * self.config.health_endpoint_minutes * 60)
        lately = self.now - LONGEST_SETTLE_SECONDS
        until = 0.0 if self.sandboxed else evidence.all_bad_until(self.conn, lately)
        return Limits(self.config.health_fails, self.config.health_retry_seconds, fresh, until)

    @cached_property
    def _concerned(self) -> Collection[int]:
        """The domains that open incidents are about."""
        return {domain_id for incident in self.open for domain_id in incident.domain_ids}

    @cached_property
    def unwatched(self) -> set[int]:
        return evidence.unwatched(self.conn, self._concerned)

    @cached_property
    def unclear(self) -> set[int]:
        return evidence.unclear_domains(self.conn, self._concerned, self.now)

    @cached_property
    def _states(self) -> Mapping[int, MailboxState]:
        """Of the mailboxes that open incidents are about, one each."""
        return evidence.states_of(self.conn, [incident.mailbox_id for incident in self.open if incident.mailbox_id])

    @cached_property
    def foreseen(self) -> list[Foreseen]:
        return foreseen(self.rows, self.now)

    @cached_property
    def _foretold(self) -> Collection[tuple[str, int]]:
        """The subjects and domains of what is foreseen."""
        return {(item.subject, item.row.domain_id) for item in self.foreseen}

    @cached_property
    def found(self) -> Findings:
        return correlate(self.rows, self.probes, self.by_source, self.open, self.limits, self.now)

    @cached_property
    def pace(self) -> Pace:
        return pace_of(self.config)

    def _not_ahead(self, incident: Open) -> Open:
        """With no time ahead of a clock that was put back."""
        every = self.pace.reminder(incident.scope, incident.severity)
        remind_at = None if every is None or incident.remind_at is None else min(incident.remind_at, self.now + every)
        recovered_at = None if incident.recovered_at is None else min(incident.recovered_at, self.now)
        if (recovered_at, remind_at) != (incident.recovered_at, incident.remind_at):
            incidents.set_times(self.conn, incident.id, recovered_at, remind_at)
        return replace(incident, recovered_at=recovered_at, remind_at=remind_at)

    @property
    def all_bad(self) -> bool:
        """Whether everything fails, or did a moment ago: then nothing is concluded about a customer's."""
        return self.found.service is not None or any(incident.subject == SERVICE for incident in self.open)

    def condition(self, incident: Open) -> tuple[Condition, bool]:
        """How things are with what an incident is about, and whether that has begun to fail again."""
        if incident.account_id is None:
            failing = {opening.subject for opening in self.found.ours}
            return ours_condition(incident, failing, self.probes, self.by_source, self.now), False
        if incident.scope in OF_SERVERS:
            return endpoint_condition(incident, self.by_domain, self.unwatched)
        if incident.scope is Scope.NOTICE:
            return notice_condition(incident, self._foretold, self.by_domain, self.unwatched, self.now), False
        return self._mailbox_condition(incident), False

    def _mailbox_condition(self, incident: Open) -> Condition:
        domain_id = next(iter(incident.domain_ids), 0)
        unclear, unwatched = domain_id in self.unclear, domain_id in self.unwatched
        if incident.scope is Scope.MAILBOXES:
            left = evidence.count_like(self.conn, domain_id, incident.code, incident.since)
            return together_condition(left, unclear=unclear, unwatched=unwatched)
        state = self._states.get(incident.mailbox_id or 0)
        return single_condition(state, unclear=unclear, unwatched=unwatched)
