"""How domains fare, for people: what is open, what is disconnected. Reads only, and never more than is shown."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from checks.codes import Code
from checks.model import MailboxState
from settings_store import schema
from settings_store.incidents.incidents import Incident, Scope, Severity
from settings_store.maintenance import at_rest

_incidents, _concerned, _domains = schema.incidents, schema.incident_domains, schema.domains
_known, _boxes = schema.health_endpoints, schema.mailboxes


@dataclass(frozen=True, slots=True)
class Standing:
    """How a domain stands. `states` are those of the endpoints that were checked under the settings in force.

    `expected` is how many endpoints these settings have, 0 without any; `checked_at` the oldest of their newest checks
    in UTC seconds since 1970, None before there is one. `incidents` are open ones, notices aside.
    """

    domain: str
    domain_id: int
    expected: int
    paused: bool
    at_rest: bool
    states: Mapping[str, int]
    checked_at: float | None
    mailboxes: Mapping[MailboxState, int]
    incidents: int
    notices: int


@dataclass(frozen=True, slots=True)
class Disconnected:
    """A mailbox that does not connect, since when (UTC seconds since 1970) and why, where that is known."""

    address: str
    code: Code | None
    since: float | None


def standings(
    conn: Connection, account_id: int, now: float, domain_ids: Collection[int] | None = None, *, counted: bool = True
) -> list[Standing]:
    """Every domain of the account, or those of them with these ids, by name. Mailboxes are 0 unless `counted`."""
    mine = _mine(account_id, domain_ids)
    states, oldest = _endpoint_states(conn, mine)
    mailboxes = _mailbox_states(conn, mine) if counted else defaultdict(lambda: dict.fromkeys(MailboxState, 0))
    incidents = _open_incidents(conn, account_id, domain_ids)
    resting = at_rest(_domains.c.id, now).label("resting")
    columns = _domains.c.id, _domains.c.name, _domains.c.paused_at, schema.settings.c.kind, resting
    query = sa.select(*columns).outerjoin_from(
        _domains, schema.settings, schema.settings.c.id == _domains.c.settings_id
    )
    return [
        Standing(
            domain=row.name,
            domain_id=row.id,
            expected={"imap": 2, "exchange": 1}.get(row.kind, 0),
            paused=row.paused_at is not None,
            at_rest=bool(row.resting),
            states=states[row.id],
            checked_at=oldest.get(row.id),
            mailboxes=mailboxes[row.id],
            incidents=sum(count for scope, count in incidents[row.id].items() if scope != Scope.NOTICE),
            notices=incidents[row.id][Scope.NOTICE],
        )
        for row in conn.execute(query.where(mine).order_by(_domains.c.name))
    ]


def unsettled(conn: Connection, account_id: int, now: float, overdue_since: float) -> list[int]:
    """The ids of domains of which something may be to be told: all others of the account are watched and well.

    Some are of other accounts; those with an incident are `failing`. Those whose endpoints have been due since
    `overdue_since` are among them: perhaps nobody watches. Each part is found by an index of what is rare, so that it
    takes no longer where there are more domains that are well.
    """
    windows, schedule = schema.maintenance, schema.health_schedule
    resting = windows.c.domain_id.is_not(None), windows.c.starts_at <= now, windows.c.ends_at > now
    parts = (
        sa.select(_domains.c.id).where(_domains.c.account_id == account_id, sa.text(f"({schema.UNSETTLED})")),
        sa.select(_known.c.domain_id).where(schema.TELLING),
        sa.select(schedule.c.domain_id).where(schedule.c.endpoints_due < overdue_since),
        sa.select(windows.c.domain_id).where(windows.c.account_id == account_id, *resting),
    )
    return list(conn.execute(sa.union(*parts)).scalars())


def _mine(account_id: int, domain_ids: Collection[int] | None) -> sa.ColumnElement[bool]:
    mine = _domains.c.account_id == account_id
    return mine if domain_ids is None else sa.and_(mine, _domains.c.id.in_(domain_ids))


def _endpoint_states(
    conn: Connection, mine: sa.ColumnElement[bool]
) -> tuple[Mapping[int, dict[str, int]], dict[int, float]]:
    query = (
        sa.select(_known.c.domain_id, _known.c.state, sa.func.count(), sa.func.min(_known.c.checked_at))
        .join(_domains, _domains.c.id == _known.c.domain_id)
        .where(mine, _domains.c.settings_id == _known.c.settings_id)
        .group_by(_known.c.domain_id, _known.c.state)
    )
    states: defaultdict[int, dict[str, int]] = defaultdict(dict)
    oldest: dict[int, float] = {}
    for domain_id, state, count, checked_at in conn.execute(query):
        states[domain_id][state] = count
        oldest[domain_id] = min(checked_at, oldest.get(domain_id, checked_at))
    return states, oldest


def _mailbox_states(conn: Connection, mine: sa.ColumnElement[bool]) -> Mapping[int, Mapping[MailboxState, int]]:
    query = (
        sa.select(_boxes.c.domain_id, _boxes.c.state, sa.func.count())
        .join(_domains, _domains.c.id == _boxes.c.domain_id)
        .where(mine)
        .group_by(_boxes.c.domain_id, _boxes.c.state)
    )
    counts: defaultdict[int, dict[MailboxState, int]] = defaultdict(lambda: dict.fromkeys(MailboxState, 0))
    for domain_id, state, count in conn.execute(query):
        counts[domain_id][MailboxState(state)] = count
    return counts


def _open_incidents(
    conn: Connection, account_id: int, domain_ids: Collection[int] | None
) -> Mapping[int, Mapping[Scope, int]]:
    """How many are open of each of these domains by scope; one of a server counts for each domain that it lists."""
    both = _of_domains(account_id, domain_ids)
    query = sa.select(both.c.domain_id, both.c.scope, sa.func.count()).group_by(both.c.domain_id, both.c.scope)
    counts: defaultdict[int, dict[Scope, int]] = defaultdict(lambda: dict.fromkeys(Scope, 0))
    for domain_id, scope, count in conn.execute(query):
        counts[domain_id][Scope(scope)] = count
    return counts


def _of_domains(account_id: int, domain_ids: Collection[int] | None) -> sa.Subquery:
    """The open incidents of an account with the domains that they are about, each once.

    One that belongs to a domain is about no other: only of those that are shared is it looked up whom they are about.
    """
    columns = _incidents.c.scope, _incidents.c.domain_id
    still_open = _incidents.c.closed_at.is_(None), _incidents.c.account_id == account_id
    own = sa.select(*columns).where(*still_open, _incidents.c.domain_id.is_not(None))
    listed = sa.select(_incidents.c.scope, _concerned.c.domain_id).where(*still_open, _incidents.c.domain_id.is_(None))
    listed = listed.join(_concerned, _concerned.c.incident_id == _incidents.c.id)
    if domain_ids is not None:
        own = own.where(_incidents.c.domain_id.in_(domain_ids))
        listed = listed.where(_concerned.c.domain_id.in_(domain_ids))
    return sa.union_all(own, listed).subquery()


def with_incident(account_id: int) -> sa.Select[tuple[int]]:
    """The ids of the account's domains with an open incident, notices aside: part of a query."""
    both = _of_domains(account_id, None)
    return sa.select(both.c.domain_id).where(both.c.scope != Scope.NOTICE).distinct()


def failing(conn: Connection, account_id: int) -> dict[int, tuple[str, int]]:
    """Domain -> its name, and how many open incidents it has, notices aside; those without any are left out."""
    both, number = _of_domains(account_id, None), sa.func.count().label("number")
    # Names are looked up of these few: a join before they are grouped would read those of all domains.
    few = sa.select(both.c.domain_id, number).where(both.c.scope != Scope.NOTICE).group_by(both.c.domain_id).subquery()
    query = sa.select(_domains.c.id, _domains.c.name, few.c.number).join(few, few.c.domain_id == _domains.c.id)
    return {row.id: (row.name, row.number) for row in conn.execute(query)}


def count_with_incident(conn: Connection, account_id: int) -> int:
    """How many domains of an account have an open incident, notices aside."""
    return int(conn.execute(sa.select(sa.func.count()).select_from(with_incident(account_id).subquery())).scalar_one())


def mailbox_counts(conn: Connection, domain_id: int) -> dict[MailboxState, int]:
    """How many mailboxes of a domain are in each state."""
    query = sa.select(_boxes.c.state, sa.func.count()).where(_boxes.c.domain_id == domain_id).group_by(_boxes.c.state)
    counts = dict.fromkeys(MailboxState, 0)
    for state, count in conn.execute(query):
        counts[MailboxState(state)] = count
    return counts


def disconnected(conn: Connection, domain_id: int, limit: int) -> list[Disconnected]:
    """The domain's mailboxes that are disconnected, the newest first, at most `limit`."""
    query = (
        sa.select(_boxes.c.address, _boxes.c.state_code, _boxes.c.state_since)
        .where(_boxes.c.domain_id == domain_id, _boxes.c.state == MailboxState.DISCONNECTED)
        .order_by(_boxes.c.state_since.desc(), _boxes.c.address)
        .limit(limit)
    )
    return [
        Disconnected(row.address, Code(row.state_code) if row.state_code else None, row.state_since)
        for row in conn.execute(query)
    ]


def incidents_of(conn: Connection, domain_id: int, closed_since: float, limit: int) -> tuple[list[Incident], int]:
    """A domain's incidents that are open or were closed since then: at most `limit`, and how many there are.

    Open ones come first, failures before notices, then the gravest and the newest. The operator's are left out: they
    name other accounts' domains.
    """
    account = sa.select(_domains.c.account_id).where(_domains.c.id == domain_id).scalar_subquery()
    mine = sa.and_(_incidents.c.account_id == account, _about(domain_id))
    recent = sa.or_(_incidents.c.closed_at.is_(None), _incidents.c.closed_at >= closed_since)
    closed = sa.case((_incidents.c.closed_at.is_(None), 0), else_=1)
    notice = sa.case((_incidents.c.scope == Scope.NOTICE, 1), else_=0)
    gravity = sa.case({severity.value: severity.rank for severity in Severity}, value=_incidents.c.severity)
    query = (
        sa.select(_incidents, _boxes.c.address)
        .outerjoin_from(_incidents, _boxes, _boxes.c.id == _incidents.c.mailbox_id)
        .where(mine, recent)
        .order_by(closed, notice, gravity, _incidents.c.opened_at.desc(), _incidents.c.id)
        .limit(limit)
    )
    rows = conn.execute(query).mappings().all()
    count = conn.execute(sa.select(sa.func.count()).select_from(_incidents).where(mine, recent)).scalar_one()
    names = _names(conn, [row["id"] for row in rows])
    return [_incident(row, names[row["id"]]) for row in rows], count


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which incidents: of one domain, of some scopes or severities, only open ones. None: of any."""

    only_open: bool = True
    domain_id: int | None = None
    scopes: Collection[Scope] | None = None
    severities: Collection[Severity] | None = None


def page_of_incidents(
    conn: Connection, account_id: int, wanted: Wanted, after: tuple[float, str] | None, limit: int
) -> list[Incident]:
    """An account's incidents, the last opened first: at most `limit`, of those behind `after` (opened at, id)."""
    conditions = [_incidents.c.account_id == account_id, *_wanted(wanted)]
    if after is not None:
        at, incident_id = after
        earlier = _incidents.c.opened_at < at
        conditions.append(sa.or_(earlier, sa.and_(_incidents.c.opened_at == at, _incidents.c.id > incident_id)))
    return _found(conn, conditions, limit)


def find_incident(conn: Connection, account_id: int, incident_id: str) -> Incident | None:
    """An incident of an account, None where it has none of that id."""
    found = _found(conn, [_incidents.c.account_id == account_id, _incidents.c.id == incident_id], 1)
    return found[0] if found else None


def _wanted(wanted: Wanted) -> Iterator[sa.ColumnElement[bool]]:
    if wanted.only_open:
        yield _incidents.c.closed_at.is_(None)
    if wanted.domain_id is not None:
        yield _about(wanted.domain_id)
    if wanted.scopes is not None:
        yield _incidents.c.scope.in_([scope.value for scope in wanted.scopes])
    if wanted.severities is not None:
        yield _incidents.c.severity.in_([severity.value for severity in wanted.severities])


def _about(domain_id: int) -> sa.ColumnElement[bool]:
    """Whether an incident is about a domain. By its key: an OR of two columns would have all incidents read."""
    own = sa.select(_incidents.c.id).where(_incidents.c.domain_id == domain_id)
    listed = sa.select(_concerned.c.incident_id).where(_concerned.c.domain_id == domain_id)
    return _incidents.c.id.in_(sa.union(own, listed))


def _found(conn: Connection, conditions: Sequence[sa.ColumnElement[bool]], limit: int) -> list[Incident]:
    order = _incidents.c.opened_at.desc(), _incidents.c.id
    # Mailboxes are looked up of those that are shown, and not of all before they are put in order.
    page = sa.select(_incidents).where(*conditions).order_by(*order).limit(limit).subquery()
    query = sa.select(page, _boxes.c.address).outerjoin_from(page, _boxes, _boxes.c.id == page.c.mailbox_id)
    rows = conn.execute(query.order_by(page.c.opened_at.desc(), page.c.id)).mappings().all()
    names = _names(conn, [row["id"] for row in rows])
    return [_incident(row, names[row["id"]]) for row in rows]


def _names(conn: Connection, incident_ids: Sequence[str]) -> Mapping[str, list[str]]:
    query = (
        sa.select(_concerned.c.incident_id, _domains.c.name)
        .join(_domains, _domains.c.id == _concerned.c.domain_id)
        .where(_concerned.c.incident_id.in_(incident_ids))
        .order_by(_domains.c.name)
    )
    names: defaultdict[str, list[str]] = defaultdict(list)
    for incident_id, name in conn.execute(query):
        names[incident_id].append(name)
    return names


def _incident(row: sa.RowMapping, names: Sequence[str]) -> Incident:
    values = {name: row[name] for name in Incident.__slots__ if name in row}
    values |= {"scope": Scope(row["scope"]), "severity": Severity(row["severity"]), "code": Code(row["code"])}
    return Incident(**values | {"domains": tuple(names), "address": row["address"] or ""})


def service_in_trouble(conn: Connection) -> bool:
    """Whether the service itself has an incident: then what it says of domains is not to be relied on."""
    trouble = _incidents.c.scope == Scope.SERVICE, _incidents.c.closed_at.is_(None)
    return bool(conn.execute(sa.select(sa.exists().where(*trouble))).scalar_one())


def domains_on(conn: Connection, account_id: int, host: str) -> list[str]:
    """The account's domains, by name, that have a host (in lower case) in their settings in force."""
    table = schema.settings
    exchange = (table.c.exchange_url.startswith(f"https://{host}{end}", autoescape=True) for end in "/:")
    there = sa.or_(table.c.imap_host == host, table.c.smtp_host == host, *exchange)
    query = sa.select(_domains.c.name).join(table, table.c.id == _domains.c.settings_id)
    query = query.where(_domains.c.account_id == account_id, there).order_by(_domains.c.name)
    return list(conn.execute(query).scalars())
