"""The use cases of events: what happened in the account, and to one change of it."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from settings_store import domains
from settings_store.changes import changes
from settings_store.events.events import Wanted
from worker.events import reading
from worker.events.reading import Page
from worker.service.bound_to import Binding


@dataclass(frozen=True, slots=True)
class Events:
    """Of one account. `after` is the number of an event; each that takes it raises `Resync` for one too old."""

    _to: Binding

    @property
    def account_id(self) -> int:
        """Whose they are."""
        return self._to.account_id

    def page(
        self, after: int | None = None, types: Collection[str] = (), domain: str | None = None, limit: int = 100
    ) -> Page:
        """What happened, oldest first, of some types or one domain. Raises `Invalid`."""
        which = reading.of_types(types)
        if domain is not None:
            with self._to.database.read() as conn:
                which = replace(which, domain_id=domains.find_domain(conn, self._to.account_id, domain).id)
        return reading.page(self._to.database, self._to.account_id, which, after, limit)

    def of_change(self, change_id: str, after: int | None = None, limit: int = 100) -> Page:
        """What happened to a change and its runs, oldest first. Raises `Invalid`."""
        which = Wanted(change_id=self.change(change_id))
        return reading.page(self._to.database, self._to.account_id, which, after, limit)

    def change(self, change_id: str) -> str:
        """The whole id of a change of this account. Raises `Invalid`."""
        with self._to.database.read() as conn:
            return changes.get(conn, self._to.account_id, change_id).id

    def require_known(self, after: int) -> None:
        """Raises `Resync` where nobody can tell what came after `after`."""
        reading.require_known(self._to.database, self._to.account_id, after)
