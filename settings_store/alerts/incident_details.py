"""What an alert says of an incident beyond the incident itself."""

from sqlalchemy import Connection, select

from checks.model import MailboxState
from settings_store.incidents.incidents import Incident
from settings_store.schema import incident_domains, mailboxes


def mailbox_names(conn: Connection, incident: Incident, limit: int) -> list[str]:
    """The addresses of mailboxes that are disconnected for an incident's cause, in its domains; by name."""
    concerned = select(incident_domains.c.domain_id).where(incident_domains.c.incident_id == incident.id)
    query = select(mailboxes.c.address).where(
        mailboxes.c.domain_id.in_(concerned),
        mailboxes.c.state == MailboxState.DISCONNECTED.value,
        mailboxes.c.state_code == incident.code.value,
    )
    return list(conn.execute(query.order_by(mailboxes.c.address).limit(limit)).scalars())
