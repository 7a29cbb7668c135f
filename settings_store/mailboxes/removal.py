"""Mailboxes that are taken out of their domain. Earlier reports name them still."""

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy import Connection

from checks.model import MailboxState, Unknown
from settings_store import schema
from settings_store.actors import Actor
from settings_store.domains import lock_mailboxes
from settings_store.events import events
from settings_store.events.kinds import MailboxesRemoved
from settings_store.mailboxes.mailboxes import NAMED

_boxes, _held, _rejections = schema.mailboxes, schema.change_credentials, schema.rejections
_CHUNK = 500
_CAME = ("connected", "stored")  # attempts that came to be mailboxes go with them


def remove_mailboxes(conn: Connection, domain_id: int, addresses: Collection[str], now: float, actor: Actor) -> int:
    """Takes mailboxes out of the domain, with their credentials and those that changes propose for them; how many.

    Raises `Invalid`, and nothing is done, where one of the addresses is none of the domain's.
    """
    wanted = sorted({address.strip().lower() for address in addresses})
    lock_mailboxes(conn, domain_id)
    ids = _ids(conn, domain_id, wanted)
    for first in range(0, len(ids), _CHUNK):
        _take_out(conn, ids[first : first + _CHUNK])
    told = MailboxesRemoved(
        subject=f"domain:{domain_id}",
        at=now,
        domain_id=domain_id,
        actor=actor,
        count=len(ids),
        named=wanted[:NAMED],
    )
    events.record(conn, told)
    return len(ids)


def _ids(conn: Connection, domain_id: int, addresses: list[str]) -> list[int]:
    found: dict[str, int] = {}
    for first in range(0, len(addresses), _CHUNK):
        some = _boxes.c.address.in_(addresses[first : first + _CHUNK])
        query = sa.select(_boxes.c.address, _boxes.c.id).where(_boxes.c.domain_id == domain_id, some)
        found |= {row.address: row.id for row in conn.execute(query)}
    if missing := [address for address in addresses if address not in found]:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise Unknown(f"there is no mailbox {missing[0]!r}{more} in this domain; nothing was removed", "address")
    return [found[address] for address in addresses]


def _take_out(conn: Connection, ids: Collection[int]) -> None:
    for table in (_held, _rejections):
        conn.execute(table.delete().where(table.c.mailbox_id.in_(ids)))
    nothing = dict.fromkeys(("domain_id", "change_id", "credential", "state_code", "state_since"))
    left = sa.select(_boxes.c.address).where(_boxes.c.id.in_(ids))
    of = sa.select(_boxes.c.domain_id).where(_boxes.c.id.in_(ids))
    tried = schema.attempts
    conn.execute(tried.delete().where(tried.c.domain_id.in_(of), tried.c.address.in_(left), tried.c.state.in_(_CAME)))
    values = {**nothing, "state": MailboxState.UNKNOWN.value, "health_fails": 0}
    conn.execute(_boxes.update().where(_boxes.c.id.in_(ids)).values(values))
