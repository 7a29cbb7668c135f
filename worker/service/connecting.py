"""What a member may do, and nothing else of the account: see what is filled in for their domain, connect a mailbox."""

from dataclasses import dataclass

from sqlalchemy import Connection

from checks.model import Unknown
from checks.settings import Settings, normalise_domain
from settings_store import domains
from settings_store.domains import DomainRow
from worker.service.bound_to import Binding


@dataclass(frozen=True, slots=True)
class Connecting:
    """Of one account, and where `_only` names a domain, of that one alone: any other answers as one that is not there.

    Every use case that a member has belongs here, and begins with `_domain`.
    """

    _to: Binding
    _only: str | None

    def settings(self, domain: str) -> Settings | None:
        """The settings in force, None where there are none yet. Raises `Invalid`."""
        with self._to.database.read() as conn:
            found = self._domain(conn, domain)
            return domains.load_settings(conn, found.settings_id) if found.settings_id is not None else None

    def _domain(self, conn: Connection, domain: str) -> DomainRow:
        """The domain, where whoever asks may connect in it. Raises `Invalid`."""
        if self._only is not None and normalise_domain(domain) != self._only:
            raise Unknown(f"domain {normalise_domain(domain)} is not known", "domain")
        return domains.find_domain(conn, self._to.account_id, domain)
