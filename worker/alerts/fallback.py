"""Mail about a broken mail server does not go through that server: other channels tell it, or the operator's.

What is held back stays there until the incident is over, and is told then.
"""

import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from checks.model import Fault, Invalid
from checks.network.address_policy import AddressPolicy
from checks.network.dial import Deadline, resolve
from settings_store.alerts import deliveries, fallback_routes
from settings_store.alerts.deliveries import Delivery, Key
from settings_store.alerts.fallback_routes import Way
from worker.alerts import apprise_sender
from worker.resources import Resources

log = logging.getLogger(__name__)

HOLD_SECONDS = 300.0
"""How long an alert is held back before it is looked at again."""
_RESOLVE_SECONDS = 5.0
_PATIENCE_SECONDS = 10.0  # for all names together: where the resolver hangs, alerts do not
_AT_ONCE = 500


def hold_back(resources: Resources) -> int:
    """Holds back what is due and would go through a broken server; returns how many alerts that are."""
    with resources.database.read() as conn:
        keys = deliveries.due_keys(conn, resources.now(), _AT_ONCE, fallback_routes.may_be_needed())
        ways = fallback_routes.ways(conn, keys)
    names = _Names(resources)
    blocked = names.blocked(ways)
    for way in blocked:
        with resources.database.begin() as conn:
            deliveries.hold(conn, [way.key], resources.now() + HOLD_SECONDS)
    _tell_others(names, blocked)
    return len(blocked)


def needed(resources: Resources, delivery: Delivery, keys: list[Key], owner: str) -> bool:
    """Whether a claimed delivery would go through a broken server. Then it waits, or what is in it is let go."""
    with resources.database.read() as conn:
        ways = fallback_routes.ways(conn, keys)
    names = _Names(resources)
    blocked = names.blocked(ways)
    if not blocked:
        return False
    now, never_sent = resources.now(), delivery.attempts == 1
    with resources.database.begin() as conn:
        mine = deliveries.put_off(conn, delivery.id, owner, now if never_sent else now + HOLD_SECONDS, "held back")
        if mine and never_sent:  # its alerts may go on under another id
            deliveries.hold(conn, [way.key for way in blocked], now + HOLD_SECONDS, delivery.id)
    if mine and never_sent:
        _tell_others(names, blocked)
    return True


def _tell_others(names: "_Names", blocked: list[Way]) -> None:
    resources = names.resources
    for way in blocked:
        with resources.database.read() as conn:
            others = fallback_routes.other_ways(conn, way.key)
        if any(not names.blocked([other]) for other in others):
            continue
        with resources.database.begin() as conn:
            if not fallback_routes.tell_operator(conn, way.key, resources.now()):
                log.error("incident %s: every channel leads through the broken server", way.key.incident_id)


@dataclass
class _Names:
    """Which names are of one server, as far as the resolver says so in time."""

    resources: Resources
    waited: float = 0.0

    def blocked(self, ways: Iterable[Way]) -> list[Way]:
        """Those that lead through a server that must not be on the way."""
        return [way for way in ways if way.hosts and self._same_server(self._host(way.token), way.hosts)]

    def _host(self, token: bytes) -> str | None:
        try:
            return apprise_sender.mail_host(self.resources.vault.open(token))
        except (Fault, Invalid):  # it cannot be sent either; that is found and recorded there
            return None

    def _same_server(self, host: str | None, broken: frozenset[str]) -> bool:
        if host is None or host in broken:
            return host is not None
        own = self._look_up(host)
        return any(own & self._look_up(other) for other in broken)

    def _look_up(self, host: str) -> frozenset[str]:
        if self.waited >= _PATIENCE_SECONDS:
            return frozenset()
        begun = time.monotonic()
        found = _addresses(self.resources.config.policy, host, int(self.resources.now() // 60))
        self.waited += time.monotonic() - begun
        return found


@lru_cache(maxsize=256)
def _addresses(policy: AddressPolicy, host: str, _minute: int) -> frozenset[str]:
    """What a name resolves to, kept for that minute."""
    try:
        return frozenset(resolve(host, 0, policy, Deadline(_RESOLVE_SECONDS)))
    except (Fault, TimeoutError):
        return frozenset()
