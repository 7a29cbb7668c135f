"""The one door: every use case of one account, for one actor.

What a use case needs is imported when it is first asked for: a command uses two or three of them, and its user waits.
"""

from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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


class Account:
    """No method of these takes an account or an actor, and none reaches another account's rows.

    A change, run, channel, maintenance or domain of another account answers as one that does not exist.
    """

    def __init__(self, to: "Binding") -> None:
        self._to = to

    @cached_property
    def changes(self) -> "Changes":
        from worker.service.changes.changes import Changes

        return Changes(self._to)

    @cached_property
    def letters(self) -> "Letters":
        from worker.service.changes.letters import Letters

        return Letters(self._to)

    @cached_property
    def runs(self) -> "Runs":
        from worker.service.runs import Runs

        return Runs(self._to)

    @cached_property
    def mailboxes(self) -> "Mailboxes":
        from worker.service.mailboxes import Mailboxes

        return Mailboxes(self._to)

    @cached_property
    def domains(self) -> "Domains":
        from worker.service.domains.domains import Domains

        return Domains(self._to)

    @cached_property
    def health(self) -> "Health":
        from worker.service.health.health import Health

        return Health(self._to)

    @cached_property
    def incidents(self) -> "Incidents":
        from worker.service.health.incidents import Incidents

        return Incidents(self._to)

    @cached_property
    def maintenance(self) -> "Maintenance":
        from worker.service.health.maintenance import Maintenance

        return Maintenance(self._to)

    @cached_property
    def alerts(self) -> "Alerts":
        from worker.service.alerts import Alerts

        return Alerts(self._to)

    @cached_property
    def watches(self) -> "Watches":
        from worker.service.changes.watches import Watches

        return Watches(self._to)

    @cached_property
    def access(self) -> "Access":
        from worker.service.access.access import Access

        return Access(self._to.database, self._to.account_id, self._to.actor)

    @cached_property
    def events(self) -> "Events":
        from worker.service.events import Events

        return Events(self._to)

    @cached_property
    def checks(self) -> "Checks":
        from worker.service.checks import Checks

        return Checks(self._to)

    @cached_property
    def audit(self) -> "Audit":
        from worker.service.access.audit import Audit

        return Audit(self._to)

    @cached_property
    def webhooks(self) -> "Webhooks":
        from worker.service.webhooks import Webhooks

        return Webhooks(self._to)

    @cached_property
    def clock(self) -> "Clock":
        from worker.service.clock import Clock

        return Clock(self._to)

    @cached_property
    def discoveries(self) -> "Discoveries":
        from worker.service.domains.discovery import Discoveries

        return Discoveries(self._to)

    @cached_property
    def egress(self) -> "Egress":
        from worker.service.domains.egress import Egress

        return Egress(self._to)

    @cached_property
    def pending(self) -> "Pending":
        from worker.service.changes.pending import Pending

        return Pending(self._to)
