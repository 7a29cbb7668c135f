"""What a server said when mailboxes of a domain failed last: for the words of an incident."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from checks.codes import Code
from checks.model import Endpoint, Facts, Protocol
from settings_store import domains, schema

_runs, _rows = schema.runs, schema.run_mailboxes


@dataclass(frozen=True, slots=True)
class LastFailure:
    """Where it failed, and the server's words, redacted."""

    endpoint: Endpoint
    seen: str

    @property
    def facts(self) -> Facts:
        """The values for the wording of the code."""
        return {
            "host": self.endpoint.host,
            "port": str(self.endpoint.port),
            "protocol": self.endpoint.protocol.label,
        }


def last_failure(conn: Connection, domain_id: int, code: Code, mailbox_id: int | None = None) -> LastFailure | None:
    """The last failure with a code in the health runs of a domain, or of one mailbox of it; None where none is kept."""
    mine = [_runs.c.domain_id == domain_id, _runs.c.kind == "health"]
    mine += [_rows.c.code == code.value, _rows.c.protocol.is_not(None)]
    if mailbox_id is not None:
        mine.append(_rows.c.mailbox_id == mailbox_id)
    query = sa.select(_runs.c.settings_id, _rows.c.protocol, _rows.c.seen).join(_rows, _rows.c.run_id == _runs.c.id)
    row = conn.execute(query.where(*mine).order_by(_runs.c.created_at.desc()).limit(1)).one_or_none()
    if row is None:
        return None
    endpoints = domains.load_settings(conn, row.settings_id).endpoints
    found = next(endpoint for endpoint in endpoints if endpoint.protocol is Protocol(row.protocol))
    return LastFailure(found, row.seen or "")
