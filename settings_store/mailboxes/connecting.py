"""One mailbox that becomes its domain's, or is one already and is given another login, with what is known of it."""

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from checks.model import CredentialKind, Fault, MailboxState
from settings_store import schema
from settings_store.mailboxes.rejections import forget
from settings_store.secrets import Vault

_boxes, _domains = schema.mailboxes, schema.domains


@dataclass(frozen=True, slots=True)
class Known:
    """A mailbox of the domain as it is stored. `credential` is sealed, None where there is none."""

    id: int
    username: str
    credential: bytes | None
    kind: CredentialKind
    state: MailboxState
    code: str | None

    def logs_in_with(self, username: str, secret: str, vault: Vault) -> bool:
        """Whether that is its login already."""
        if self.username != username or self.credential is None:
            return False
        try:
            return vault.open(self.credential) == secret
        except Fault:
            return False  # nobody can read what is stored: it is replaced


def find(conn: Connection, domain_id: int, address: str) -> Known | None:
    """The domain's mailbox with an address."""
    names = "id", "username", "credential", "credential_kind", "state", "state_code"
    query = sa.select(*(_boxes.c[name] for name in names))
    row = conn.execute(query.where(_boxes.c.domain_id == domain_id, _boxes.c.address == address)).one_or_none()
    if row is None:
        return None
    kind, state = CredentialKind(row.credential_kind), MailboxState(row.state)
    return Known(row.id, row.username, row.credential, kind, state, row.state_code)


def put(
    conn: Connection,
    domain_id: int,
    address: str,
    login: Mapping[str, object],
    found: tuple[MailboxState, str | None],
    now: float,
) -> None:
    """Gives a mailbox of the domain, or a new one, its login and the state and code that it was found in.

    `login` has the columns `username`, `credential` (sealed) and `credential_kind`; it is empty where they stay. What
    was found out with another login before says nothing any more.
    """
    state, code = found
    values: dict[str, object] = {"state": state.value, "state_code": code, "state_since": now, "health_fails": 0}
    values["health_at"] = now if state is MailboxState.CONNECTED else None
    known = find(conn, domain_id, address)
    if login:
        counted = _domains.update().where(_domains.c.id == domain_id).values(revision=_domains.c.revision + 1)
        revision = conn.execute(counted.returning(_domains.c.revision)).scalar_one()
        values |= {**login, "changed_at": now, "revision": revision, "change_id": None}
    if known is None:
        conn.execute(_boxes.insert().values(domain_id=domain_id, address=address, **values))
    else:
        conn.execute(_boxes.update().where(_boxes.c.id == known.id).values(values))
        forget(conn, [known.id])
