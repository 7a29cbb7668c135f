"""The use cases for when nobody is to watch a domain: announced maintenance, and pausing."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from checks.model import Unknown
from settings_store import domains, maintenance
from settings_store.events import events
from settings_store.events.administration import (
    DomainPaused,
    DomainResumed,
    MaintenanceAnnounced,
    MaintenanceEnded,
    MaintenanceEvent,
)
from settings_store.events.event import Event
from settings_store.maintenance import Window
from worker.events.document import rfc3339
from worker.service.bound_to import Binding


@dataclass(frozen=True, slots=True)
class Maintenance:
    """Of one account. Times are UTC seconds since 1970."""

    _to: Binding

    def announce(self, domain: str | None, starts_at: float, ends_at: float, note: str = "") -> Window:
        """Nobody watches a domain, or with None any of the account's, in that time. Raises `Invalid`."""
        to = self._to
        with to.database.begin() as conn:
            window = maintenance.add(conn, to.account_id, domain, starts_at, ends_at, note, to.database.now())
            self._tell(conn, MaintenanceAnnounced, window)
            return window

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
            self._tell(conn, MaintenanceEnded, maintenance.remove(conn, self._to.account_id, window_id))

    def pause(self, domain: str) -> bool:
        """Stops watching a domain until it is resumed. False where it was paused. Raises `Invalid`."""
        with self._to.database.begin() as conn:
            done = maintenance.pause(conn, self._to.account_id, domain, self._to.database.now())
            if done:
                self._record(conn, DomainPaused, None, domain)
            return done

    def resume(self, domain: str) -> bool:
        """Watches a paused domain again. False where it was not paused. Raises `Invalid`."""
        with self._to.database.begin() as conn:
            done = maintenance.resume(conn, self._to.account_id, domain, self._to.database.now())
            if done:
                self._record(conn, DomainResumed, None, domain)
            return done

    def _tell(self, conn: Connection, kind: type[MaintenanceEvent], window: Window) -> None:
        times = {"starts_at": rfc3339(window.starts_at), "ends_at": rfc3339(window.ends_at)}
        self._record(conn, kind, str(window.id), window.domain, **times)

    def _record(
        self, conn: Connection, kind: type[Event], subject: str | None, domain: str | None, **more: Any
    ) -> None:
        """`subject` None: the domain."""
        to = self._to
        domain_id = domains.find_domain(conn, to.account_id, domain).id if domain is not None else None
        common: dict[str, Any] = {
            "account_id": to.account_id,
            "domain_id": domain_id,
            "actor": to.actor,
            "at": to.database.now(),
        }
        events.record(conn, kind(subject=subject or f"domain:{domain_id}", **common, **more))
