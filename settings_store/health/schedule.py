"""When a domain's health is next looked at, and who does so. The schedule is in the database; no message has it.

A domain is claimed by putting its time off by a lease. Whoever claims one and is killed leaves it due again. A time
too far ahead was set before the clock was put back, and counts as due.
"""

import random
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy import Connection

from settings_store import schema
from settings_store.db import insert_into
from settings_store.maintenance import at_rest
from settings_store.sandbox.accounts import of_sandbox

JITTER = 0.1
_ENROL_AT_ONCE = 500
_LOOKED_AT = 5000
_SAMPLED_SECONDS = 240.0
_AHEAD = 4  # so many times as many are looked at as are claimed: others may claim at the same moment

_schedule, _domains, _known, _settings = (
    schema.health_schedule,
    schema.domains,
    schema.health_endpoints,
    schema.settings,
)


@dataclass(frozen=True, slots=True)
class Due:
    """A domain whose endpoints are to be checked now. `server` is as it is in the schedule."""

    domain_id: int
    domain: str
    account_id: int
    settings_id: int
    server: str


@dataclass(frozen=True, slots=True)
class Next:
    """When a domain's endpoints are due again, in UTC seconds since 1970, and the host they are on."""

    domain_id: int
    server: str
    due: float


@dataclass(frozen=True, slots=True)
class Share:
    """The domains that one kind of worker looks after: of those with static addresses every `of`-th, from `place` on.

    `place` None: none of these. `others`: those without static addresses too.
    """

    others: bool
    of: int
    place: int | None


def enrol(
    conn: Connection, now: float, endpoint_seconds: float, slice_seconds: float, *, only: int | None = None
) -> int:
    """Adds domains that have settings in force to the schedule, spread over the intervals, and drops those without.

    `only` is the account whose domains are added, None: all. Returns how many were not in it. Two that enrol at
    once add each domain once.
    """
    _drop_unset(conn)
    unlisted = conn.execute(_UNLISTED) if only is None else conn.execute(_UNLISTED_OF_ONE, {"only": only})
    rows = [
        {
            "domain_id": row.id,
            "server": row.imap_host or urlsplit(row.exchange_url).hostname or "",
            "endpoints_due": now + endpoint_seconds * random.random(),  # noqa: S311 - no secret
            "mailboxes_due": now + slice_seconds * random.random(),  # noqa: S311 - no secret
        }
        for row in unlisted
    ]
    if rows:
        conn.execute(insert_into(conn, _schedule).on_conflict_do_nothing(), rows)
    return len(rows)


def _drop_unset(conn: Connection) -> None:
    """A change that was rolled back may leave a domain without settings: there is nothing to be known of it."""
    for statement in _DROP_UNSET:
        conn.execute(statement)


# Statements are made once: to make one takes longer than to execute it.
_UNLISTED = (
    sa.select(_domains.c.id, _settings.c.imap_host, _settings.c.exchange_url)
    .join(_settings, _settings.c.id == _domains.c.settings_id)
    .where(~sa.select(_schedule.c.domain_id).where(_schedule.c.domain_id == _domains.c.id).exists())
    .limit(_ENROL_AT_ONCE)
)
_OF_ACCOUNT = _domains.c.account_id == sa.bindparam("only", type_=sa.Integer)
_UNLISTED_OF_ONE = _UNLISTED.where(_OF_ACCOUNT)
_UNSET = sa.select(_domains.c.id).where(_domains.c.settings_id.is_(None))
_DROP_UNSET = [table.delete().where(table.c.domain_id.in_(_UNSET)) for table in (_schedule, _known)]


def jittered(seconds: float) -> float:
    """About so many seconds: what began together does not stay together."""
    return seconds * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - no secret


def due_count(conn: Connection, now: float, horizon: float, limit: int) -> int:
    """How many domains' endpoints are due, counted up to `limit`."""
    return int(conn.execute(_DUE_COUNT, {"now": now, "horizon": horizon, "most": limit}).scalar_one())


def claim_due(
    conn: Connection,
    now: float,
    *,
    until: float,
    horizon: float,
    limit: int,
    only: int | None = None,
    share: Share | None = None,
) -> list[Due]:
    """Claims domains whose endpoints are due, until `until`: those of one server together, those longest due first.

    What is due later than `horizon` counts as due too. `only` is the account whose domains are meant, None: all, and
    `share` those that may be claimed here, None: all. Empty where there is none that nobody else has.
    """
    due = {"now": now, "horizon": horizon}
    asked: dict[str, float] = {**due, "most": _AHEAD * limit}
    candidates = _CANDIDATES if only is None else _CANDIDATES_OF_ONE
    if share is not None:
        candidates = _candidates(_in_share(share), *([] if only is None else [_OF_ACCOUNT]))
    found = conn.execute(candidates, asked if only is None else asked | {"only": only})
    places = {row.domain_id: place for place, row in enumerate(found)}
    if not places:
        return []
    # Whoever claims at the same moment has some of them locked, or has moved them already.
    rows = conn.execute(_FREE, {**due, "ids": list(places)}).all()
    chosen = sorted(rows, key=lambda row: places[row.domain_id])[:limit]
    ids = [row.domain_id for row in chosen]
    conn.execute(_LEASE, {"ids": ids, "until": until})
    return [Due(row.domain_id, row.name, row.account_id, row.settings_id, row.server) for row in chosen]


def _in_share(share: Share) -> sa.ColumnElement[bool]:
    static = _domains.c.settings_id.in_(sa.select(_settings.c.id).where(_settings.c.static_addresses))
    own = sa.false() if share.place is None else sa.and_(static, _domains.c.id % share.of == share.place)
    return sa.or_(~static, own) if share.others else own


def _due_query() -> sa.Select[tuple[int, str, int, int | None, str]]:
    now, horizon = sa.bindparam("now", type_=sa.Float), sa.bindparam("horizon", type_=sa.Float)
    due = sa.or_(_schedule.c.endpoints_due <= now, _schedule.c.endpoints_due > horizon)
    columns = _schedule.c.domain_id, _domains.c.name, _domains.c.account_id, _domains.c.settings_id, _schedule.c.server
    query = sa.select(*columns).join(_domains, _domains.c.id == _schedule.c.domain_id)
    return query.where(due, ~at_rest(_domains.c.id, now), _domains.c.settings_id.is_not(None))


_DUE, _MOST = _due_query(), sa.bindparam("most", type_=sa.Integer)
_IDS: sa.BindParameter[int] = sa.bindparam("ids", expanding=True)
_DUE_COUNT = sa.select(sa.func.count()).select_from(
    _DUE.with_only_columns(_schedule.c.domain_id).limit(_MOST).subquery()
)


def _candidates(*conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """By server, of those longest due: after an outage all are due, and to sort all for each claim takes long."""
    due = _DUE.add_columns(_schedule.c.endpoints_due).where(*conditions)
    few = due.order_by(_schedule.c.endpoints_due).limit(_LOOKED_AT).subquery()
    longest = sa.func.min(few.c.endpoints_due).over(partition_by=few.c.server)
    return sa.select(few.c.domain_id).order_by(longest, few.c.server, few.c.domain_id).limit(_MOST)


_CANDIDATES = _candidates()
_CANDIDATES_OF_ONE = _candidates(_OF_ACCOUNT)
_FREE = (
    _DUE.where(_schedule.c.domain_id.in_(_IDS))
    .order_by(_schedule.c.domain_id)
    .with_for_update(of=_schedule, skip_locked=True)
)
_LEASE = (
    _schedule.update()
    .where(_schedule.c.domain_id.in_(_IDS))
    .values(endpoints_due=sa.bindparam("until", type_=sa.Float))
)


def schedule_next(conn: Connection, items: Iterable[Next]) -> None:
    """Says when domains' endpoints are due again."""
    values = [{"key": item.domain_id, "host": item.server, "due": item.due} for item in items]
    statement = _schedule.update().where(_schedule.c.domain_id == sa.bindparam("key"))
    if values:
        conn.execute(statement.values(server=sa.bindparam("host"), endpoints_due=sa.bindparam("due")), values)


def hurry(
    conn: Connection, servers: Collection[str], now: float, *, not_since: float, siblings: int, others: int
) -> int:
    """Makes domains due now: up to `siblings` on these servers, and `others` at random elsewhere, as a control group.

    Those checked since `not_since` are left alone: what happens in a moment must not count as several failures in a
    row. Returns how many became due.
    """
    recent = sa.select(_known.c.domain_id).where(
        _known.c.domain_id == _schedule.c.domain_id, _known.c.checked_at > not_since, _known.c.checked_at <= now
    )
    later = sa.select(_schedule.c.domain_id).join(_domains, _domains.c.id == _schedule.c.domain_id)
    later = later.where(_schedule.c.endpoints_due > now, ~recent.exists(), ~of_sandbox(_domains.c.account_id))
    same = later.where(_schedule.c.server.in_(servers)).limit(siblings)
    # Times are jittered, so those that follow any moment are a sample; where too few do, those that follow this one.
    elsewhere = later.where(_schedule.c.server.not_in(servers)).order_by(_schedule.c.endpoints_due).limit(others)
    moment = now + _SAMPLED_SECONDS * random.random()  # noqa: S311 - no secret
    control = conn.execute(elsewhere.where(_schedule.c.endpoints_due > moment)).scalars().all()
    if len(control) < others:
        control = conn.execute(elsewhere).scalars().all()
    wanted = [*conn.execute(same).scalars(), *control]
    # In order, and past what somebody claims just now: nobody waits for anybody in a circle.
    free = sa.select(_schedule.c.domain_id).where(_schedule.c.domain_id.in_(wanted)).order_by(_schedule.c.domain_id)
    ids = conn.execute(free.with_for_update(skip_locked=True)).scalars().all() if wanted else []
    if ids:
        conn.execute(_schedule.update().where(_schedule.c.domain_id.in_(ids)).values(endpoints_due=now))
    return len(ids)
