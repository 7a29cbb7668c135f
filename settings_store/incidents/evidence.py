"""What incidents are judged by: how endpoints and mailboxes are, read for many domains at a time.

Only what is out of order is read, and what open incidents are about. A domain that is paused or in maintenance counts
as `resting`: nothing is concluded from it.
"""

import functools
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from checks.codes import Code, Verdict
from checks.model import MailboxState, Protocol
from settings_store import schema
from settings_store.maintenance import at_rest
from settings_store.sandbox.accounts import of_sandbox

_known, _domains, _incidents = schema.health_endpoints, schema.domains, schema.incidents
_listed, _boxes, _runs = schema.incident_domains, schema.mailboxes, schema.runs
# Queries that are asked at every judging are made once: to make one takes longer than to execute it.
_NOW, _SINCE = sa.bindparam("now", type_=sa.Float), sa.bindparam("since", type_=sa.Float)
_FAILS = sa.bindparam("fails", type_=sa.Integer)
_PORTION = 5000


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one endpoint. Times are UTC seconds since 1970. The columns of `health_endpoints`, and whose.

    `in_force` is False where it was checked under settings that are not in force any more.
    """

    domain_id: int
    account_id: int
    protocol: Protocol
    server: str
    source: str
    state: str
    since: float
    verdict: Verdict
    code: Code
    seen: str
    fails: int
    silent: int
    first_bad_at: float | None
    checked_at: float
    notices: tuple[Mapping[str, Any], ...]
    key_changed_at: float | None
    key_change: Mapping[str, str] | None
    moved: bool
    in_force: bool
    resting: bool
    last_ok_at: float | None = None

    @property
    def host(self) -> str:
        """The server's name without its port."""
        return self.server.rpartition(":")[0]

    @property
    def bad(self) -> bool:
        """Whether it is judged not to work. It may have begun to recover."""
        return self.state in {"fail", "silent"}

    @property
    def stirring(self) -> bool:
        """Whether the newest checks were not ok, certain or not."""
        return self.fails > 0 or self.silent > 0


@dataclass(frozen=True, slots=True)
class Probe:
    """The newest check of one endpoint, for what all of them have in common. `bad` in a row, 0 where it was ok.

    `judged_bad`: it is certain already that it does not work.
    """

    host: str
    source: str
    bad: int
    judged_bad: bool
    first_bad_at: float | None
    checked_at: float
    code: Code


@dataclass(frozen=True, slots=True)
class Sick:
    """A mailbox that health checks found disconnected, in a domain whose endpoints work."""

    mailbox_id: int
    domain_id: int
    account_id: int
    code: Code
    since: float


@dataclass(frozen=True, slots=True)
class Boxes:
    """A domain's mailboxes counted. `waiting` ones have another credential since `since`, and nobody knows yet."""

    connected: int = 0
    disconnected: int = 0
    unknown: int = 0
    broken_off: bool = False  # the newest health run was ended early: all that it tried failed alike

    @property
    def tried(self) -> int:
        return self.connected + self.disconnected


def known(conn: Connection, fails: int, now: float) -> list[Known]:
    """The endpoints that changed since the last time, do not work, or are of a domain with an open incident.

    `fails` inconclusive checks in a row are worth a look too.
    """
    # Which domains these may be of is asked first, and found by indexes: in one query, PostgreSQL would read them all.
    few = conn.execute(_TELLING_DOMAINS).scalars().all()
    asked = {"fails": fails, "now": now}
    found = (row for ids in _portions(few) for row in conn.execute(_known_query(), {**asked, "ids": ids}).mappings())
    return [_row(row) for row in found]


_CONCERNED = (
    sa.select(_listed.c.domain_id)
    .join(_incidents, _incidents.c.id == _listed.c.incident_id)
    .where(_incidents.c.closed_at.is_(None), _incidents.c.scope.in_(("endpoint", "server", "notice")))
)
_TELLING_DOMAINS = sa.union(sa.select(_known.c.domain_id).where(schema.TELLING), _CONCERNED)


@functools.cache
def _known_query() -> sa.Select[Any]:
    failing = sa.or_(_known.c.state.in_(("fail", "silent")), _known.c.silent >= _FAILS)
    telling = sa.and_(_known.c.domain_id.in_(_IDS), sa.or_(_known.c.moved, failing, _known.c.domain_id.in_(_CONCERNED)))
    in_force = (_known.c.settings_id == _domains.c.settings_id).label("in_force")
    columns = [_known.c[name] for name in Known.__slots__ if name in _known.c and name != "code"]
    query: sa.Select[Any] = (
        sa.select(
            *columns,
            _cause().label("code"),
            _domains.c.account_id,
            in_force,
            at_rest(_domains.c.id, _NOW).label("resting"),
        )
        .join(_domains, _domains.c.id == _known.c.domain_id)
        .where(telling)
        .order_by(_known.c.domain_id, _known.c.protocol)
    )
    return query


def _cause() -> sa.ColumnElement[str]:
    """Why an endpoint fails: what was inconclusive since says nothing of that. Else the code of the newest check."""
    conclusive = _known.c.document["code"].as_string()
    since = sa.and_(_known.c.fails > 0, _known.c.verdict == Verdict.INCONCLUSIVE.value, conclusive.is_not(None))
    return sa.case((since, conclusive), else_=_known.c.code)


def _row(row: sa.RowMapping) -> Known:
    values = dict(row)
    values |= {"protocol": Protocol(row["protocol"]), "verdict": Verdict(row["verdict"]), "code": Code(row["code"])}
    values |= {"notices": tuple(row["notices"]), "in_force": bool(row["in_force"]), "resting": bool(row["resting"])}
    return Known(**values)


def settle_moved(conn: Connection, rows: Collection[Known]) -> None:
    """Notes that these were judged, as they were read: what was recorded meanwhile is judged the next time."""
    stale = [{"d": row.domain_id, "p": row.protocol.value, "at": row.checked_at} for row in rows if row.moved]
    if stale:
        key = _known.c.domain_id == sa.bindparam("d"), _known.c.protocol == sa.bindparam("p")
        update = _known.update().where(*key, _known.c.checked_at == sa.bindparam("at"))
        conn.execute(update.values(moved=False), stale)


def probes(conn: Connection, since: float, now: float) -> list[Probe]:
    """The newest checks at `since` or later, without resting domains and sandboxes.

    Of what was not ok, each; of what was, for each host the oldest and the newest: of the hosts where something was
    not, and of as many others as there are of those, the last looked at. That is enough to tell whether nearly all
    fail, and every check of a large store would take seconds to read. What is planned in a sandbox says nothing of the
    world, and so nothing of how we are.
    """
    found = [_probe(row) for row in conn.execute(_bad_query(), {"since": since, "now": now})]
    hosts = {probe.host for probe in found}
    few = {"ill": list(hosts), "hosts": len(hosts) + _MORE_HOSTS} if len(hosts) <= _PORTION else {}
    for row in conn.execute(_good_query(every=not few), {"since": since, "now": now, **few}):
        times = {row.oldest, row.newest}
        found += (Probe(row.host, "", 0, False, None, at, Code.OK) for at in sorted(times))
    return found


_HOST = sa.func.rtrim(sa.func.rtrim(_known.c.server, "0123456789"), ":")
_ILL = sa.or_(_known.c.fails > 0, _known.c.silent > 0)
_MORE_HOSTS = 100


def _probed(*columns: sa.ColumnElement[Any]) -> sa.Select[Any]:
    in_force = sa.and_(_domains.c.id == _known.c.domain_id, _domains.c.settings_id == _known.c.settings_id)
    watched = ~at_rest(_domains.c.id, _NOW), ~of_sandbox(_domains.c.account_id)
    return sa.select(*columns).join_from(_known, _domains, in_force).where(_known.c.checked_at >= _SINCE, *watched)


@functools.cache
def _bad_query() -> sa.Select[Any]:
    columns = [_known.c[name] for name in ("server", "source", "state", "fails", "silent", "first_bad_at")]
    few = sa.select(_known.c.domain_id).where(schema.TELLING)  # by its index
    query = _probed(*columns, _known.c.checked_at, _cause().label("code"))
    return query.where(_ILL, _known.c.domain_id.in_(few))


@functools.cache
def _good_query(*, every: bool) -> sa.Select[Any] | sa.CompoundSelect[Any]:
    times = sa.func.min(_known.c.checked_at).label("oldest"), sa.func.max(_known.c.checked_at).label("newest")
    of_hosts = _probed(_HOST.label("host"), *times).where(~_ILL).group_by(_HOST)
    if every:
        return of_hosts
    hosts = of_hosts.cte("hosts")
    newest = sa.select(hosts).order_by(hosts.c.newest.desc()).limit(sa.bindparam("hosts", type_=sa.Integer)).subquery()
    ill = hosts.c.host.in_(sa.bindparam("ill", expanding=True))
    return sa.union(sa.select(hosts).where(ill), sa.select(newest))


def _probe(row: Any) -> Probe:
    """A check of which nothing can be told, or that says that we come too often, does not count as bad."""
    host, bad = row.server.rpartition(":")[0], max(row.fails, row.silent)
    judged_bad = row.state in {"fail", "silent"} and bad > 0
    return Probe(host, row.source, bad, judged_bad, row.first_bad_at, row.checked_at, Code(row.code))


def all_bad_until(conn: Connection, since: float) -> float:
    """When the last time was over that everything failed at once, if it was closed at `since` or later; else 0."""
    return float(conn.execute(_all_bad_query(), {"since": since}).scalar() or 0.0)


@functools.cache
def _all_bad_query() -> sa.Select[Any]:
    service = _incidents.c.scope == "service", _incidents.c.closed_at >= _SINCE
    return sa.select(sa.func.max(sa.func.coalesce(_incidents.c.recovered_at, _incidents.c.closed_at))).where(*service)


def probes_by_source(conn: Connection, since: float) -> list[Probe]:
    """The same for each connection IP, of which a domain's endpoints may see several in turn; empty where one is used.

    Read from the single checks since then, so nothing in a row is longer than these.
    """
    results = schema.health_results
    if len(conn.execute(_two_sources(), {"since": since}).all()) < 2:
        return []
    query = sa.select(results, _known.c.server).where(_recent()).order_by(results.c.at)
    query = query.join(
        _known, sa.and_(_known.c.domain_id == results.c.domain_id, _known.c.protocol == results.c.protocol)
    )
    found: dict[tuple[str, int, str], Probe] = {}
    for row in conn.execute(query, {"since": since}):
        key = row.source, row.domain_id, row.protocol
        before = found.get(key)
        works = row.verdict == Verdict.OK.value
        first = row.at if before is None or before.first_bad_at is None else before.first_bad_at
        bad = 0 if works else 1 + (before.bad if before else 0)
        host = row.server.rpartition(":")[0]
        found[key] = Probe(host, row.source, bad, False, None if works else first, row.at, Code(row.code))
    return list(found.values())


@functools.cache
def _two_sources() -> sa.Select[tuple[str]]:
    return sa.select(schema.health_results.c.source).where(_recent()).distinct().limit(2)


def _recent() -> sa.ColumnElement[bool]:
    """The single checks of real servers."""
    results = schema.health_results
    sandboxed = sa.select(_domains.c.id).where(of_sandbox(_domains.c.account_id))
    return sa.and_(results.c.at >= _SINCE, results.c.domain_id.not_in(sandboxed))


def result_of(conn: Connection, domain_id: int, protocol: Protocol) -> Mapping[str, Any]:
    """The newest conclusive result of an endpoint as a document; `{}` where there is none."""
    query = sa.select(_known.c.document).where(_known.c.domain_id == domain_id, _known.c.protocol == protocol.value)
    return dict(conn.execute(query).scalar() or {})


# -- mailboxes


def sick_mailboxes(conn: Connection, now: float) -> list[Sick]:
    """Mailboxes that health checks found disconnected, by domain and id.

    Left out are those of domains that rest or whose endpoints do not work, and what was known when the settings in
    force were applied: an admin read that in the report.
    """
    found = conn.execute(_sick_query(), {"now": now}).all()
    return [Sick(row.id, row.domain_id, row.account_id, Code(row.state_code), row.state_since) for row in found]


@functools.cache
def _sick_query() -> sa.Select[tuple[int, int, int, str, float]]:
    down = sa.select(_known.c.domain_id).where(_known.c.state.in_(("fail", "silent")))
    change = schema.changes
    told = sa.select(change.c.id).where(change.c.domain_id == _boxes.c.domain_id)
    told = told.where(change.c.applied_at == _boxes.c.state_since)
    return (
        sa.select(_boxes.c.id, _boxes.c.domain_id, _domains.c.account_id, _boxes.c.state_code, _boxes.c.state_since)
        .join(_domains, _domains.c.id == _boxes.c.domain_id)
        .where(_boxes.c.state == MailboxState.DISCONNECTED.value, _boxes.c.health_fails > 0)
        .where(_boxes.c.domain_id.not_in(down), ~told.exists(), ~at_rest(_domains.c.id, _NOW))
        .order_by(_boxes.c.domain_id, _boxes.c.id)
    )


def boxes_of(conn: Connection, domain_ids: Collection[int]) -> dict[int, Boxes]:
    """How many mailboxes of each of these domains are in which state."""
    query = sa.select(_boxes.c.domain_id, _boxes.c.state, sa.func.count().label("number"))
    query = query.where(_boxes.c.domain_id.in_(domain_ids)).group_by(_boxes.c.domain_id, _boxes.c.state)
    counts: dict[int, dict[str, int]] = {domain_id: {} for domain_id in domain_ids}
    for row in conn.execute(query):
        counts[row.domain_id][row.state] = row.number
    return {key: Boxes(**value, broken_off=_broken_off(conn, key)) for key, value in counts.items()}


def _broken_off(conn: Connection, domain_id: int) -> bool:
    mine = _runs.c.domain_id == domain_id, _runs.c.kind == "health", _runs.c.stage == "finished"
    newest = sa.select(_runs.c.stop_code).where(*mine).order_by(_runs.c.created_at.desc()).limit(1)
    return conn.execute(newest).scalar() is not None


def unwatched(conn: Connection, domain_ids: Collection[int]) -> set[int]:
    """Those of the domains that are paused, or have no settings in force."""
    return {found for ids in _portions(domain_ids) for found in conn.execute(_UNWATCHED, {"ids": ids}).scalars()}


def unclear_domains(conn: Connection, domain_ids: Collection[int], now: float) -> set[int]:
    """Those of the domains whose mailboxes say nothing: at rest, or an endpoint does not work."""
    query = _unclear_query()
    found = (conn.execute(query, {"ids": ids, "now": now}).scalars() for ids in _portions(domain_ids))
    return {domain_id for each in found for domain_id in each}


_IDS: sa.BindParameter[int] = sa.bindparam("ids", expanding=True)
_UNWATCHED = sa.select(_domains.c.id).where(
    _domains.c.id.in_(_IDS), sa.or_(_domains.c.paused_at.is_not(None), _domains.c.settings_id.is_(None))
)


@functools.cache
def _unclear_query() -> sa.Select[Any]:
    down = sa.select(_known.c.domain_id).where(_known.c.state.in_(("fail", "silent")), _known.c.domain_id.in_(_IDS))
    unclear = sa.or_(_domains.c.id.in_(down), at_rest(_domains.c.id, _NOW))
    return sa.select(_domains.c.id).where(_domains.c.id.in_(_IDS), unclear)


def _portions(ids: Collection[int]) -> Iterator[list[int]]:
    """Few enough for one statement."""
    every = sorted(ids)
    yield from (every[first : first + _PORTION] for first in range(0, len(every), _PORTION))


def states_of(conn: Connection, mailbox_ids: Collection[int]) -> dict[int, MailboxState]:
    """The state of each of these mailboxes that is there still."""
    query = sa.select(_boxes.c.id, _boxes.c.state).where(_boxes.c.id.in_(_IDS), _boxes.c.domain_id.is_not(None))
    found = (row for ids in _portions(mailbox_ids) for row in conn.execute(query, {"ids": ids}))
    return {row.id: MailboxState(row.state) for row in found}


def count_like(conn: Connection, domain_id: int, code: Code, since: float) -> int:
    """How many mailboxes of a domain are disconnected with a code, or have another credential since and are unknown."""
    waiting = sa.and_(_boxes.c.state == MailboxState.UNKNOWN.value, _boxes.c.changed_at >= since)
    like = sa.and_(_boxes.c.state == MailboxState.DISCONNECTED.value, _boxes.c.state_code == code.value)
    query = sa.select(sa.func.count()).where(_boxes.c.domain_id == domain_id, sa.or_(like, waiting))
    return int(conn.execute(query).scalar_one())


def mailbox_counts(conn: Connection, domain_ids: Collection[int]) -> int:
    """How many mailboxes these domains have together."""
    query = sa.select(sa.func.count()).select_from(_boxes).where(_boxes.c.domain_id.in_(_IDS))
    return sum(int(conn.execute(query, {"ids": ids}).scalar_one()) for ids in _portions(domain_ids))
