"""What health checks know of the endpoints of the settings in force, and the history of it.

One row an endpoint says how it is; each check is kept for a while, and each hour's sums for longer. Nothing is judged
here: whoever records says what became of an endpoint.
"""

import functools
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy import Connection

from checks.codes import Code, Verdict
from checks.model import CredentialKind, Protocol
from settings_store import schema
from settings_store.db import insert_for

State = Literal["unknown", "ok", "fail", "silent"]
HOUR = 3600

_known, _results, _hours, _domains = schema.health_endpoints, schema.health_results, schema.health_hours, schema.domains
_NOT_STORED = frozenset({"domain", "account_id"})


@dataclass(frozen=True, slots=True)
class Watched:
    """What is known of one endpoint of a domain's settings in force. Times are UTC seconds since 1970.

    `state` is as judged, since `since`; `verdict`, `code`, `seen` and `ms` (milliseconds) are those of the newest
    check. `fails`, `oks` and `silent` are in a row, `first_bad_at` is None while all is well. `server` is host:port,
    `source` the connection IP, '' where the system chooses. `document` is the newest conclusive result (`{}` before
    there is one), `notices` what is to be said ahead of time, as {"code", "facts"}. `key_change` says what the
    server's key or issuer was and is. `moved`: something changed since incidents were last judged.
    """

    domain_id: int
    domain: str
    account_id: int
    protocol: Protocol
    settings_id: int
    server: str
    source: str
    state: State
    since: float
    verdict: Verdict
    code: Code
    seen: str
    fails: int
    oks: int
    silent: int
    first_bad_at: float | None
    last_ok_at: float | None
    checked_at: float
    ms: float
    document: Mapping[str, Any]
    key_changed_at: float | None = None
    key_change: Mapping[str, Any] | None = None
    notices: Sequence[Mapping[str, Any]] = ()
    moved: bool = True


def sources(conn: Connection, account_id: int) -> list[str]:
    """The connection IPs from which the account's endpoints were last looked at, '' where the system chose it."""
    found: list[str] = []
    last = conn.execute(sa.select(sa.func.min(_known.c.source))).scalar()
    while last is not None:  # they are few: to step from one to the next in their index is to read none twice
        mine = sa.select(_known.c.source).join(_domains, _domains.c.id == _known.c.domain_id)
        mine = mine.where(_known.c.source == last, _domains.c.account_id == account_id)
        found += conn.execute(mine.limit(1)).scalars()
        last = conn.execute(sa.select(sa.func.min(_known.c.source)).where(_known.c.source > last)).scalar()
    return found


def watched(conn: Connection, domain_id: int) -> list[Watched]:
    """What is known of a domain's endpoints under the settings in force, by protocol."""
    return watched_of(conn, [domain_id])


def watched_of(conn: Connection, domain_ids: Collection[int], *, for_update: bool = False) -> list[Watched]:
    """As `watched`, of several domains, by domain and protocol. `for_update` keeps others from writing meanwhile."""
    query = _WATCHED_TO_WRITE if for_update else _WATCHED
    return [_watched(row) for row in conn.execute(query, {"ids": list(domain_ids)}).mappings()]


# Statements are made once: to make one takes longer than to execute it.
_IDS: sa.BindParameter[int] = sa.bindparam("ids", expanding=True)
_WATCHED = (
    sa.select(_known, _domains.c.name.label("domain"), _domains.c.account_id)
    .join(_domains, _domains.c.id == _known.c.domain_id)
    .where(_known.c.domain_id.in_(_IDS), _domains.c.settings_id == _known.c.settings_id)
    .order_by(_known.c.domain_id, _known.c.protocol)
)
_WATCHED_TO_WRITE = _WATCHED.with_for_update(of=_known)
_IN_FORCE = sa.select(_domains.c.id, _domains.c.settings_id).where(
    _domains.c.id.in_(_IDS), _domains.c.settings_id.is_not(None)
)


def _watched(row: sa.RowMapping) -> Watched:
    values = dict(row)
    values |= {"protocol": Protocol(row["protocol"]), "verdict": Verdict(row["verdict"]), "code": Code(row["code"])}
    return Watched(**values)


def in_force(conn: Connection, domain_ids: Collection[int]) -> dict[int, int]:
    """Domain -> the id of its settings in force; those without any are left out."""
    return {row.id: row.settings_id for row in conn.execute(_IN_FORCE, {"ids": list(domain_ids)})}


def password_mailboxes(conn: Connection, domain_ids: Collection[int]) -> dict[int, int]:
    """Domain -> how many of its mailboxes log in with a password; those without any are left out."""
    box = schema.mailboxes
    with_password = box.c.domain_id.in_(domain_ids), box.c.credential_kind == CredentialKind.PASSWORD.value
    query = sa.select(box.c.domain_id, sa.func.count()).where(*with_password, box.c.credential.is_not(None))
    return {row[0]: row[1] for row in conn.execute(query.group_by(box.c.domain_id))}


def failing_since(conn: Connection, servers: Collection[str], since: float) -> set[str]:
    """Those of the servers (host:port) where an endpoint has begun not to be well after `since`, and is not yet."""
    begun = _known.c.server.in_(servers), _known.c.first_bad_at > since
    return set(conn.execute(sa.select(_known.c.server).where(*begun).distinct()).scalars())


def record(conn: Connection, rows: Sequence[Watched]) -> None:
    """Keeps what checks have found: how each endpoint is now, the check itself, and the sums of its hour.

    At most one row for each domain and protocol. `moved` is stored as given: whoever records compares.
    """
    if not rows:
        return
    _forget_others(conn, rows)
    dialect = conn.dialect.name
    conn.execute(_upsert(dialect), [_columns(row) for row in rows])
    checks = [_check(row) for row in rows]
    conn.execute(_add_check(dialect), checks)
    conn.execute(_add_to_hours(dialect), [_hour(check) for check in checks])
    _note_checked(conn, {row.domain_id: row.settings_id for row in rows})


def _note_checked(conn: Connection, versions: Mapping[int, int]) -> None:
    """All endpoints of these domains were looked at under these settings. Where somebody holds a domain, next time."""
    found = conn.execute(_UNCHECKED, {"ids": list(versions)}).all()
    new = [row.id for row in found if row.settings_id == versions[row.id]]
    if new:
        values = {"checked_settings_id": _domains.c.settings_id}
        conn.execute(_domains.update().where(_domains.c.id.in_(new)).values(values))


_UNCHECKED = (
    sa.select(_domains.c.id, _domains.c.settings_id)
    .where(_domains.c.id.in_(_IDS), _domains.c.settings_id.is_distinct_from(_domains.c.checked_settings_id))
    .order_by(_domains.c.id)
    .with_for_update(key_share=True, skip_locked=True)
)


def _columns(row: Watched) -> dict[str, Any]:
    values = {column: getattr(row, column) for column in Watched.__slots__ if column not in _NOT_STORED}
    plain = {"protocol": row.protocol.value, "verdict": row.verdict.value, "code": row.code.value}
    return values | plain | {"document": dict(row.document), "notices": [dict(item) for item in row.notices]}


def _check(row: Watched) -> dict[str, Any]:
    found = {"verdict": row.verdict.value, "code": row.code.value, "ms": row.ms, "source": row.source}
    return {"domain_id": row.domain_id, "protocol": row.protocol.value, "at": row.checked_at, **found}


def _forget_others(conn: Connection, rows: Iterable[Watched]) -> None:
    """Endpoints that the domains had under other settings, Exchange's of a domain that now has IMAP."""
    versions = {row.domain_id: row.settings_id for row in rows}
    present = {(row.domain_id, row.protocol.value) for row in rows}
    found = conn.execute(_PRESENT, {"ids": list(versions)}).all()
    for row in found:
        if row.settings_id != versions[row.domain_id] and (row.domain_id, row.protocol) not in present:
            same = _known.c.domain_id == row.domain_id, _known.c.protocol == row.protocol
            conn.execute(_known.delete().where(*same))


_PRESENT = sa.select(_known.c.domain_id, _known.c.protocol, _known.c.settings_id).where(_known.c.domain_id.in_(_IDS))


@functools.cache
def _add_check(dialect: str) -> sa.Executable:
    return insert_for(dialect, _results).on_conflict_do_nothing()


@functools.cache
def _add_to_hours(dialect: str) -> sa.Executable:
    insert = insert_for(dialect, _hours)
    new = insert.excluded
    sums = {name: _hours.c[name] + new[name] for name in ("ok", "fail", "inconclusive", "ms_sum")}
    longest = sa.case((new.ms_max > _hours.c.ms_max, new.ms_max), else_=_hours.c.ms_max)
    return insert.on_conflict_do_update(index_elements=_hours.primary_key.columns, set_={**sums, "ms_max": longest})


def _hour(check: Mapping[str, Any]) -> dict[str, Any]:
    counts = {verdict.value: int(check["verdict"] == verdict.value) for verdict in Verdict}
    ms = check["ms"] if counts["ok"] else 0.0
    key = {"domain_id": check["domain_id"], "protocol": check["protocol"], "hour": int(check["at"] // HOUR)}
    return {**key, **counts, "ms_sum": ms, "ms_max": ms}


@functools.cache
def _upsert(dialect: str) -> sa.Executable:
    insert = insert_for(dialect, _known)
    rest = {column.name: insert.excluded[column.name] for column in _known.c if not column.primary_key}
    return insert.on_conflict_do_update(index_elements=_known.primary_key.columns, set_=rest)
