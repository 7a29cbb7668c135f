"""The use cases of domains."""

from dataclasses import dataclass

from settings_store import domains
from settings_store.domains import DomainSummary
from worker.service.bound_to import Binding


@dataclass(frozen=True, slots=True)
class Domains:
    """Of one account."""

    _to: Binding

    def summaries(self) -> list[DomainSummary]:
        """Every domain with its settings in force and its mailboxes counted, by name."""
        with self._to.database.read() as conn:
            return domains.list_domains(conn, self._to.account_id)
