"""Events written down, in the transaction of what they report, and read again in their order.

A row refers to nothing by a foreign key: to write it waits for nobody's lock, and it outlives what it tells of. Rows
are only ever added.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from settings_store import schema
from settings_store.actors import SERVICE, Actor
from settings_store.events import settled
from settings_store.events.administration import AccountAdded, AccountRemoved
from settings_store.events.event import Event, OtherEvent
from settings_store.events.kinds import KINDS, DomainRemoved, IncidentOpened

_events, _domains = schema.events, schema.domains
_LONGEST_NAME = 200
_SKEW_SECONDS = 3600.0
_OF_OPERATORS = (AccountAdded.KIND, AccountRemoved.KIND)


def record(conn: Connection, *events: Event) -> None:
    """Adds events, in that order. One of a domain without an account gets the domain's."""
    if events:
        settled.announce(conn)
        conn.execute(_INSERT, [_row(event) for event in events])


_INSERT = _events.insert().values(
    account_id=sa.func.coalesce(
        sa.bindparam("account", type_=sa.Integer),
        sa.select(_domains.c.account_id)
        .where(_domains.c.id == sa.bindparam("domain", type_=sa.Integer))
        .scalar_subquery(),
    )
)


def _row(event: Event) -> dict[str, Any]:
    return {
        "kind": event.kind,
        "subject": event.subject,
        "account": event.account_id,
        "domain": event.domain_id,
        "domain_id": event.domain_id,
        "at": event.at,
        "actor": event.actor.name[:_LONGEST_NAME],
        "source": event.actor.source[:_LONGEST_NAME],
        "api_key_id": event.actor.api_key_id or None,
        "payload": event.payload,
    }


# -- reading


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which of an account's events: of these kinds, of this domain, of this change with its runs. None: of all.

    `notices`: of incidents that were opened only the warnings ahead of time (True), or only the others (False).
    """

    kinds: Collection[str] | None = None
    notices: bool | None = None
    domain_id: int | None = None
    change_id: str | None = None


ALL = Wanted()


def wanted(
    conn: Connection, account_id: int, which: Wanted = ALL, after: int = 0, limit: int = 100, *, upto: int
) -> list[Event]:
    """Events of an account, oldest first: at most `limit`, with numbers above `after` and not above `upto`."""
    conditions = [_events.c.account_id == account_id, *_after(after, upto)]
    if which.kinds is not None:
        conditions.append(_events.c.kind.in_(which.kinds))
    if which.notices is not None:
        notice = _events.c.payload["scope"].as_string() == "notice"
        conditions.append(sa.or_(_events.c.kind != IncidentOpened.KIND, notice if which.notices else ~notice))
    if which.domain_id is not None:
        conditions.append(_of_domain(conn, which.domain_id))
        conditions.append(_events.c.seq > _last_removal(conn, which.domain_id))
    if which.change_id is not None:
        conditions.append(_events.c.subject.in_(_subjects(conn, which.change_id)))
    return list(_read(conn, *conditions, limit=limit))


def newest_before(conn: Connection, account_id: int, at: float) -> int:
    """The number of the newest event of an account that is older than `at` (UTC seconds since 1970), 0 without one."""
    older = _events.c.account_id == account_id, _events.c.at < at
    query = sa.select(_events.c.seq).where(*older).order_by(_events.c.at.desc(), _events.c.seq.desc()).limit(1)
    return conn.execute(query).scalar() or 0


def of_accounts(conn: Connection, account_ids: Collection[int], after: int, upto: int) -> list[Event]:
    """What happened in any of the accounts with numbers above `after` and not above `upto`, oldest first."""
    return list(_read(conn, _events.c.account_id.in_(account_ids), *_after(after, upto)))


def removed(conn: Connection, domain_ids: Collection[int]) -> Mapping[int, list[DomainRemoved]]:
    """When domains with these ids were given up, oldest first: SQLite gives the number of one to the next."""
    subjects = [f"domain:{domain_id}" for domain_id in domain_ids]
    found: dict[int, list[DomainRemoved]] = {}
    for event in _read(conn, _events.c.kind == DomainRemoved.KIND, _events.c.subject.in_(subjects)):
        if isinstance(event, DomainRemoved):
            found.setdefault(int(event.subject.removeprefix("domain:")), []).append(event)
    return found


def of_subject(conn: Connection, subject: str) -> Iterator[Event]:
    """What happened to one change, run or incident itself, oldest first."""
    return _read(conn, _events.c.subject == subject)


def of_change(conn: Connection, account_id: int, change_id: str) -> Iterator[Event]:
    """What happened to a change and to its runs, oldest first. Nothing for another account's."""
    return _read(conn, _events.c.subject.in_(_subjects(conn, change_id)), _events.c.account_id == account_id)


def _subjects(conn: Connection, change_id: str) -> list[str]:
    """The change, and its runs."""
    runs = conn.execute(sa.select(schema.runs.c.id).where(schema.runs.c.change_id == change_id)).scalars().all()
    return [change_id, *runs]


def of_domain(conn: Connection, account_id: int, domain_id: int, after: int = 0, limit: int = 100) -> list[Event]:
    """What happened to a domain, its changes, runs, mailboxes and incidents, oldest first.

    At most `limit`, of those that come after the number `after`. Nothing for another account's domain.
    """
    after = max(after, _last_removal(conn, domain_id))
    mine = _of_domain(conn, domain_id), _events.c.account_id == account_id, _events.c.seq > after
    return list(_read(conn, *mine, limit=limit))


def newest_of_domain(
    conn: Connection, account_id: int, domain_id: int, kinds: Collection[str], before: int | None, limit: int
) -> list[Event]:
    """As `of_domain`, of these kinds and the newest first: at most `limit`, of those before the number `before`."""
    mine = _of_domain(conn, domain_id), _events.c.account_id == account_id, _events.c.kind.in_(kinds)
    earlier = sa.true() if before is None else _events.c.seq < before
    since = _events.c.seq > _last_removal(conn, domain_id)
    query = sa.select(_events).where(*mine, since, earlier).order_by(_events.c.seq.desc()).limit(limit)
    return [_event(row) for row in conn.execute(query)]


def _of_domain(conn: Connection, domain_id: int) -> sa.ColumnElement[bool]:
    """Its own, and those of incidents that it shares with others.

    Which these are is asked first: with that question inside of its own, PostgreSQL would read all events there are.
    """
    listed, incidents = schema.incident_domains, schema.incidents
    shared = sa.select(listed.c.incident_id).join(incidents, incidents.c.id == listed.c.incident_id)
    shared = shared.where(listed.c.domain_id == domain_id, incidents.c.domain_id.is_distinct_from(domain_id))
    ids, own = conn.execute(shared).scalars().all(), _events.c.domain_id == domain_id
    return sa.or_(own, _events.c.subject.in_(ids)) if ids else own


def _last_removal(conn: Connection, domain_id: int) -> int:
    """What came before belongs to a domain that is gone: SQLite gives the number of one to the next."""
    removed = _events.c.kind == DomainRemoved.KIND, _events.c.subject == f"domain:{domain_id}"
    return conn.execute(sa.select(sa.func.max(_events.c.seq)).where(*removed)).scalar() or 0


def removals(conn: Connection, account_id: int, name: str) -> list[Event]:
    """When domains of that name were given up, oldest first."""
    found = _read(conn, _events.c.kind == DomainRemoved.KIND, _events.c.account_id == account_id)
    return [event for event in found if event.payload["name"] == name]


def of_account(
    conn: Connection, account_id: int, after: int = 0, limit: int = 100, *, upto: int | None = None
) -> list[Event]:
    """What happened in an account, oldest first: at most `limit`, of those that come after the number `after`.

    Two transactions of PostgreSQL may be committed in another order than that of their numbers. Whoever follows along
    gives `upto`, which is how far all is settled (`settled.look`, before `conn` has read anything).
    """
    return list(_read(conn, _events.c.account_id == account_id, *_after(after, upto), limit=limit))


def _after(after: int, upto: int | None) -> tuple[sa.ColumnElement[bool], ...]:
    return (_events.c.seq > after, *(() if upto is None else (_events.c.seq <= upto,)))


@dataclass(frozen=True, slots=True)
class Searched:
    """Which events: by whom, with which API key, of which kind and domain, from when on and before when.

    What this program does by itself is left out unless `by_service`.
    """

    actor: str | None = None
    api_key_id: str | None = None
    kind: str | None = None
    domain_id: int | None = None
    since: float | None = None
    until: float | None = None
    by_service: bool = False


def search(conn: Connection, account_id: int | None, wanted: Searched, before: int | None, limit: int) -> list[Event]:
    """What happened in an account, the newest first: at most `limit`, of those before the number `before`.

    None: what is the operators', with the accounts that came and went.
    """
    columns = _events.c
    asked = {name: getattr(wanted, name) for name in ("actor", "api_key_id", "kind", "domain_id")}
    conditions = [columns[name] == value for name, value in asked.items() if value is not None]
    if account_id is None:
        conditions.append(sa.or_(columns.account_id.is_(None), columns.kind.in_(_OF_OPERATORS)))
    else:
        conditions.append(columns.account_id == account_id)
    if wanted.since is not None:
        conditions.append(columns.at >= wanted.since)
    if wanted.until is not None:
        conditions.append(columns.at < wanted.until)
        conditions += _not_beyond(conn, account_id, wanted.until)
    if before is not None:
        conditions.append(columns.seq < before)
    if not wanted.by_service:
        # A user may have our name, but comes from somewhere.
        conditions.append(sa.or_(columns.actor != SERVICE.name, columns.source != ""))
    query = sa.select(_events).where(*conditions).order_by(columns.seq.desc()).limit(limit)
    return [_event(row) for row in conn.execute(query)]


def _not_beyond(conn: Connection, account_id: int | None, until: float) -> Iterator[sa.ColumnElement[bool]]:
    """What lies after a time need not be read to find what was before it: where numbers and times go together.

    They do not where a clock was put back: those of the next hours are read all the same.
    """
    if account_id is None:
        return
    later = _events.c.account_id == account_id, _events.c.at >= until + _SKEW_SECONDS
    first = sa.select(_events.c.seq).where(*later).order_by(_events.c.at, _events.c.seq).limit(1)
    if (found := conn.execute(first).scalar()) is not None:
        yield _events.c.seq < found


def _read(conn: Connection, *conditions: sa.ColumnElement[bool], limit: int | None = None) -> Iterator[Event]:
    query = sa.select(_events).where(*conditions).order_by(_events.c.seq).limit(limit)
    return map(_event, conn.execute(query))


def _event(row: Any) -> Event:
    """The event as its kind has it. What a newer version has added to a kind is left out."""
    common: dict[str, Any] = {name: getattr(row, name) for name in ("seq", "subject", "at", "account_id", "domain_id")}
    common["actor"] = Actor(row.actor, row.source, row.api_key_id or "")
    kind = KINDS.get(row.kind)
    if kind is None:
        return OtherEvent(**common, name=row.kind, found=row.payload)
    known = {item.name for item in fields(kind)} - common.keys()
    return kind(**common, **{name: value for name, value in row.payload.items() if name in known})
