"""The use cases of health, alerts and maintenance: the part of `Preflight` that changes no settings."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from checks.model import Invalid
from settings_store import domains, maintenance
from settings_store.alerts import channels
from settings_store.alerts.channels import Channel, Wishes
from settings_store.health.history import DAYS
from settings_store.incidents import overview
from settings_store.maintenance import Window
from worker.alerts import apprise_sender, delivery
from worker.alerts.message import NotSent
from worker.health import view
from worker.health.view import DomainHealth, Line

if TYPE_CHECKING:
    from settings_store.db import Database
    from settings_store.secrets import Vault
    from worker.config import Config


@dataclass(frozen=True, slots=True)
class Added:
    """A new alert channel. `own_host` is its mail server, where that one serves `own_domains` of the account too."""

    channel: Channel
    own_host: str = ""
    own_domains: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Tried:
    """A channel tried out. `reason` is why nothing was sent, '' where it was."""

    name: str
    reason: str


class Supervision:
    """Of one account. Times are UTC seconds since 1970."""

    config: "Config"
    database: "Database"
    vault: "Vault"
    account_id: int

    def health(self, domain: str, days: int = DAYS) -> DomainHealth:
        """How a domain is, with its history of so many days. Raises `Invalid` when it is not known."""
        now = self.database.now()
        with self.database.read() as conn:
            found = domains.find_domain(conn, self.account_id, domain)
            return view.read_domain(conn, found, now, days, self._stale_seconds)

    def health_of_all(self) -> list[Line]:
        """Every domain, the worst first."""
        now = self.database.now()
        with self.database.read() as conn:
            return view.read_all(conn, self.account_id, now, self._stale_seconds)

    @property
    def _stale_seconds(self) -> float:
        return view.stale_after(self.config.health_endpoint_minutes)

    # -- maintenance

    def announce_maintenance(self, domain: str | None, starts_at: float, ends_at: float, note: str = "") -> Window:
        """Nobody watches a domain, or with None any of the account's, in that time. Raises `Invalid`."""
        with self.database.begin() as conn:
            return maintenance.add(conn, self.account_id, domain, starts_at, ends_at, note, self.database.now())

    def maintenance(self) -> list[Window]:
        """The windows that are not over, by their beginning."""
        now = self.database.now()
        with self.database.read() as conn:
            return maintenance.list_windows(conn, self.account_id, now)

    def end_maintenance(self, window_id: int) -> None:
        """Takes a window back. Raises `Invalid` when there is none."""
        with self.database.begin() as conn:
            maintenance.remove(conn, self.account_id, window_id)

    def pause(self, domain: str) -> bool:
        """Stops watching a domain until it is resumed. False where it was paused. Raises `Invalid`."""
        with self.database.begin() as conn:
            return maintenance.pause(conn, self.account_id, domain, self.database.now())

    def watch_again(self, domain: str) -> bool:
        """Watches a paused domain again. False where it was not paused. Raises `Invalid`."""
        with self.database.begin() as conn:
            return maintenance.resume(conn, self.account_id, domain, self.database.now())

    # -- alerts

    def add_channel(self, name: str, url: str, wishes: Wishes, domain: str | None = None) -> Added:
        """Adds an alert channel; `url` is Apprise's, which is kept encrypted. Raises `Invalid`.

        `domain` is the one that it hears of, None for all; it goes before `wishes.domain_id`.
        """
        if domain is not None:
            with self.database.read() as conn:
                wishes = replace(wishes, domain_id=domains.find_domain(conn, self.account_id, domain).id)
        now = self.database.now()
        channel = delivery.add_channel(self.database, self.vault, self.account_id, name, url, wishes, now)
        host = apprise_sender.mail_host(url.strip())
        with self.database.read() as conn:
            own = overview.domains_on(conn, self.account_id, host) if host else []
        return Added(channel, host or "", own)

    def channels(self) -> list[Channel]:
        """The account's alert channels, by name."""
        with self.database.read() as conn:
            return channels.list_channels(conn, self.account_id)

    def remove_channel(self, name: str) -> None:
        """Removes an alert channel, and what was still to be sent to it. Raises `Invalid` when there is none."""
        with self.database.begin() as conn:
            channels.remove(conn, self.account_id, name)

    def try_channels(self, name: str | None = None) -> Iterator[Tried]:
        """Sends a test message to a channel, or to all of them. Raises `Invalid` where there is none."""
        with self.database.read() as conn:
            if name is None:
                found = channels.list_channels(conn, self.account_id)
            else:
                found = [channels.find(conn, self.account_id, name)]
        if not found:
            raise Invalid("there is no alert channel yet; `mail-preflight alerts add NAME` makes one")
        for channel in found:
            yield Tried(channel.name, self._try(channel))

    def _try(self, channel: Channel) -> str:
        try:
            delivery.test_channel(self.vault, self.config.policy, channel)
        except NotSent as error:
            return str(error)
        return ""
