"""Who did what in an account, when, and from where."""

from dataclasses import dataclass, replace

from checks.model import Invalid, Unknown
from settings_store import domains
from settings_store.db import Database
from settings_store.events import events
from settings_store.events.event import Event
from settings_store.events.events import Searched
from worker.service.bound_to import Binding


@dataclass(frozen=True, slots=True)
class Entry:
    """An event, with the name of its domain where it has one that there still is."""

    event: Event
    domain: str | None


@dataclass(frozen=True, slots=True)
class OperatorsAudit:
    """Of the operators, who belong to no account."""

    _database: Database

    def entries(self, wanted: Searched, before: int | None, limit: int) -> list[Entry]:
        """What they did, the newest first; `before` is the number of an event."""
        with self._database.read() as conn:
            return [Entry(row, None) for row in events.search(conn, None, wanted, before, limit)]


@dataclass(frozen=True, slots=True)
class Audit:
    """Of one account."""

    _to: Binding

    def entries(self, wanted: Searched, domain: str | None, before: int | None, limit: int) -> list[Entry]:
        """What was done, the newest first; `before` is the number of an event. Raises `Invalid`."""
        with self._to.database.read() as conn:
            if domain is not None:
                try:
                    found = domains.find_domain(conn, self._to.account_id, domain)
                except Unknown as error:
                    raise Invalid(str(error), "query:domain") from None
                wanted = replace(wanted, domain_id=found.id)
            rows = events.search(conn, self._to.account_id, wanted, before, limit)
            names = domains.names_of(conn, {row.domain_id for row in rows if row.domain_id is not None})
        return [Entry(row, names.get(row.domain_id) if row.domain_id is not None else None) for row in rows]
