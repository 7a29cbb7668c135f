"""The use cases of health: how domains are."""

from dataclasses import dataclass

from settings_store import domains
from settings_store.health.history import DAYS
from settings_store.incidents import overview
from worker.health import listing, view
from worker.health.listing import Listed, Place
from worker.health.view import DomainHealth, Row
from worker.service.bound_to import Binding


@dataclass(frozen=True, slots=True)
class Health:
    """Of one account's domains."""

    _to: Binding

    def of_domain(self, domain: str, days: int = DAYS) -> DomainHealth:
        """How a domain is, with its history of so many days. Raises `Invalid` when it is not known."""
        now = self._to.database.now()
        with self._to.database.read() as conn:
            found = domains.find_domain(conn, self._to.account_id, domain)
            return view.read_domain(conn, found, now, days, self._stale_seconds)

    def worst_first(self, limit: int, after: Place | None = None) -> Listed:
        """All domains, the worst first: at most `limit`, of those behind a place."""
        now = self._to.database.now()
        with self._to.database.read() as conn:
            return listing.worst_first(conn, self._to.account_id, now, self._stale_seconds, after, limit)

    def behind(self, domain: str, limit: int) -> Listed:
        """The same, of those behind a domain as it stands now. Raises `Invalid` when it is not known."""
        now, account_id = self._to.database.now(), self._to.account_id
        with self._to.database.read() as conn:
            found = domains.find_domain(conn, account_id, domain)
            place = listing.place_of_one(conn, account_id, found.id, now, self._stale_seconds)
            return listing.worst_first(conn, account_id, now, self._stale_seconds, place, limit)

    def page(self, text: str, after: str, limit: int, *, only_failing: bool = False) -> list[Row]:
        """The domains whose names have a text in them, by name: `limit` of them, behind the name `after`.

        `only_failing`: of those with an open incident.
        """
        now, account_id = self._to.database.now(), self._to.account_id
        with self._to.database.read() as conn:
            only = overview.with_incident(account_id) if only_failing else None
            names = domains.find_names(conn, account_id, text, after, limit, only)
            return view.read_some(conn, account_id, names, now, self._stale_seconds)

    def counts(self) -> tuple[int, int]:
        """How many domains there are, and how many of them have an open incident."""
        account_id = self._to.account_id
        with self._to.database.read() as conn:
            return domains.count_of(conn, account_id), overview.count_with_incident(conn, account_id)

    @property
    def _stale_seconds(self) -> float:
        return view.stale_after(self._to.config.health_endpoint_minutes)
