"""The use cases of whoever completes what members have begun: who waits for settings, and what becomes of them."""

from dataclasses import dataclass

from sqlalchemy import Connection

from checks.model import Invalid, Unknown
from checks.settings import Settings
from settings_store import domains
from settings_store.changes import changes, credentials
from settings_store.changes.changes import Saved
from settings_store.connecting import attempts, waiting
from settings_store.connecting.attempts import Attempt, AttemptState
from worker.service.bound_to import Binding


@dataclass(frozen=True, slots=True)
class Pending:
    """Of one account."""

    _to: Binding

    def page(self, limit: int, before: tuple[float, str] | None = None, domain: str | None = None) -> list[Attempt]:
        """At most `limit` of those who wait, the newest first, of those older than (time, id). Raises `Invalid`."""
        to = self._to
        with to.database.read() as conn:
            domain_id = domains.find_domain(conn, to.account_id, domain).id if domain is not None else None
            return attempts.pending(conn, to.account_id, domain_id, before, limit)

    def entry(self, entry_id: str) -> Attempt:
        """One who waits. Raises `Unknown`."""
        with self._to.database.read() as conn:
            return self._waiting(conn, entry_id)

    def _waiting(self, conn: Connection, entry_id: str) -> Attempt:
        found = attempts.find(conn, self._to.account_id, entry_id)
        if found.state is not AttemptState.PENDING:
            raise Unknown("nobody waits there any more", "pending_entry_id")
        return found

    def complete(self, entry_id: str, settings: Settings | None = None) -> Saved:
        """Saves settings for the domain as a change, which is verified, and applied as any other; those typed unless
        others are given.

        All who wait in the domain come with it. Raises `Invalid`.
        """
        to = self._to
        with to.database.begin() as conn:
            now, domain_id, entry = to.database.now(), *self._locked(conn, entry_id)
            wanted = settings or entry.settings
            if wanted is None:
                raise Invalid("no settings were typed; give those that the domain is to have", "settings")
            saved = changes.save(conn, domain_id, wanted, now, to.actor)
            waiting.accompany(conn, saved.change_id, domain_id, now)
            credentials.recall_rejections(conn, saved.change_id, domain_id)
        to.publish("start_run", saved.run_id)
        return saved

    def dismiss(self, entry_id: str) -> Attempt:
        """Forgets one who waits, with what was kept of them. Raises `Unknown`."""
        to = self._to
        with to.database.begin() as conn:
            domain_id, entry = self._locked(conn, entry_id)
            if (kept := waiting.dismiss(conn, entry.id, to.actor, to.database.now())) is not None:
                credentials.withdraw(conn, domain_id, entry.address, kept)
        return entry

    def _locked(self, conn: Connection, entry_id: str) -> tuple[int, Attempt]:
        """The domain, held against what others do with it, and who waits there still. Raises `Unknown`."""
        entry = self._waiting(conn, entry_id)
        domain_id = attempts.domain_of(conn, entry.id)
        changes.lock_domain(conn, domain_id)
        return domain_id, self._waiting(conn, entry_id)
