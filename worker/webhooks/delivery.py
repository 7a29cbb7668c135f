"""Sends events to webhook endpoints: makes the deliveries that are missing, sends what is due, records what came of it.

A worker that is killed between sending and recording leaves the delivery to another one, which sends it again under the
same `webhook-id`. So an event may arrive twice, never not at all, and a receiver can tell a repeat.
"""

import logging
import time
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from checks.model import Fault, Invalid
from settings_store.webhooks import deliveries, endpoints, fan_out
from settings_store.webhooks.deliveries import Delivery, Failure
from settings_store.webhooks.endpoints import WebhookEndpoint
from worker.config import Config
from worker.events.public import type_of
from worker.resources import Resources
from worker.webhooks import messages, schedule, sender, signature, target
from worker.webhooks.sender import Network, Outcome
from worker.webhooks.target import Target

log = logging.getLogger(__name__)

Post = Callable[[Target, Mapping[str, str], bytes, Network, float], Outcome]

LEASE_SECONDS = 60.0
ROUND_SECONDS = 50.0
ROUNDS = 2
"""So many at a time in one worker: while one waits for slow receivers, the next goes on."""
LANES = 16
_LANE_SECONDS = 10.0  # for one endpoint before it is another's turn
_LOOK_SECONDS = 1.0
KEPT_DAYS = 30.0
"""How long what was sent, or has failed, can be looked up."""

_UNREADABLE = "the endpoint's URL or secret cannot be read with this service's keys"


def network_of(config: Config) -> Network:
    """Where webhooks may go."""
    return Network(config.policy, config.embedded, config.shared_source)


def send_due(resources: Resources, post: Post = sender.post) -> int:
    """Sends what is due, for at most about `ROUND_SECONDS`, and returns how many events arrived."""
    _tidy(resources)
    end, sent = time.monotonic() + ROUND_SECONDS, 0
    with ThreadPoolExecutor(LANES, thread_name_prefix="webhooks") as pool:
        running: set[Future[int]] = set()
        while time.monotonic() < end and not resources.stopping.is_set():
            make_deliveries(resources)
            with resources.database.read() as conn:
                ready = deliveries.claimable(conn, resources.now())
            running |= {pool.submit(_lane, resources, post, end) for _ in range(min(ready, LANES - len(running)))}
            if not running:
                break
            done, running = wait(running, _LOOK_SECONDS, FIRST_COMPLETED)
            sent += sum(lane.result() for lane in done)
        return sent + sum(lane.result() for lane in running)


def make_deliveries(resources: Resources) -> None:
    """One delivery of each event for each endpoint that hears of it, in transactions that are short."""
    with resources.database.read() as conn:
        ids = fan_out.behind(conn)
    for endpoint_id in ids:
        start: int | None = None
        while not resources.stopping.is_set():
            with resources.database.begin() as conn:
                start = fan_out.make_deliveries(conn, endpoint_id, start, type_of, resources.now())
            if start is None:
                break


def _tidy(resources: Resources) -> None:
    before = resources.now() - KEPT_DAYS * 86400
    with resources.database.read() as conn:
        needed = deliveries.any_to_tidy(conn, before)
    if needed:
        with resources.database.begin() as conn:
            deliveries.tidy(conn, before)


# -- one endpoint after the other


def _lane(resources: Resources, post: Post, end: float) -> int:
    """Takes endpoints that have something due, as long as there are any."""
    sent, owner = 0, uuid.uuid4().hex
    while time.monotonic() < end and not resources.stopping.is_set():
        now = resources.now()
        with resources.database.begin() as conn:
            endpoint_id = deliveries.claim(conn, owner, now, now + LEASE_SECONDS)
        if endpoint_id is None:
            break
        sent += _serve(resources, post, endpoint_id, owner, min(end, time.monotonic() + _LANE_SECONDS))
    return sent


def _serve(resources: Resources, post: Post, endpoint_id: str, owner: str, end: float) -> int:
    """Sends to one endpoint what is due, in order, until it fails."""
    sent = 0
    while time.monotonic() < end and not resources.stopping.is_set():
        now = resources.now()
        with resources.database.begin() as conn:
            delivery = deliveries.begin(conn, endpoint_id, owner, now, now + LEASE_SECONDS)
            endpoint = endpoints.load(conn, endpoint_id)
            body = messages.body_of(conn, endpoint.account_id, delivery.event_seq) if endpoint and delivery else None
        if delivery is None or endpoint is None:
            break
        if body is None:
            with resources.database.begin() as conn:
                deliveries.record_lost(conn, delivery, "the event is kept no more")
            continue
        outcome = _attempt(resources, post, endpoint, messages.message_id(delivery.id), body)
        _record(resources, endpoint, delivery, owner, outcome)
        sent += outcome.sent
    with resources.database.begin() as conn:
        deliveries.release(conn, endpoint_id, owner, resources.now())
    return sent


def _attempt(resources: Resources, post: Post, endpoint: WebhookEndpoint, message_id: str, body: bytes) -> Outcome:
    now = resources.now()
    try:
        where = target.parse(resources.vault.open(endpoint.url))
        secrets = messages.secrets_of(endpoint, resources.vault, now)
    except (Fault, Invalid):
        return Outcome(None, _UNREADABLE)
    headers = signature.headers(secrets, message_id, int(now), body)
    return post(where, headers, body, network_of(resources.config), now)


def try_out(resources: Resources, endpoint: WebhookEndpoint, post: Post = sender.post) -> tuple[str, Outcome]:
    """Sends a message that says it is a test. Returns its `webhook-id`, and what came of it."""
    message_id = messages.message_id(uuid.uuid4().hex)
    return message_id, _attempt(resources, post, endpoint, message_id, messages.test_body(endpoint.id, resources.now()))


# -- what came of it


def _record(resources: Resources, endpoint: WebhookEndpoint, delivery: Delivery, owner: str, outcome: Outcome) -> None:
    now = resources.now()
    with resources.database.begin() as conn:
        if outcome.sent and outcome.status is not None:
            deliveries.record_sent(conn, delivery, outcome.status, now)
            return
        reason = _reason_to_give_up(endpoint, delivery, outcome, now)
        failure = _failure(endpoint, delivery, outcome, now, final=reason is not None)
        if not deliveries.record_failure(conn, delivery, owner, failure, now) or reason is None:
            return
        disabled = endpoints.give_up(conn, endpoint, reason, outcome.status, _WHY[reason].format(outcome.error), now)
    if disabled:
        log.warning(
            "webhook endpoint %s is disabled after attempt %s: %s", endpoint.id, delivery.attempts, outcome.error
        )


_WHY = {"gone": "it answered {}", "failing": "it has failed for too long, at last with: {}"}


def _reason_to_give_up(endpoint: WebhookEndpoint, delivery: Delivery, outcome: Outcome, now: float) -> str | None:
    """Why nothing is sent to the endpoint any more: it says that it is gone, or failed to the end of the schedule.

    Where many events wait for one that is dead, none of them may come to its last attempt; then its time is over too.
    """
    if outcome.status == schedule.GONE:
        return "gone"
    since = now if endpoint.failing_since is None else endpoint.failing_since
    for_long = now - since >= schedule.LONGEST_FAILURE and endpoint.failures + 1 >= schedule.ATTEMPTS
    return "failing" if for_long or delivery.attempts >= schedule.ATTEMPTS else None


def _failure(endpoint: WebhookEndpoint, delivery: Delivery, outcome: Outcome, now: float, *, final: bool) -> Failure:
    hold_until = now + schedule.hold(endpoint.failures + 1, outcome.status, outcome.wish)
    delay = None if final else schedule.delay(delivery.attempts)
    next_at = None if delay is None else max(now + delay, hold_until if outcome.wish else 0.0)
    return Failure(outcome.status, outcome.error, next_at, hold_until)
