"""The use cases of domains."""

from dataclasses import dataclass

from sqlalchemy import Connection

from checks.model import Invalid
from checks.settings import Settings, normalise_domain
from settings_store import domains, removal
from settings_store.changes import approval, changes
from settings_store.domains import DomainSummary
from settings_store.events import events
from settings_store.events.event import Event
from settings_store.events.kinds import (
    ChangeApplied,
    ChangeApproved,
    ChangeDiscarded,
    ChangeRolledBack,
    ChangeSaved,
    ChangeVerified,
    ChangeWatchFailed,
    DomainApprovalSet,
    IncidentDropped,
    IncidentOpened,
    IncidentResolved,
    MailboxesImported,
    MailboxesRemoved,
)
from settings_store.removal import Ends
from worker.service.bound_to import Binding

_LISTED = 1000

TIMELINE = (
    ChangeSaved.KIND,
    ChangeVerified.KIND,
    ChangeApproved.KIND,
    ChangeApplied.KIND,
    ChangeWatchFailed.KIND,
    ChangeRolledBack.KIND,
    ChangeDiscarded.KIND,
    DomainApprovalSet.KIND,
    MailboxesImported.KIND,
    MailboxesRemoved.KIND,
    IncidentOpened.KIND,
    IncidentResolved.KIND,
    IncidentDropped.KIND,
)
"""The kinds of events that a domain's timeline tells."""


@dataclass(frozen=True, slots=True)
class Moment:
    """An event of a timeline. Of a change that was saved, the settings before and after it."""

    event: Event
    before: Settings | None = None
    after: Settings | None = None


@dataclass(frozen=True, slots=True)
class Domains:
    """Of one account."""

    _to: Binding

    def summaries(self) -> list[DomainSummary]:
        """Every domain with its settings in force and its mailboxes counted, by name."""
        with self._to.database.read() as conn:
            return domains.list_domains(conn, self._to.account_id)

    def page(self, after: str, limit: int) -> list[DomainSummary]:
        """As `summaries`, of those whose name comes after `after`, `limit` at most."""
        with self._to.database.read() as conn:
            return domains.list_domains(conn, self._to.account_id, after=after, limit=limit)

    def summary(self, domain: str) -> DomainSummary:
        """One domain. Raises `Invalid`."""
        with self._to.database.read() as conn:
            return domains.summary_of(conn, domains.find_domain(conn, self._to.account_id, domain).id)

    def make_known(self, domain: str) -> bool:
        """Makes a domain known, without settings or mailboxes. False where it was known already. Raises `Invalid`."""
        with self._to.database.begin() as conn:
            known = domains.is_known(conn, self._to.account_id, domain)
            domains.ensure_domain(conn, self._to.account_id, domain)
        return not known

    def set_approval(self, domain: str, *, needed: bool) -> None:
        """From now on changes of the domain need a second person's approval, or need none. Raises `Invalid`."""
        to = self._to
        with to.database.begin() as conn:
            domain_id = domains.find_domain(conn, to.account_id, domain).id
            approval.set_needed(conn, domain_id, needed=needed, now=to.database.now(), actor=to.actor)

    def what_ends(self, domain: str) -> Ends:
        """What `remove` would end. Raises `Invalid`."""
        with self._to.database.read() as conn:
            return removal.what_ends(conn, domains.find_domain(conn, self._to.account_id, domain))

    def remove(self, domain: str) -> Ends:
        """Gives a domain up, with its settings, mailboxes, changes and history. Raises `Invalid`."""
        to = self._to
        with to.database.begin() as conn:
            found = domains.find_domain(conn, to.account_id, domain)
            return removal.remove_domain(conn, found, to.database.now(), to.actor)

    def timeline(self, domain: str, before: int | None = None, limit: int = 50) -> list[Moment]:
        """What happened to a domain's settings and mailboxes, and its incidents, the newest first.

        At most `limit`, of those before the event with that number. Raises `Invalid`.
        """
        with self._to.database.read() as conn:
            found = domains.find_domain(conn, self._to.account_id, domain)
            told = events.newest_of_domain(conn, self._to.account_id, found.id, TIMELINE, before, limit)
            return [Moment(event, *_settings(conn, event)) for event in told]

    def history(self, domain: str) -> list[Event]:
        """What happened to a domain, oldest first, and when one of that name was given up. Raises `Invalid`."""
        with self._to.database.read() as conn:
            removed = events.removals(conn, self._to.account_id, normalise_domain(domain))
            try:
                found = domains.find_domain(conn, self._to.account_id, domain)
            except Invalid:
                if not removed:
                    raise
                return removed
            return removed + events.of_domain(conn, self._to.account_id, found.id, limit=_LISTED)


def _settings(conn: Connection, event: Event) -> tuple[Settings | None, Settings | None]:
    if not isinstance(event, ChangeSaved):
        return None, None
    change = changes.load(conn, event.subject)
    before = domains.load_settings(conn, change.base_settings_id) if change.base_settings_id is not None else None
    return before, domains.load_settings(conn, change.settings_id)
