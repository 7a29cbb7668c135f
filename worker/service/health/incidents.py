"""The use cases of incidents: what failed, since when, and how it went on."""

from collections.abc import Sequence
from dataclasses import dataclass

from checks.model import Unknown
from settings_store import domains
from settings_store.alerts.incident_details import mailbox_names
from settings_store.events import events
from settings_store.incidents import overview
from settings_store.incidents.incidents import Incident, Scope, Severity
from settings_store.incidents.overview import Wanted
from worker.events.public import PublicEvent
from worker.events.reading import worded
from worker.service.bound_to import Binding

LISTED_MAILBOXES = 100


@dataclass(frozen=True, slots=True)
class Story:
    """An incident with what happened to it, oldest first, and the first mailboxes that are disconnected for it now."""

    incident: Incident
    events: Sequence[PublicEvent]
    mailboxes: Sequence[str]


@dataclass(frozen=True, slots=True)
class Incidents:
    """Of one account. The operator's are not among them: they name other accounts' domains."""

    _to: Binding

    def page(
        self,
        *,
        only_open: bool,
        domain: str | None = None,
        scopes: Sequence[Scope] | None = None,
        severities: Sequence[Severity] | None = None,
        after: tuple[float, str] | None = None,
        limit: int = 100,
    ) -> list[Incident]:
        """The last opened first, behind `after` (opened at, id). Raises `Unknown` for a domain that is not there."""
        account_id = self._to.account_id
        with self._to.database.read() as conn:
            domain_id = domains.find_domain(conn, account_id, domain).id if domain is not None else None
            wanted = Wanted(only_open, domain_id, scopes, severities)
            return overview.page_of_incidents(conn, account_id, wanted, after, limit)

    def story(self, incident_id: str) -> Story:
        """One incident and its course. Raises `Unknown`."""
        with self._to.database.read() as conn:
            found = overview.find_incident(conn, self._to.account_id, incident_id)
            if found is None:
                raise Unknown("there is no such incident", "incident_id")
            told = worded(conn, events.of_subject(conn, found.id))
            boxes = mailbox_names(conn, found, LISTED_MAILBOXES) if found.closed_at is None else []
            return Story(found, told, boxes)
