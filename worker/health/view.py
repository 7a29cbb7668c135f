"""How a domain is, put together from what health checks have stored; `worker.health.wording` puts it into words."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from sqlalchemy import Connection

from checks.model import Endpoint, MailboxState
from settings_store import domains, maintenance
from settings_store.alerts import channels
from settings_store.domains import DomainRow
from settings_store.health import endpoints as health
from settings_store.health import history
from settings_store.health.endpoints import State, Watched
from settings_store.health.history import History
from settings_store.incidents import overview
from settings_store.incidents.incidents import Incident
from settings_store.incidents.overview import Disconnected, Standing
from settings_store.maintenance import Rest

DomainState = Literal["failing", "unknown", "maintenance", "paused", "not_configured", "healthy"]
STATES: tuple[DomainState, ...] = ("failing", "unknown", "maintenance", "paused", "not_configured", "healthy")
"""The worst first."""

RECENT_SECONDS = 7 * 86400.0
LISTED_MAILBOXES = 20
LISTED_INCIDENTS = 50
_STALE_CHECKS, _STALE_SECONDS = 4, 600.0


@dataclass(frozen=True, slots=True)
class EndpointHealth:
    """One endpoint of the settings in force. `known` is None until it is checked.

    `stale`: nobody has looked at it for so long that what is known says little of now.
    """

    endpoint: Endpoint
    known: Watched | None
    history: History
    stale: bool = False

    @property
    def state(self) -> State:
        """As judged. What worked a long time ago is unknown."""
        if self.known is None or (self.stale and self.known.state != "fail"):
            return "unknown"
        return self.known.state


@dataclass(frozen=True, slots=True)
class DomainHealth:
    """One domain as of `at` (UTC seconds since 1970).

    `disconnected` are at most `LISTED_MAILBOXES`, `incidents` at most `LISTED_INCIDENTS` of `incident_count`: first
    the open ones, then those of the last week. `channels` are the names of the ones that hear of the domain.
    `trouble`: the service itself has an open incident.
    """

    domain: str
    at: float
    state: DomainState
    rest: Rest
    endpoints: tuple[EndpointHealth, ...]
    mailboxes: Mapping[MailboxState, int]
    disconnected: tuple[Disconnected, ...]
    incidents: tuple[Incident, ...]
    incident_count: int
    channels: tuple[str, ...]
    trouble: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A domain in the list of all."""

    standing: Standing
    state: DomainState


def stale_after(endpoint_minutes: float) -> float:
    """After how many seconds without a check nothing is known, where one is due every so many minutes."""
    return max(_STALE_SECONDS, _STALE_CHECKS * endpoint_minutes * 60)


def read_domain(conn: Connection, domain: DomainRow, now: float, days: int, stale_seconds: float) -> DomainHealth:
    """How a domain is; `days` is how far the history goes back."""
    rest, trouble = maintenance.rest_of(conn, domain.id, now), overview.service_in_trouble(conn)
    watching = rest.paused_at is None and rest.window is None
    endpoints = _endpoints(conn, domain, now, days, now - stale_seconds if watching else 0.0)
    incidents, count = overview.incidents_of(conn, domain.id, now - RECENT_SECONDS, LISTED_INCIDENTS)
    listening = [item for item in channels.list_channels(conn, domain.account_id) if _hears(item, domain.id)]
    found = DomainHealth(
        domain=domain.name,
        at=now,
        state="unknown",
        rest=rest,
        endpoints=endpoints,
        mailboxes=overview.mailbox_counts(conn, domain.id),
        disconnected=tuple(overview.disconnected(conn, domain.id, LISTED_MAILBOXES)),
        incidents=tuple(incidents),
        incident_count=count,
        channels=tuple(item.name for item in listening),
        trouble=trouble,
    )
    return replace(found, state=_state(found))


def _endpoints(
    conn: Connection, domain: DomainRow, now: float, days: int, stale_before: float
) -> tuple[EndpointHealth, ...]:
    if domain.settings_id is None:
        return ()
    known = {item.protocol: item for item in health.watched(conn, domain.id)}
    past, nothing = history.of_domain(conn, domain.id, now, days), history.empty(now, days)
    return tuple(
        EndpointHealth(
            endpoint,
            (item := known.get(endpoint.protocol)),
            past.get(endpoint.protocol, nothing),
            item is not None and item.checked_at < stale_before,
        )
        for endpoint in domains.load_settings(conn, domain.settings_id).endpoints
    )


def _hears(channel: channels.Channel, domain_id: int) -> bool:
    return channel.subscription.domain_id in (None, domain_id)


def _state(found: DomainHealth) -> DomainState:
    still_open = any(item.closed_at is None and item.scope != "notice" for item in found.incidents)
    return state_of(
        expected=len(found.endpoints),
        states=[item.state for item in found.endpoints],
        incidents=still_open,
        paused=found.rest.paused_at is not None,
        maintenance_=found.rest.window is not None,
        trouble=found.trouble,
    )


def line_of(item: Standing, stale_before: float, *, trouble: bool) -> Line:
    """A domain in the list. What was checked before `stale_before` says nothing, nor do failures while in `trouble`."""
    return Line(item, _standing_state(item, stale_before, trouble))


@dataclass(frozen=True, slots=True)
class Row:
    """A domain in a list of some. `certificate_ends` is the day of the first certificate to end, '' where unknown."""

    standing: Standing
    state: DomainState
    kind: Literal["imap", "exchange"] | None
    certificate_ends: str


def read_some(
    conn: Connection, account_id: int, names: Mapping[int, str], now: float, stale_seconds: float
) -> list[Row]:
    """How the domains with these ids and names are, in the order of their names."""
    trouble, ids = overview.service_in_trouble(conn), list(names)
    ends: dict[str, str] = {}
    for item in health.watched_of(conn, ids):
        if (day := _certificate_ends(item)) and day < ends.get(item.domain, "~"):
            ends[item.domain] = day
    return [
        Row(
            item,
            _standing_state(item, now - stale_seconds, trouble),
            _KINDS.get(item.expected),
            ends.get(item.domain, ""),
        )
        for item in overview.standings(conn, account_id, now, ids)
    ]


_KINDS: Mapping[int, Literal["imap", "exchange"]] = {2: "imap", 1: "exchange"}
"""By how many endpoints the settings have."""


def _certificate_ends(item: Watched) -> str:
    chain = (item.document.get("tls") or {}).get("chain") or ()
    return str(chain[0]["not_after"]) if chain else ""


def _standing_state(item: Standing, stale_before: float, trouble: bool) -> DomainState:
    states: list[State] = [state for state, count in item.states.items() for _ in range(count)]  # type: ignore[misc]
    stale = item.checked_at is not None and item.checked_at < stale_before
    if stale:
        states = ["fail" if state == "fail" else "unknown" for state in states]
    return state_of(
        expected=item.expected,
        states=states,
        incidents=item.incidents > 0,
        paused=item.paused,
        maintenance_=item.at_rest and not item.paused,
        trouble=trouble,
    )


def state_of(
    *, expected: int, states: list[State], incidents: bool, paused: bool, maintenance_: bool, trouble: bool
) -> DomainState:
    """What all of it comes to. Notices are no failure; a domain that nobody watches is not called healthy.

    While the service itself is in trouble, endpoints that seem to fail say nothing.
    """
    if incidents:
        return "failing"
    if not expected:
        return "not_configured"
    if paused or maintenance_:
        return "paused" if paused else "maintenance"
    if "fail" in states and not trouble:
        return "failing"
    return "healthy" if states == ["ok"] * expected else "unknown"
