"""The use cases of alerts: the channels by which people are told."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from checks.model import Invalid, Unknown
from settings_store import domains
from settings_store.alerts import channels
from settings_store.alerts.channels import Channel, Subscription
from settings_store.incidents import overview
from worker.alerts import apprise_sender, delivery
from worker.alerts.message import NotSent
from worker.service.bound_to import Binding


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


@dataclass(frozen=True, slots=True)
class Alerts:
    """Of one account."""

    _to: Binding

    def add(self, name: str, url: str, subscription: Subscription, domain: str | None = None) -> Added:
        """Adds an alert channel; `url` is Apprise's, which is kept encrypted. Raises `Invalid`.

        `domain` is the one that it hears of, None for all; it goes before `subscription.domain_id`.
        """
        to = self._to
        if domain is not None:
            with to.database.read() as conn:
                subscription = replace(subscription, domain_id=domains.find_domain(conn, to.account_id, domain).id)
        now = to.database.now()
        channel = delivery.add_channel(to.database, to.vault, to.account_id, name, url, subscription, now, to.actor)
        host = apprise_sender.mail_host(url.strip())
        with to.database.read() as conn:
            own = overview.domains_on(conn, to.account_id, host) if host else []
        return Added(channel, host or "", own)

    def channels(self) -> list[Channel]:
        """The alert channels, by name."""
        with self._to.database.read() as conn:
            return channels.list_channels(conn, self._to.account_id)

    def channel(self, channel_id: int) -> Channel:
        """One channel by its id. Raises `Unknown`."""
        found = next((item for item in self.channels() if item.id == channel_id), None)
        if found is None:
            raise Unknown("there is no such alert channel", "alert_channel_id")
        return found

    def remove(self, name: str) -> None:
        """Removes an alert channel, and what was still to be sent to it. Raises `Invalid` when there is none."""
        with self._to.database.begin() as conn:
            channels.remove(conn, self._to.account_id, name, self._to.database.now(), self._to.actor)

    def test(self, name: str | None = None) -> Iterator[Tried]:
        """Sends a test message to a channel, or to all of them. Raises `Invalid` where there is none."""
        with self._to.database.read() as conn:
            if name is None:
                found = channels.list_channels(conn, self._to.account_id)
            else:
                found = [channels.find(conn, self._to.account_id, name)]
        if not found:
            raise Invalid("there is no alert channel yet; `mail-preflight alerts add NAME` makes one")
        for channel in found:
            yield Tried(channel.name, self._test(channel))

    def _test(self, channel: Channel) -> str:
        try:
            delivery.test_channel(self._to.vault, self._to.config.policy, channel)
        except NotSent as error:
            return str(error)
        return ""
