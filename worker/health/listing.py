"""All domains of an account, the worst first, a page at a time.

Nearly all are well, so those are not looked at to find the others: of what may be otherwise, all is read but the
mailboxes; of the rest as many as a page has, by name.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from settings_store import domains, maintenance
from settings_store.incidents import overview
from worker.health.view import STATES, DomainState, Line, line_of

_CHUNK = 5000
_FAILING = STATES.index("failing")
_OVERDUE_SECONDS = 30.0  # so late is none whose endpoints somebody checks

Place = tuple[int, int, str]
"""Where a domain stands in the list: by its state, then by how many incidents (the most first), then by name."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of the list. `places` are those of the lines; `states` say of how many domains there are which state."""

    lines: Sequence[Line]
    places: Sequence[Place]
    states: Mapping[DomainState, int]
    more: bool


def worst_first(
    conn: Connection, account_id: int, now: float, stale_seconds: float, after: Place | None, limit: int
) -> Listed:
    """At most `limit` domains, of those behind a place. One that is not scheduled yet may stand among the well."""
    usual: DomainState = "maintenance" if maintenance.is_announced_for_all(conn, account_id, now) else "healthy"
    found = _unusual(conn, account_id, now, stale_seconds, usual)
    states: Counter[DomainState] = Counter(STATES[place[0]] for place in found.values())
    states[usual] += domains.count_of(conn, account_id) - len(found)
    chosen: list[tuple[Place, int]] = []
    for item in _behind(conn, account_id, found, STATES.index(usual), after, limit):
        if len(chosen) > limit:
            break
        chosen.append(item)
    page = chosen[:limit]
    trouble = overview.service_in_trouble(conn)
    full = {
        item.domain_id: line_of(item, now - stale_seconds, trouble=trouble)
        for item in overview.standings(conn, account_id, now, [domain_id for _, domain_id in page])
    }
    ordered: dict[DomainState, int] = {state: states[state] for state in STATES if states[state]}
    return Listed([full[key] for _, key in page], [place for place, _ in page], ordered, len(chosen) > limit)


def place_of(line: Line) -> Place:
    """Where a domain stands by what is known of it."""
    return STATES.index(line.state), -line.standing.incidents, line.standing.domain


def place_of_one(conn: Connection, account_id: int, domain_id: int, now: float, stale_seconds: float) -> Place:
    """Where a domain of the account stands now."""
    (item,) = overview.standings(conn, account_id, now, [domain_id], counted=False)
    return place_of(line_of(item, now - stale_seconds, trouble=overview.service_in_trouble(conn)))


def _unusual(
    conn: Connection, account_id: int, now: float, stale_seconds: float, usual: DomainState
) -> dict[int, Place]:
    """Where the domains stand that are not as nearly all are. One with an incident fails, whatever else it does."""
    failing = overview.failing(conn, account_id)
    found: dict[int, Place] = {key: (_FAILING, -count, name) for key, (name, count) in failing.items()}
    ids = [key for key in overview.unsettled(conn, account_id, now, now - _OVERDUE_SECONDS) if key not in found]
    trouble = overview.service_in_trouble(conn)
    for first in range(0, len(ids), _CHUNK):
        for item in overview.standings(conn, account_id, now, ids[first : first + _CHUNK], counted=False):
            line = line_of(item, now - stale_seconds, trouble=trouble)
            if line.state != usual:
                found[item.domain_id] = place_of(line)
    return found


def _behind(
    conn: Connection, account_id: int, found: Mapping[int, Place], rank: int, after: Place | None, portion: int
) -> Iterator[tuple[Place, int]]:
    """The domains in their order, those behind a place; `rank` is that of the state that nearly all have."""
    unusual = sorted((place, key) for key, place in found.items())
    unusual = [item for item in unusual if after is None or item[0] > after]
    yield from (item for item in unusual if item[0][0] < rank)
    if after is None or after[0] <= rank:
        start = after[2] if after is not None and after[0] == rank else ""
        while names := domains.find_names(conn, account_id, "", start, portion + 1):
            for key, name in names.items():
                start = name
                if key not in found:
                    yield (rank, 0, name), key
    yield from (item for item in unusual if item[0][0] > rank)
