"""The use cases of domains."""

from dataclasses import dataclass

from checks.model import Invalid
from checks.settings import normalise_domain
from settings_store import domains, removal
from settings_store.changes import approval
from settings_store.domains import DomainSummary
from settings_store.events import events
from settings_store.events.event import Event
from settings_store.removal import Ends
from worker.service.bound_to import Binding

_LISTED = 1000


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
