"""Incidents: failures that health checks found, open until recovered. No two of one subject are open at a time."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy import Connection

from checks.codes import Code
from settings_store import schema
from settings_store.db import insert_into
from settings_store.events import events
from settings_store.events.kinds import (
    IncidentDropped,
    IncidentEvent,
    IncidentOpened,
    IncidentRecovered,
    IncidentReminder,
    IncidentReopened,
    IncidentResolved,
)


class Scope(StrEnum):
    """What an incident is about. Those of `SOURCE` and `SERVICE` are the operator's."""

    ENDPOINT = "endpoint"  # one endpoint of one domain
    SERVER = "server"  # one server, and several domains of an account on it
    MAILBOX = "mailbox"
    MAILBOXES = "mailboxes"  # those of a domain together
    SOURCE = "source"  # one connection IP of ours
    SERVICE = "service"  # everything at once: then it is us
    NOTICE = "notice"  # nothing fails yet


class Severity(StrEnum):
    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for the gravest."""
        return list(Severity).index(self)


@dataclass(frozen=True, slots=True)
class Incident:
    """Times are UTC seconds since 1970. `account_id` is None for the operator's. `domains` are names, by name."""

    id: str
    account_id: int | None
    scope: Scope
    subject: str
    domain_id: int | None
    mailbox_id: int | None
    severity: Severity
    code: Code
    facts: Mapping[str, str]
    seen: str
    since: float
    opened_at: float
    recovered_at: float | None = None
    closed_at: float | None = None
    reopened: int = 0
    mailboxes: int = 0
    domains: Sequence[str] = field(default=())
    address: str = ""
    """The mailbox's, where it is about one."""


@dataclass(frozen=True, slots=True)
class Opening:
    """What is to become an incident. `since` is when it was first seen. `domain_ids` are those it is about."""

    scope: Scope
    subject: str
    account_id: int | None
    severity: Severity
    code: Code
    since: float
    facts: Mapping[str, str] = field(default_factory=dict)
    seen: str = ""
    domain_ids: frozenset[int] = frozenset()
    mailbox_id: int | None = None
    mailboxes: int = 0


@dataclass(frozen=True, slots=True)
class Open:
    """An incident that is not over, as it is judged. `endpoints` are those it is about, as `imap@mail.example:993`."""

    id: str
    account_id: int | None
    scope: Scope
    subject: str
    mailbox_id: int | None
    severity: Severity
    code: Code
    facts: Mapping[str, str]
    since: float
    opened_at: float
    recovered_at: float | None
    reopened: int
    remind_at: float | None
    reminders: int
    domain_ids: frozenset[int]

    @property
    def endpoints(self) -> frozenset[str]:
        return frozenset(self.facts.get(ENDPOINTS, "").split())

    @property
    def host(self) -> str:
        """The host that it is about, '' where there is none."""
        return self.facts.get("host", "")


_JUDGING_LOCK = 7_163_281_941  # as those of `settings_store.db`, any number that every version takes

ENDPOINTS = "endpoints"
"""The fact that names the endpoints an incident is about, separated by blanks."""

ALSO = "also"
"""The fact that names those that fail for another cause, with its code: `smtp@mail.example:465=connect.timeout`."""

_incidents, _listed, _boxes = schema.incidents, schema.incident_domains, schema.mailboxes


def begin_judging(conn: Connection) -> bool:
    """Whether nobody else judges; nobody does from here to the end of the transaction. SQLite has one writer at a time.

    Each step is done once, whoever judges; but those who wait for one who has much to open do nothing else meanwhile.
    """
    if conn.dialect.name != "postgresql":
        return True
    return bool(conn.execute(sa.select(sa.func.pg_try_advisory_xact_lock(_JUDGING_LOCK))).scalar_one())


def open_one(conn: Connection, new: Opening, now: float, remind_at: float | None, reopened: int = 0) -> str | None:
    """Opens an incident and returns its id, or None where one of that subject is open: then nothing is done."""
    incident_id = uuid.uuid4().hex
    only = next(iter(new.domain_ids)) if len(new.domain_ids) == 1 and new.scope is not Scope.SERVER else None
    values = {
        "id": incident_id,
        "account_id": new.account_id,
        "scope": new.scope.value,
        "subject": new.subject,
        "open_subject": new.subject,
        "domain_id": only,
        "mailbox_id": new.mailbox_id,
        "severity": new.severity.value,
        "code": new.code.value,
        "facts": dict(new.facts),
        "seen": new.seen,
        "since": min(new.since, now),
        "opened_at": now,
        "reopened": reopened,
        "remind_at": remind_at,
        "mailboxes": new.mailboxes,
    }
    # psycopg does not say how many rows an INSERT made.
    insert = insert_into(conn, _incidents).on_conflict_do_nothing().returning(_incidents.c.id)
    if conn.execute(insert, values).first() is None:
        return None
    _list(conn, incident_id, new.domain_ids)
    _tell(conn, IncidentOpened, incident_id, now)
    return incident_id


def extend(conn: Connection, incident_id: str, domain_ids: Collection[int], **columns: object) -> None:
    """Adds domains to an open incident, and writes what is known better now: `facts`, `severity`, `code`, `mailboxes`.

    An incident that several domains share belongs to none of them.
    """
    listed = sa.select(_listed.c.domain_id).where(_listed.c.incident_id == incident_id)
    _list(conn, incident_id, domain_ids)
    if len(conn.execute(listed).all()) > 1:
        columns["domain_id"] = None
    if columns:
        conn.execute(_incidents.update().where(*_is_open(incident_id)).values(**columns))


def recover(conn: Connection, incident_id: str, now: float) -> bool:
    """It works again; it is over once that has lasted. False where that was known."""
    known = _incidents.c.recovered_at.is_not(None)
    return _update(conn, incident_id, ~known, recovered_at=now) and _tell(conn, IncidentRecovered, incident_id, now)


def reopen(conn: Connection, incident_id: str, now: float) -> bool:
    """It fails again before it was over: the same incident. False where it had not recovered."""
    again = {"recovered_at": None, "reopened": _incidents.c.reopened + 1}
    recovered = _incidents.c.recovered_at.is_not(None)
    return _update(conn, incident_id, recovered, **again) and _tell(conn, IncidentReopened, incident_id, now)


def close(
    conn: Connection, incident_id: str, now: float, facts: Mapping[str, str] | None = None, *, resolved: bool = True
) -> bool:
    """It is over: resolved, or dropped. `facts` replace those that were there. False where it was closed already."""
    told = {} if facts is None else {"facts": dict(facts)}
    kind = IncidentResolved if resolved else IncidentDropped
    closed = _update(conn, incident_id, sa.true(), closed_at=now, open_subject=None, **told)
    return closed and _tell(conn, kind, incident_id, now)


def remind(conn: Connection, incident_id: str, number: int, remind_at: float, now: float) -> bool:
    """Counts a reminder, the `number`th, and puts off the next. False where another one did."""
    due = _incidents.c.reminders == number - 1
    counted = _update(conn, incident_id, due, reminders=number, remind_at=remind_at)
    return counted and _tell(conn, IncidentReminder, incident_id, now, number=number)


def set_times(conn: Connection, incident_id: str, recovered_at: float | None, remind_at: float | None) -> None:
    """Writes these times anew: they lie ahead of a clock that was put back, or it was not well since."""
    _update(conn, incident_id, sa.true(), recovered_at=recovered_at, remind_at=remind_at)


def _update(conn: Connection, incident_id: str, condition: sa.ColumnElement[bool], **columns: object) -> bool:
    """Compare-and-swap: two that judge at once do each thing once."""
    change = _incidents.update().where(*_is_open(incident_id), condition).values(**columns)
    return int(conn.execute(change).rowcount) == 1


def _tell(conn: Connection, kind: type[IncidentEvent], incident_id: str, now: float, **more: Any) -> Literal[True]:
    """Writes down what happened to an incident, as that is now."""
    names = "account_id", "domain_id", "scope", "severity", "code", "mailboxes"
    query = sa.select(*(_incidents.c[name] for name in names)).where(_incidents.c.id == incident_id)
    values = conn.execute(query).mappings().one()
    events.record(conn, kind(subject=incident_id, at=now, **values, **more))
    return True


def _is_open(incident_id: str) -> tuple[sa.ColumnElement[bool], ...]:
    return _incidents.c.id == incident_id, _incidents.c.closed_at.is_(None)


def _list(conn: Connection, incident_id: str, domain_ids: Collection[int]) -> None:
    rows = [{"incident_id": incident_id, "domain_id": domain_id} for domain_id in sorted(domain_ids)]
    if rows:
        conn.execute(insert_into(conn, _listed).on_conflict_do_nothing(), rows)


# -- reading


def open_ones(conn: Connection) -> list[Open]:
    """The incidents that are not over, in the order in which they opened."""
    rows = conn.execute(_OPEN).mappings().all()
    about = _domains_of_open_ones(conn) if rows else {}
    return [_open(row, about.get(row["id"], frozenset())) for row in rows]


_OPEN = (
    sa.select(_incidents).where(_incidents.c.closed_at.is_(None)).order_by(_incidents.c.opened_at, _incidents.c.subject)
)


def _open(row: sa.RowMapping, domain_ids: frozenset[int]) -> Open:
    own = set(Open.__slots__) - {"domain_ids"}
    values = {name: row[name] for name in own}
    values |= {"scope": Scope(row["scope"]), "severity": Severity(row["severity"]), "code": Code(row["code"])}
    return Open(**values, domain_ids=domain_ids)


def _domains_of_open_ones(conn: Connection) -> dict[str, frozenset[int]]:
    found: dict[str, set[int]] = {}
    joined = sa.select(_listed).join(_incidents, _incidents.c.id == _listed.c.incident_id)
    for row in conn.execute(joined.where(_incidents.c.closed_at.is_(None))):
        found.setdefault(row.incident_id, set()).add(row.domain_id)
    return {key: frozenset(value) for key, value in found.items()}


def load(conn: Connection, incident_id: str) -> Incident | None:
    """An incident of any account as it is told, by an id of our own; None where there is none."""
    found = _told(conn, _incidents.c.id == incident_id)
    return found[0] if found else None


def _told(conn: Connection, condition: sa.ColumnElement[bool]) -> list[Incident]:
    query = sa.select(_incidents, _boxes.c.address).outerjoin(_boxes, _boxes.c.id == _incidents.c.mailbox_id)
    rows = conn.execute(query.where(condition).order_by(_incidents.c.opened_at, _incidents.c.id)).mappings().all()
    return [_incident(row, _names(conn, row["id"])) for row in rows]


def _incident(row: sa.RowMapping, names: Sequence[str]) -> Incident:
    values = {name: row[name] for name in Incident.__slots__ if name not in {"domains", "address"}}
    values |= {"scope": Scope(row["scope"]), "severity": Severity(row["severity"]), "code": Code(row["code"])}
    return Incident(**values, domains=names, address=row["address"] or "")


def _names(conn: Connection, incident_id: str) -> list[str]:
    domains = schema.domains
    query = sa.select(domains.c.name).join(_listed, _listed.c.domain_id == domains.c.id)
    return list(conn.execute(query.where(_listed.c.incident_id == incident_id).order_by(domains.c.name)).scalars())


def reopened_lately(conn: Connection, subject: str, since: float) -> int:
    """How often the last incident of a subject was reopened, and once more, where it ended at `since` or later."""
    query = sa.select(_incidents.c.reopened).where(_incidents.c.subject == subject, _incidents.c.closed_at >= since)
    last = conn.execute(query.order_by(_incidents.c.closed_at.desc()).limit(1)).scalar()
    return 0 if last is None else int(last) + 1


def told_already(conn: Connection, subject: str) -> bool:
    """Whether there was an incident of a subject."""
    same = sa.select(_incidents.c.id).where(_incidents.c.subject == subject)
    return conn.execute(same.limit(1)).first() is not None
