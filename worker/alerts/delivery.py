"""Tells admins of incidents: bundles what is due, sends it, and records that it was sent.

A worker that is killed between sending and recording leaves the delivery to another one, which sends it again under the
same id (Message-ID, `webhook-id`). So an alert may arrive twice, never not at all, and a receiver can tell a repeat.
"""

import logging
import random
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from checks.language import Language
from checks.messages import alerts
from checks.model import Fault
from checks.network.address_policy import AddressPolicy
from settings_store.actors import SERVICE, Actor
from settings_store.alerts import channels, deliveries, incident_details, outbox
from settings_store.alerts.channels import Channel, Subscription
from settings_store.alerts.deliveries import Delivery, Key
from settings_store.db import Database
from settings_store.events import events
from settings_store.events.administration import AlertChannelAdded
from settings_store.incidents import incidents
from settings_store.secrets import Vault
from worker.alerts import apprise_sender, fallback
from worker.alerts.message import Message, NotSent
from worker.metrics import counters
from worker.resources import Resources

log = logging.getLogger(__name__)

Send = Callable[[str, Message, AddressPolicy], None]

LEASE_SECONDS = 120.0
ROUND_SECONDS = 50.0
ROUNDS = 2
"""So many at a time in one worker: while one waits for slow receivers, the next tells what is new."""
_THREADS = 8
_CHANNELS = 200  # in one transaction
_FIRST_BACK_OFF, _LAST_BACK_OFF, _JITTER = 60.0, 3600.0, 0.1
_FEWEST_ATTEMPTS = 6  # half an hour at least: neither a service that was off for days nor a clock gives up at once
_KINDS = {"critical": "failure", "warning": "warning", "info": "info"}


def send_due(resources: Resources, send: Send = apprise_sender.send) -> int:
    """Sends what is due, for at most about `ROUND_SECONDS`, and returns how many messages went out."""
    fallback.hold_back(resources)
    _bundle_all(resources)
    with resources.database.read() as conn:
        count = deliveries.waiting(conn, resources.now())
    if not count:
        return 0
    end = time.monotonic() + ROUND_SECONDS
    lanes = min(_THREADS, count)
    with ThreadPoolExecutor(lanes, thread_name_prefix="alerts") as pool:
        return sum(pool.map(lambda _: _lane(resources, send, end), range(lanes)))


def _bundle_all(resources: Resources) -> None:
    """In transactions that are short enough for others to write in between."""
    now = resources.now()
    with resources.database.read() as conn:
        due = list(deliveries.due_by_channel(conn, now).items())
    for first in range(0, len(due), _CHANNELS):
        with resources.database.begin() as conn:
            for channel_id, count in due[first : first + _CHANNELS]:
                _bundle(conn, channel_id, count, resources.config.digest_from, now)


def _bundle(conn: Connection, channel_id: int, count: int, digest_from: int, now: float) -> None:
    """Many alerts to one channel become one message, few stay on their own."""
    if count >= digest_from:
        deliveries.bundle(conn, channel_id, now)
        return
    for key in deliveries.due_keys(conn, now, count, deliveries.to_channel(channel_id)):
        deliveries.bundle(conn, channel_id, now, key)


def _lane(resources: Resources, send: Send, end: float) -> int:
    sent = 0
    owner = uuid.uuid4().hex
    while time.monotonic() < end and not resources.stopping.is_set():
        with resources.database.begin() as conn:
            delivery = deliveries.claim(conn, owner, resources.now(), resources.now() + LEASE_SECONDS)
            keys = deliveries.keys_of(conn, delivery.id) if delivery else []
            if delivery and not keys:
                deliveries.discard(conn, delivery.id)
        if delivery is None:
            break
        if keys and not fallback.needed(resources, delivery, keys, owner):
            sent += _deliver(resources, send, delivery, keys, owner)
    return sent


def _deliver(resources: Resources, send: Send, delivery: Delivery, keys: list[Key], owner: str) -> bool:
    kind = "digest" if len(keys) > 1 else keys[0].kind
    try:
        send(resources.vault.open(delivery.token), _message(resources, delivery, keys), resources.config.policy)
    except NotSent as error:
        _record_failure(resources, delivery, owner, kind, str(error))
        return False
    except Fault:
        _record_failure(resources, delivery, owner, kind, "the channel's URL cannot be read with this service's keys")
        return False
    with resources.database.begin() as conn:
        deliveries.record_sent(conn, delivery.id, resources.now())
    counters.alert_sent(kind, "sent")
    return True


def _record_failure(resources: Resources, delivery: Delivery, owner: str, kind: str, error: str) -> None:
    now = resources.now()
    late = now - delivery.created_at >= resources.config.alert_give_up_hours * 3600
    give_up = late and delivery.attempts >= _FEWEST_ATTEMPTS
    with resources.database.begin() as conn:
        next_at = now + back_off(delivery.attempts)
        deliveries.record_failure(conn, delivery.id, owner, error, next_at, give_up=give_up)
    counters.alert_sent(kind, "given_up" if give_up else "failed")
    say = log.error if give_up else log.warning
    after = "given up" if give_up else "tried again"
    say("alert %s to channel %s is %s after attempt %s: %s", *_named(delivery), after, delivery.attempts, error)


def _named(delivery: Delivery) -> tuple[str, int]:
    return delivery.id, delivery.channel_id


def back_off(attempts: int) -> float:
    """How many seconds to wait after so many attempts: 1, 2, 4 to 60 minutes, somewhat more or less."""
    longest = min(_LAST_BACK_OFF, _FIRST_BACK_OFF * 2.0 ** min(attempts - 1, 10))
    return longest * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311 - only spreads the load


# -- what is said


def _message(resources: Resources, delivery: Delivery, keys: list[Key]) -> Message:
    language = Language(delivery.language)
    with resources.database.read() as conn:
        told = [_story(resources, conn, delivery, key) for key in keys[: alerts.DIGEST_LINES]]
    if len(keys) == 1:
        subject, text = alerts.subject(told[0], language), alerts.text(told[0], language)
    else:
        subject, text = alerts.digest(told, len(keys), language)
    return Message(delivery.id, subject, text, _kind(told))


def _kind(told: list[alerts.AlertEvent]) -> str:
    broken = [_KINDS[story.severity] for story in told if story.kind != "resolved"]
    return next((kind for kind in _KINDS.values() if kind in broken), "success")


def _story(resources: Resources, conn: Connection, delivery: Delivery, key: Key) -> alerts.AlertEvent:
    incident = incidents.load(conn, key.incident_id)
    if incident is None:
        raise LookupError(f"an alert refers to incident {key.incident_id}, which is not there")
    link = f"{resources.config.public_url.rstrip('/')}/incidents/{incident.id}" if resources.config.public_url else ""
    return alerts.AlertEvent(
        kind=key.kind,
        reference=incident.id,
        scope=incident.scope.value,
        severity=incident.severity.value,
        code=incident.code,
        since=incident.since,
        facts=incident.facts,
        seen=incident.seen,
        ended_at=incident.recovered_at or incident.closed_at,
        number=key.number,
        domains=incident.domains,
        mailboxes=incident.mailboxes,
        names=incident_details.mailbox_names(conn, incident, alerts.NAMES),
        address=incident.address,
        link=link,
        zone=ZoneInfo(delivery.zone),
        now=resources.now(),
    )


# -- channels


def add_channel(
    database: Database,
    vault: Vault,
    account_id: int,
    name: str,
    url: str,
    subscription: Subscription,
    now: float,
    actor: Actor = SERVICE,
) -> Channel:
    """Stores a channel with its URL encrypted; it is told of what is open already.

    Raises `Invalid` for a URL that cannot be used, or a name that is taken. `now` is UTC seconds since 1970.
    """
    url = url.strip()
    shown = apprise_sender.accept(url)
    with database.begin() as conn:
        channel = channels.add(conn, account_id, name, vault.seal(url), shown, subscription, now)
        outbox.catch_up(conn, channel.id, now)
        events.record(conn, AlertChannelAdded(**channels.told(channel, account_id, now, actor)))
    return channel


def test_channel(vault: Vault, policy: AddressPolicy, channel: Channel, send: Send = apprise_sender.send) -> None:
    """Sends a message that says it is a test. Raises `NotSent`, with the reason."""
    subject, text = alerts.test_message(channel.name, Language(channel.subscription.language))
    try:
        url = vault.open(channel.token)
    except Fault:
        raise NotSent("the channel's URL cannot be read with this service's keys") from None
    try:
        send(url, Message(uuid.uuid4().hex, subject, text), policy)
    except NotSent:
        counters.alert_sent("test", "failed")
        raise
    counters.alert_sent("test", "sent")
