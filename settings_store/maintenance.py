"""When nobody watches a domain: it is paused, or maintenance was announced. Times are UTC seconds since 1970."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from checks.model import Invalid, Unknown
from settings_store import domains, schema

LONGEST_SECONDS = 90 * 86400.0
_FARTHEST_SECONDS = 100 * 365.25 * 86_400
"""No window is longer: a year that was mistyped must not silence a domain for good."""
_NOTE_LIMIT = 500

_windows, _domains = schema.maintenance, schema.domains
# Made once: the columns of an alias take a millisecond, and this is part of every query for what is due.
_RESTING, _RESTING_WINDOW = _domains.alias("resting"), _windows.alias("resting_window")


@dataclass(frozen=True, slots=True)
class Window:
    """Announced maintenance, from `starts_at` until just before `ends_at`. `domain` is None for the whole account."""

    id: int
    domain: str | None
    starts_at: float
    ends_at: float
    note: str


@dataclass(frozen=True, slots=True)
class Rest:
    """Why a domain is not watched: since when it is paused, the maintenance under way; both None where it is."""

    paused_at: float | None
    window: Window | None


def at_rest(domain_id: sa.ColumnElement[int] | int, now: sa.ColumnElement[float] | float) -> sa.ColumnElement[bool]:
    """Whether a domain is paused or in maintenance, as a condition of a query. `domain_id` may be a column of it.

    Where it is that of `domains`, its row is there already: to look it up again, PostgreSQL would go through all.
    """
    domain, window = _RESTING, _RESTING_WINDOW
    if domain_id is _domains.c.id:
        under_way = sa.select(sa.literal(1)).where(_covers(window, _domains, now)).correlate_except(window).exists()
        return sa.or_(_domains.c.paused_at.is_not(None), under_way)
    under_way = sa.select(sa.literal(1)).where(_covers(window, domain, now)).correlate_except(window).exists()
    resting = sa.or_(domain.c.paused_at.is_not(None), under_way)
    return sa.select(sa.literal(1)).where(domain.c.id == domain_id, resting).correlate_except(domain).exists()


def _covers(
    window: sa.FromClause, domain: sa.FromClause, now: sa.ColumnElement[float] | float
) -> sa.ColumnElement[bool]:
    return sa.and_(
        window.c.account_id == domain.c.account_id,
        sa.or_(window.c.domain_id.is_(None), window.c.domain_id == domain.c.id),
        window.c.starts_at <= now,
        window.c.ends_at > now,
    )


def is_announced_for_all(conn: Connection, account_id: int, now: float) -> bool:
    """Whether maintenance of the whole account is under way."""
    mine = _windows.c.account_id == account_id, _windows.c.domain_id.is_(None)
    query = sa.select(_windows.c.id).where(*mine, _windows.c.starts_at <= now, _windows.c.ends_at > now)
    return conn.execute(query.limit(1)).first() is not None


def rest_of(conn: Connection, domain_id: int, now: float) -> Rest:
    """Why a domain is not watched now. Of several windows, the one that ends last."""
    paused_at = conn.execute(sa.select(_domains.c.paused_at).where(_domains.c.id == domain_id)).scalar_one()
    query = _select().where(_domains_of_window(domain_id), _windows.c.starts_at <= now, _windows.c.ends_at > now)
    row = conn.execute(query.order_by(_windows.c.ends_at.desc()).limit(1)).one_or_none()
    return Rest(paused_at, _window(row) if row else None)


def _domains_of_window(domain_id: int) -> sa.ColumnElement[bool]:
    account = sa.select(_domains.c.account_id).where(_domains.c.id == domain_id).scalar_subquery()
    whole_account = sa.and_(_windows.c.domain_id.is_(None), _windows.c.account_id == account)
    return sa.or_(_windows.c.domain_id == domain_id, whole_account)


# -- windows


def add(
    conn: Connection, account_id: int, domain: str | None, starts_at: float, ends_at: float, note: str, now: float
) -> Window:
    """Announces maintenance of a domain, or with None of all domains of the account. Raises `Invalid`."""
    if not starts_at < ends_at:
        raise Invalid("maintenance must end after it starts; correct --from and --until", "until")
    if ends_at <= now:
        raise Invalid("that maintenance is over already; give an end that is still to come", "until")
    if starts_at > now + _FARTHEST_SECONDS:
        raise Invalid("maintenance begins within a hundred years; correct --from", "from")
    if ends_at - starts_at > LONGEST_SECONDS:
        raise Invalid("maintenance takes 90 days at most; to stop watching a domain for longer, pause it", "until")
    if len(note) > _NOTE_LIMIT:
        raise Invalid(f"a note has {_NOTE_LIMIT} characters at most", "note")
    found = domains.find_domain(conn, account_id, domain) if domain is not None else None
    forget_past(conn, now - LONGEST_SECONDS)
    values = {
        "account_id": account_id,
        "domain_id": found.id if found else None,
        "starts_at": starts_at,
        "ends_at": ends_at,
        "note": note,
    }
    key = conn.execute(_windows.insert().values(**values)).inserted_primary_key
    return Window(int(key[0]), found.name if found else None, starts_at, ends_at, note)  # type: ignore[index] # has one


def list_windows(conn: Connection, account_id: int, now: float) -> list[Window]:
    """The account's windows that are not over, in the order of their beginnings."""
    query = _select().where(_windows.c.account_id == account_id, _windows.c.ends_at > now)
    return [_window(row) for row in conn.execute(query.order_by(_windows.c.starts_at, _windows.c.id))]


def remove(conn: Connection, account_id: int, window_id: int) -> Window:
    """Takes a window back; the domain is watched again at once. Raises `Invalid` when it is not known."""
    mine = _windows.c.id == window_id, _windows.c.account_id == account_id
    found = conn.execute(_select().where(*mine)).one_or_none()
    if found is None or conn.execute(_windows.delete().where(*mine)).rowcount != 1:
        raise Unknown(f"there is no maintenance {window_id}; `mail-preflight maintenance list` shows them", "id")
    return _window(found)


def forget_past(conn: Connection, before: float) -> int:
    """Forgets windows of all accounts that ended before a time. Returns how many."""
    return conn.execute(_windows.delete().where(_windows.c.ends_at < before)).rowcount


def _select() -> sa.Select[tuple[int, str | None, float, float, str]]:
    columns = _windows.c.id, _domains.c.name, _windows.c.starts_at, _windows.c.ends_at, _windows.c.note
    return sa.select(*columns).outerjoin_from(_windows, _domains, _domains.c.id == _windows.c.domain_id)


def _window(row: Any) -> Window:
    return Window(row.id, row.name, row.starts_at, row.ends_at, row.note)


# -- pausing


def pause(conn: Connection, account_id: int, domain: str, now: float) -> bool:
    """Stops watching a domain. False where it was paused already. Raises `Invalid` when it is not known."""
    found = domains.find_domain(conn, account_id, domain)
    running = _domains.c.id == found.id, _domains.c.paused_at.is_(None)
    return conn.execute(_domains.update().where(*running).values(paused_at=now)).rowcount == 1


def resume(conn: Connection, account_id: int, domain: str, now: float) -> bool:
    """Watches a domain again, soon. False where it was not paused. Raises `Invalid` when it is not known.

    What was judged before the pause says nothing of today: no incident is to open from it, so judging begins anew.
    """
    found = domains.find_domain(conn, account_id, domain)
    paused = _domains.c.id == found.id, _domains.c.paused_at.is_not(None)
    if conn.execute(_domains.update().where(*paused).values(paused_at=None)).rowcount != 1:
        return False
    anew = {"state": "unknown", "since": now, "fails": 0, "oks": 0, "silent": 0, "first_bad_at": None, "moved": True}
    conn.execute(sa.update(schema.health_endpoints).where(_watched(found.id)).values(**anew))
    due = schema.health_schedule.c.domain_id == found.id
    conn.execute(sa.update(schema.health_schedule).where(due).values(endpoints_due=now))
    return True


def _watched(domain_id: int) -> sa.ColumnElement[bool]:
    return schema.health_endpoints.c.domain_id == domain_id
