"""An egress is a place with static addresses of its own: which one is a domain's, and which queues its workers take.

Without names there is one, and every worker has its addresses. A domain stays with its egress as long as the operator's
ranges name the same ones.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from checks.model import Invalid
from checks.network.static_addresses import AddressRange, egresses
from settings_store import domains
from settings_store.runs.runs import Run
from worker.config import Config

if TYPE_CHECKING:
    from settings_store.health.schedule import Share


def egress_of(config: Config, domain_id: int) -> str:
    """The name of a domain's egress, '' where it has none."""
    names = egresses(config.static_addresses)
    return names[domain_id % len(names)] if names else ""


def ranges_of(config: Config, domain_id: int) -> Sequence[AddressRange]:
    """The static ranges that a domain is connected to from."""
    egress = egress_of(config, domain_id)
    return [each for each in config.static_addresses if each.egress == egress]


def queue_at(queue: str, egress: str) -> str:
    """The queue of an egress: `preflight.tokyo`."""
    return f"{queue}.{egress}" if egress else queue


def queues_of(config: Config, queues: Sequence[str]) -> list[str]:
    """These queues, and those of every egress."""
    names = {"", *egresses(config.static_addresses)}
    return [queue_at(queue, name) for queue in queues for name in sorted(names)]


def home_of(conn: Connection, config: Config, run: Run) -> str:
    """The egress whose workers a run is for, '' for those that have none."""
    if config.embedded or not any(egresses(config.static_addresses)):
        return ""
    static = domains.load_settings(conn, run.settings_id).static_addresses
    return egress_of(config, run.domain_id) if static else ""


def share_of(config: Config) -> "Share | None":
    """Which domains this process looks after the health of; None: all."""
    names = egresses(config.static_addresses)
    if config.embedded or not any(names):
        return None
    place = names.index(config.egress) if config.egress in names else None
    from settings_store.health.schedule import Share

    return Share(others=not config.egress, of=len(names), place=place)


def at_egress(config: Config, name: str) -> Config:
    """The settings of a worker of that egress. Raises `Invalid` where it has no static addresses."""
    if name not in egresses(config.static_addresses) or not name:
        known = ", ".join(filter(None, egresses(config.static_addresses))) or "none"
        raise Invalid(f"there is no egress {name!r}; MAIL_PREFLIGHT_STATIC_ADDRESSES names: {known}", "egress")
    return config.model_copy(update={"egress": name})
