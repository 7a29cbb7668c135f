"""The one door: every use case of one account, for one actor."""

from dataclasses import dataclass
from typing import Self

from worker.service.access.access import Access
from worker.service.access.audit import Audit
from worker.service.alerts import Alerts
from worker.service.bound_to import Binding
from worker.service.changes.changes import Changes
from worker.service.changes.letters import Letters
from worker.service.changes.pending import Pending
from worker.service.changes.watches import Watches
from worker.service.checks import Checks
from worker.service.clock import Clock
from worker.service.domains.discovery import Discoveries
from worker.service.domains.domains import Domains
from worker.service.domains.egress import Egress
from worker.service.events import Events
from worker.service.health.health import Health
from worker.service.health.incidents import Incidents
from worker.service.health.maintenance import Maintenance
from worker.service.mailboxes import Mailboxes
from worker.service.runs import Runs
from worker.service.webhooks import Webhooks


@dataclass(frozen=True, slots=True)
class Account:
    """No method of these takes an account or an actor, and none reaches another account's rows.

    A change, run, channel, maintenance or domain of another account answers as one that does not exist.
    """

    changes: Changes
    letters: Letters
    runs: Runs
    mailboxes: Mailboxes
    domains: Domains
    health: Health
    incidents: Incidents
    maintenance: Maintenance
    alerts: Alerts
    watches: Watches
    access: Access
    events: Events
    checks: Checks
    audit: Audit
    webhooks: Webhooks
    clock: Clock
    discoveries: Discoveries
    egress: Egress
    pending: Pending

    @classmethod
    def bind(cls, to: Binding) -> Self:
        """The use cases, bound."""
        return cls(
            Changes(to),
            Letters(to),
            Runs(to),
            Mailboxes(to),
            Domains(to),
            Health(to),
            Incidents(to),
            Maintenance(to),
            Alerts(to),
            Watches(to),
            Access(to.database, to.account_id, to.actor),
            Events(to),
            Checks(to),
            Audit(to),
            Webhooks(to),
            Clock(to),
            Discoveries(to),
            Egress(to),
            Pending(to),
        )
