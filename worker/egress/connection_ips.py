"""From where mail servers are connected to: what customers put on the allow lists of their firewalls."""

from dataclasses import dataclass

from sqlalchemy import Connection

from checks.network.address_policy import Network
from checks.settings import Settings
from settings_store.egress import static_use
from settings_store.health import endpoints
from worker.config import Config
from worker.egress.egresses import ranges_of


@dataclass(frozen=True, slots=True)
class Sources:
    """The addresses and ranges that we connect from, as mail servers see them and as far as they are known.

    `system_chooses`: there may be others.
    """

    addresses: tuple[str, ...]
    system_chooses: bool


def shared_sources(conn: Connection, config: Config, account_id: int) -> Sources:
    """Where connections leave from that need no static address: as set here, and as other workers have last done it."""
    bound = {each.local for item in config.static_addresses for each in item.addresses}
    known = (set(endpoints.sources(conn, account_id)) | set(config.source_address or ("",))) - bound
    shared = tuple(map(_text, config.shared_addresses)) or tuple(sorted(known - {""}))
    return Sources(shared, "" in known and not config.shared_addresses)


def sources_for(conn: Connection, config: Config, account_id: int, settings: Settings, domain_id: int) -> Sources:
    """Where a domain's connections leave from with these settings."""
    if settings.static_addresses:
        return Sources(tuple(map(str, ranges_of(config, domain_id))), system_chooses=False)
    return shared_sources(conn, config, account_id)


def static_sources(conn: Connection, config: Config, account_id: int) -> tuple[str, ...]:
    """The static ranges, none as long as no domain of the account uses them."""
    return tuple(map(str, config.static_addresses)) if static_use.is_wanted(conn, account_id) else ()


def _text(network: Network) -> str:
    return str(network.network_address) if network.num_addresses == 1 else str(network)
