"""`/v1/audit`: who did what in the account, when, and from where."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import Query
from pydantic import AwareDatetime

from checks.model import Invalid
from settings_store.access.roles import Right
from settings_store.events.events import Searched
from web.access.caller import Caller
from web.access.granted import needs, operates
from web.access.routing import router
from web.api.cursor import CURSOR, cursor_after, read_cursor
from web.documents import Document, Limit, Prefix, Request, Time, inner_id, public_id
from worker.events.public import TYPES, public
from worker.service.access.audit import Entry
from worker.service.account import Account
from worker.service.preflight import Preflight

routes = router("access")

_SHOWN = ("detail", "named", "user", "key_name", "shown", "channel", "origins")
"""What an event says besides to an administrator, and to nobody else."""
_KINDS = {told: kind for kind, told in TYPES.items()}
_LARGEST = 2**63 - 1


class OperatorsAuditQuery(Request):
    """Which entries. What the service did by itself comes only with `by_service`."""

    limit: Limit = 100
    cursor: str | None = None
    actor: str | None = None
    api_key: str | None = None
    type: str | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    by_service: bool = False

    def wanted(self) -> Searched:
        """For the use case. Raises `Invalid`."""
        return Searched(
            _text(self.actor, "actor"),
            inner_id(Prefix.API_KEY, self.api_key) if self.api_key is not None else None,
            _KINDS.get(self.type or "", _text(self.type, "type")),
            since=self.since.timestamp() if self.since else None,
            until=self.until.timestamp() if self.until else None,
            by_service=self.by_service,
        )


class AuditQuery(OperatorsAuditQuery):
    """Of an account: also by domain."""

    domain: str | None = None


class AuditEntry(Document):
    """What was done. `source` is the address it came from, `local` for a command; `api_key` is the key, if by one."""

    id: str
    at: Time
    type: str
    actor: str
    source: str
    api_key: str | None
    subject: str
    domain: str | None
    data: Mapping[str, Any]


class AuditPage(Document):
    """Entries, the newest first."""

    items: list[AuditEntry]
    next_cursor: str | None


@routes.get("/v1/audit", operation_id="audit.list", summary="List who did what")
def list_(query: Annotated[AuditQuery, Query()], account: Annotated[Account, needs(Right.ADMIN)]) -> AuditPage:
    """Everything that people and programs did in the account. Nothing of it is ever removed or changed."""
    found = account.audit.entries(query.wanted(), query.domain, _place(query.cursor), query.limit + 1)
    return _page(found, query.limit)


@routes.get("/v1/operators/audit", operation_id="operators_audit.list", summary="List what operators did")
def list_of_operators(
    query: Annotated[OperatorsAuditQuery, Query()], asked: Annotated[tuple[Preflight, Caller], operates()]
) -> AuditPage:
    """What operators did, by the API or by command: keys and users of their own, accounts, the encryption key."""
    found = asked[0].operators_audit.entries(query.wanted(), _place(query.cursor), query.limit + 1)
    return _page(found, query.limit)


def _page(found: Sequence[Entry], limit: int) -> AuditPage:
    """One more than is shown, where there is one, says that there are more."""
    last = cursor_after(str(found[limit - 1].event.seq)) if len(found) > limit else None
    return AuditPage(items=[entry_document(entry) for entry in found[:limit]], next_cursor=last)


def entry_document(entry: Entry) -> AuditEntry:
    """The document of an entry."""
    event = entry.event
    told = public(event, entry.domain)
    more = {name: event.payload[name] for name in _SHOWN if event.payload.get(name)}
    return AuditEntry(
        id=told.id,
        at=told.at,
        type=told.type,
        actor=event.actor.name,
        source=event.actor.source,
        api_key=public_id(Prefix.API_KEY, event.actor.api_key_id) if event.actor.api_key_id else None,
        subject=told.subject,
        domain=told.domain,
        data={**told.data, **more},
    )


def _place(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    (seq,) = read_cursor(cursor)
    if not (seq.isascii() and seq.isdecimal() and len(seq) < 20 and int(seq) <= _LARGEST):
        raise Invalid("it is no cursor of this list", CURSOR)
    return int(seq)


def _text(value: str | None, name: str) -> str | None:
    if value is not None and not value.isprintable():
        raise Invalid("it has characters that cannot be written", f"query:{name}")
    return value
