"""The use cases of connection IPs: from where servers are connected to, and what a firewall's people are asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from checks.egress.admissions import BLOCKED
from checks.language import Language
from checks.messages.firewall_request import FirewallRequest, firewall_request
from checks.model import Endpoint, Invalid
from checks.network.static_addresses import AddressRange
from checks.settings import Settings
from settings_store import domains
from settings_store.domains import DomainRow
from settings_store.egress import static_use
from settings_store.runs import endpoints, runs
from settings_store.runs.runs import CANDIDATE
from worker.egress.connection_ips import shared_sources, static_sources
from worker.egress.egresses import ranges_of
from worker.runs.endpoints import results_of
from worker.service.bound_to import Binding


@dataclass(frozen=True, slots=True)
class ConnectionIps:
    """Addresses and ranges that we connect from, as mail servers see them.

    `system_chooses`: connections that leave from no static address may come from others too. `static` are the static
    ranges, empty as long as no domain of the account uses them; `static_exist` says whether there are any, `domains`
    which domains use them by the settings in force: of those that were asked for.
    """

    shared: tuple[str, ...]
    static: tuple[str, ...]
    system_chooses: bool
    static_exist: bool
    domains: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of those who run a domain's firewall. `static`: for static addresses, else for the shared ones."""

    domain: str
    static: bool
    addresses: tuple[str, ...]
    servers: tuple[Endpoint, ...]
    blocked: tuple[str, ...]
    words: Mapping[Language, FirewallRequest]


@dataclass(frozen=True, slots=True)
class Egress:
    """Of one account."""

    _to: Binding

    def connection_ips(self, after: str = "", limit: int | None = None) -> ConnectionIps:
        """From where the account's servers are connected to: as set here, and as other workers have last done it.

        `domains` are `limit` at most, of those behind the name `after`.
        """
        config, account_id = self._to.config, self._to.account_id
        with self._to.database.read() as conn:
            shared = shared_sources(conn, config, account_id)
            static = static_sources(conn, config, account_id)
            in_force = static_use.domains_in_force(conn, account_id, after, limit)
        exist = bool(config.static_addresses)
        return ConnectionIps(shared.addresses, static, shared.system_chooses, exist, tuple(in_force))

    def request(self, domain: str) -> Request:
        """What to ask of the firewall's people of a domain, for its newest change that may still be applied, else for
        the settings in force. Raises `Invalid` where there are neither, or where the addresses are not known.
        """
        with self._to.database.read() as conn:
            found = domains.find_domain(conn, self._to.account_id, domain)
            settings, blocked = self._newest(conn, found)
        addresses = self._addresses(found, settings)
        servers, name = settings.endpoints, found.name
        words = {
            language: firewall_request(name, servers, addresses, language, blocked=blocked) for language in Language
        }
        return Request(name, settings.static_addresses, addresses, servers, blocked, words)

    def with_static_addresses(self, domain: str, *, on: bool) -> Settings:
        """The domain's settings in force with that switch as given, to be saved as a change. Raises `Invalid`."""
        with self._to.database.read() as conn:
            found = domains.find_domain(conn, self._to.account_id, domain)
            if found.settings_id is None:
                raise Invalid(f"{found.name} has no settings in force; give them to `mail-preflight verify`", "domain")
            settings = domains.load_settings(conn, found.settings_id)
        if settings.static_addresses is on:
            raise Invalid(f"static addresses are {'on' if on else 'off'} for {found.name} already", "static_addresses")
        return replace(settings, static_addresses=on)

    def _newest(self, conn: Connection, found: DomainRow) -> tuple[Settings, tuple[str, ...]]:
        change = static_use.newest_open(conn, found.id)
        settings_id = change[1] if change else found.settings_id
        if settings_id is None:
            raise Invalid(f"{found.name} has no settings yet; `mail-preflight verify` saves some", "domain")
        run = runs.of_change(conn, change[0]) if change else None
        known = endpoints.documents(conn, run.id, CANDIDATE) if run else endpoints.verified(conn, settings_id)
        kept_out = [
            each.source
            for result in results_of(known)
            for each in result.admissions
            if each.outcome in BLOCKED and not each.shared
        ]
        return domains.load_settings(conn, settings_id), tuple(dict.fromkeys(kept_out))

    def _addresses(self, found: DomainRow, settings: Settings) -> tuple[str, ...]:
        static: Sequence[AddressRange] = ranges_of(self._to.config, found.id)
        addresses = tuple(map(str, static)) if settings.static_addresses else self.connection_ips(limit=0).shared
        if not addresses:
            raise Invalid(
                "the addresses that connections come from are not known here; the operator of this service sets"
                " MAIL_PREFLIGHT_SHARED_ADDRESSES or MAIL_PREFLIGHT_STATIC_ADDRESSES",
                "domain",
            )
        return addresses
