"""Mailboxes as they are listed: nobody reads a credential for it, sealed or not."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from checks.model import CredentialKind, MailboxState, Unknown
from settings_store import schema

_boxes = schema.mailboxes
_NAMES = ("address", "username", "credential_kind", "state", "state_code", "state_since")


@dataclass(frozen=True, slots=True)
class Stored:
    """A mailbox as it is listed. `credential_kind` is None where no credential is known, `state_since` UTC seconds."""

    address: str
    username: str
    credential_kind: CredentialKind | None
    state: MailboxState
    code: str | None
    state_since: float | None


@dataclass(frozen=True, slots=True)
class Filter:
    """Which mailboxes are wanted; `text` is a part of the address or the user name, in any case."""

    state: MailboxState | None = None
    code: str | None = None
    text: str = ""


def list_mailboxes(
    conn: Connection, domain_id: int, wanted: Filter | None = None, *, after: str = "", limit: int | None = None
) -> list[Stored]:
    """The domain's mailboxes by address; those that come with a change that is not applied are none of them.

    `after` is an address behind which they begin.
    """
    conditions = _conditions(wanted or Filter())
    query = _query(_boxes.c.domain_id == domain_id, *conditions, *([_boxes.c.address > after] if after else []))
    return [_stored(row) for row in conn.execute(query.order_by(_boxes.c.address).limit(limit))]


def find_mailbox(conn: Connection, domain_id: int, address: str) -> Stored:
    """The mailbox with an address as it is stored. Raises `Unknown`."""
    row = conn.execute(_query(_boxes.c.domain_id == domain_id, _boxes.c.address == address)).one_or_none()
    if row is None:
        raise Unknown(f"there is no mailbox {address[:320]!r} in this domain", "address")
    return _stored(row)


def _conditions(wanted: Filter) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if wanted.state is not None:
        conditions.append(_boxes.c.state == wanted.state.value)
    if wanted.code is not None:
        conditions.append(_boxes.c.state_code == wanted.code)
    if wanted.text:
        text = wanted.text.lower()
        names = _boxes.c.address, sa.func.lower(_boxes.c.username)
        conditions.append(sa.or_(*(name.contains(text, autoescape=True) for name in names)))
    return conditions


def _query(*conditions: sa.ColumnElement[bool]) -> "sa.Select[tuple[Any, ...]]":
    # That there is a credential is asked of the database: nobody has to read it.
    has_one = _boxes.c.credential.is_not(None).label("has_one")
    return sa.select(*(_boxes.c[name] for name in _NAMES), has_one).where(*conditions)


def _stored(row: Any) -> Stored:
    return Stored(
        row.address,
        row.username,
        CredentialKind(row.credential_kind) if row.has_one else None,
        MailboxState(row.state),
        row.state_code,
        row.state_since,
    )
