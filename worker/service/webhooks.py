"""The use cases of webhooks: where the events of one account are sent."""

import contextlib
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection

from checks.model import Fault, Invalid
from settings_store import domains
from settings_store.events import events
from settings_store.events.administration import (
    WebhookEndpointAdded,
    WebhookEndpointChanged,
    WebhookEndpointEvent,
    WebhookEndpointRemoved,
    WebhookEndpointRotated,
)
from settings_store.webhooks import deliveries, endpoints
from settings_store.webhooks.deliveries import Delivery, Queued, Range, State
from settings_store.webhooks.endpoints import NewEndpoint, WebhookEndpoint
from worker.events.public import type_of
from worker.resources import Resources
from worker.service.bound_to import Binding
from worker.webhooks import delivery, signature, subscription, target
from worker.webhooks.sender import Outcome
from worker.webhooks.signature import Scheme

OVERLAP_HOURS = 24.0
"""How long an old secret signs too, after there is a new one."""
_LONGEST_DESCRIPTION = 500
_MOST_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class EndpointRequest:
    """What a new endpoint is to be. No `types`: all of them. `domain` None: all domains."""

    url: str = field(repr=False)
    types: Sequence[str] = ()
    domain: str | None = None
    description: str = ""
    signature: Scheme = "v1"


@dataclass(frozen=True, slots=True)
class Seen:
    """An endpoint as it is shown. `silent` is why nothing arrives at all, None where it does.

    The public keys are those of `v1a`; the old one is None where it does not sign any more. `secret` is that of `v1`,
    and there only where it is new.
    """

    endpoint: WebhookEndpoint
    silent: str | None
    public_key: str | None
    old_public_key: str | None
    old_until: float | None
    secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Webhooks:
    """Of one account."""

    _to: Binding

    def add(self, wanted: EndpointRequest) -> Seen:
        """Adds an endpoint; its secret is shown now and never again. Raises `Invalid`."""
        to = self._to
        where = self._accept(wanted.url)
        secret = signature.new_secret(wanted.signature)
        with to.database.begin() as conn:
            domain = domains.find_domain(conn, to.account_id, wanted.domain) if wanted.domain is not None else None
            new = NewEndpoint(
                to.vault.seal(wanted.url.strip()),
                where.shown,
                _description(wanted.description),
                subscription.accept(wanted.types),
                domain.id if domain else None,
                wanted.signature,
                to.vault.seal(secret),
            )
            # Told before it is there: an endpoint does not hear of itself first.
            endpoint_id = uuid.uuid4().hex
            self._tell(conn, WebhookEndpointAdded, endpoint_id, where.shown, new.domain_id)
            found = endpoints.add(conn, to.account_id, new, to.database.now(), endpoint_id)
        return self._shown(found, secret)

    def endpoints(self, limit: int, after: tuple[float, str] | None = None) -> list[Seen]:
        """The oldest first: at most `limit`, of those after that time of creation and id."""
        with self._to.database.read() as conn:
            found = endpoints.of_account(conn, self._to.account_id, limit, after)
        return [self._seen(each) for each in found]

    def look(self, endpoint_id: str) -> Seen:
        """One endpoint. Raises `Unknown`."""
        return self._seen(self._find(endpoint_id))

    def change(self, endpoint_id: str, wanted: dict[str, Any]) -> Seen:
        """Writes `url`, `types`, `description` and `enabled` anew, those that there are. Raises `Invalid`."""
        to, columns = self._to, dict[str, Any]()
        if "url" in wanted:
            columns |= {"shown": self._accept(wanted["url"]).shown, "url": to.vault.seal(wanted["url"].strip())}
        if "types" in wanted:
            columns["kinds"] = list(subscription.accept(wanted["types"]))
        if "description" in wanted:
            columns["description"] = _description(wanted["description"])
        with to.database.begin() as conn:
            found = endpoints.change(conn, to.account_id, endpoint_id, **columns)
            if wanted:
                written = sorted(wanted)
                self._tell(conn, WebhookEndpointChanged, found.id, found.shown, found.domain_id, fields=written)
            if wanted.get("enabled") is True:
                endpoints.enable(conn, to.account_id, endpoint_id)
            elif wanted.get("enabled") is False:
                endpoints.disable(conn, to.account_id, endpoint_id, to.database.now())
        return self.look(endpoint_id)

    def rotate(self, endpoint_id: str, overlap_hours: float = OVERLAP_HOURS) -> Seen:
        """A new secret, shown now and never again; the old one signs too for so many hours. Raises `Unknown`."""
        to = self._to
        with to.database.begin() as conn:
            found = endpoints.find(conn, to.account_id, endpoint_id)
            secret = signature.new_secret("v1a" if found.signature == "v1a" else "v1")
            until = to.database.now() + overlap_hours * 3600 if overlap_hours else None
            old = {"old_secret": found.secret if until else None, "old_until": until}
            found = endpoints.change(conn, to.account_id, endpoint_id, secret=to.vault.seal(secret), **old)
            self._tell(conn, WebhookEndpointRotated, found.id, found.shown, found.domain_id)
        return self._shown(found, secret)

    def remove(self, endpoint_id: str) -> None:
        """Removes an endpoint, and what was still to be sent to it. Raises `Unknown`."""
        with self._to.database.begin() as conn:
            found = endpoints.find(conn, self._to.account_id, endpoint_id)
            endpoints.remove(conn, self._to.account_id, endpoint_id)
            self._tell(conn, WebhookEndpointRemoved, found.id, found.shown, found.domain_id)

    def test(self, endpoint_id: str) -> tuple[str, Outcome]:
        """Sends a message that says it is a test, and waits for what comes of it. Raises `Unknown`."""
        to = self._to
        found = self._find(endpoint_id)
        resources = Resources(to.database, to.vault, to.config, to.publish, to.database.now)
        return delivery.try_out(resources, found)

    # -- deliveries

    def deliveries(
        self, endpoint_id: str, limit: int, before: int | None = None, state: State | None = None
    ) -> list[Delivery]:
        """Those of the newest events first, of events with a lower number than `before`. Raises `Unknown`."""
        with self._reading(endpoint_id) as conn:
            return deliveries.of_endpoint(conn, endpoint_id, limit, before, state)

    def delivery(self, endpoint_id: str, delivery_id: str) -> Delivery:
        """One of them. Raises `Unknown`."""
        with self._reading(endpoint_id) as conn:
            return deliveries.find(conn, endpoint_id, delivery_id)

    def redeliver(self, endpoint_id: str, delivery_id: str) -> Delivery:
        """Sends an event again, under the same id. Raises `Unknown`."""
        with self._to.database.begin() as conn:
            endpoints.change(conn, self._to.account_id, endpoint_id, hold_until=0)
            return deliveries.send_again(conn, endpoint_id, delivery_id, self._to.database.now())

    def redeliver_range(self, endpoint_id: str, wanted: Range) -> Queued:
        """Sends the events of a range that have not arrived; a portion of them, where they are many.

        Raises `Invalid`.
        """
        if wanted.since is not None and wanted.until is not None and wanted.since >= wanted.until:
            raise Invalid("the range ends before it begins", "until")
        with self._to.database.begin() as conn:
            found = endpoints.change(conn, self._to.account_id, endpoint_id, hold_until=0)
            return deliveries.send_range_again(conn, found, wanted, _MOST_AT_ONCE, type_of, self._to.database.now())

    # -- parts

    def _tell(
        self,
        conn: Connection,
        kind: type[WebhookEndpointEvent],
        endpoint_id: str,
        shown: str,
        domain_id: int | None,
        **more: object,
    ) -> None:
        to = self._to
        common: dict[str, Any] = {"account_id": to.account_id, "domain_id": domain_id, "actor": to.actor, **more}
        events.record(conn, kind(subject=endpoint_id, at=to.database.now(), shown=shown, **common))

    def _find(self, endpoint_id: str) -> WebhookEndpoint:
        with self._to.database.read() as conn:
            return endpoints.find(conn, self._to.account_id, endpoint_id)

    @contextlib.contextmanager
    def _reading(self, endpoint_id: str) -> Iterator[Connection]:
        """Where the endpoint is the account's own. Raises `Unknown`."""
        with self._to.database.read() as conn:
            endpoints.find(conn, self._to.account_id, endpoint_id)
            yield conn

    def _accept(self, url: str) -> target.Target:
        config = self._to.config
        return target.accept(url.strip(), config.policy, embedded=config.embedded)

    def _shown(self, endpoint: WebhookEndpoint, secret: str) -> Seen:
        seen = self._seen(endpoint)
        return seen if seen.public_key else replace(seen, secret=secret)

    def _seen(self, endpoint: WebhookEndpoint) -> Seen:
        until = endpoint.old_until
        if until is None or until <= self._to.database.now():
            until = None
        old = self._public(endpoint.old_secret) if until is not None else None
        silent = subscription.why_nothing_arrives(endpoint)
        return Seen(endpoint, silent, self._public(endpoint.secret), old, until)

    def _public(self, sealed: bytes | None) -> str | None:
        """The key that a receiver verifies with, None where there is none, or nobody can read it."""
        try:
            return signature.public_key(self._to.vault.open(sealed)) if sealed is not None else None
        except Fault:
            return None


def _description(text: str) -> str:
    text = " ".join(text.split())
    if len(text) > _LONGEST_DESCRIPTION:
        raise Invalid(f"a description has at most {_LONGEST_DESCRIPTION} characters", "description")
    return text
