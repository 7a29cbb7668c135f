"""The use cases for when nobody is to watch a domain: announced maintenance, and pausing."""

from dataclasses import dataclass

from checks.model import Unknown
from settings_store import maintenance
from settings_store.maintenance import Window
from worker.service.bound_to import Binding


@dataclass(frozen=True, slots=True)
class Maintenance:
    """Of one account. Times are UTC seconds since 1970."""

    _to: Binding

    def announce(self, domain: str | None, starts_at: float, ends_at: float, note: str = "") -> Window:
        """Nobody watches a domain, or with None any of the account's, in that time. Raises `Invalid`."""
        to = self._to
        with to.database.begin() as conn:
            return maintenance.add(conn, to.account_id, domain, starts_at, ends_at, note, to.database.now())

    def windows(self) -> list[Window]:
        """The windows that are not over, by their beginning."""
        now = self._to.database.now()
        with self._to.database.read() as conn:
            return maintenance.list_windows(conn, self._to.account_id, now)

    def window(self, window_id: int) -> Window:
        """One window that is not over. Raises `Unknown`."""
        found = next((item for item in self.windows() if item.id == window_id), None)
        if found is None:
            raise Unknown("there is no such maintenance, or it is over", "maintenance_id")
        return found

    def end(self, window_id: int) -> None:
        """Takes a window back. Raises `Invalid` when there is none."""
        with self._to.database.begin() as conn:
            maintenance.remove(conn, self._to.account_id, window_id)

    def pause(self, domain: str) -> bool:
        """Stops watching a domain until it is resumed. False where it was paused. Raises `Invalid`."""
        with self._to.database.begin() as conn:
            return maintenance.pause(conn, self._to.account_id, domain, self._to.database.now())

    def resume(self, domain: str) -> bool:
        """Watches a paused domain again. False where it was not paused. Raises `Invalid`."""
        with self._to.database.begin() as conn:
            return maintenance.resume(conn, self._to.account_id, domain, self._to.database.now())
