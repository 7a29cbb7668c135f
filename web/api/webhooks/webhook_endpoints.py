"""`/v1/webhook-endpoints`: where events are sent to, what became of them, and how they are sent again."""

import threading
from typing import Annotated, Literal, TypeVar

from fastapi import Path, Query, Response
from pydantic import AwareDatetime, Field

from checks.model import Invalid
from settings_store.access.roles import Right
from settings_store.webhooks.deliveries import Range, State
from web.access.granted import needs
from web.access.routing import router
from web.api.cursor import CURSOR, cursor_after, read_cursor
from web.api.parameters import in_body
from web.api.webhooks.webhook_documents import (
    DeliveryDocument,
    DeliveryPage,
    EndpointDocument,
    EndpointPage,
    EndpointWithSecret,
    QueuedDocument,
    TriedDocument,
    delivery_document,
    endpoint_document,
    event_id,
    with_secret,
)
from web.documents import Limit, Prefix, Request, inner_id
from web.limits.rates import expensive
from web.problems.codes import ProblemCode
from web.problems.problem import Problem
from web.repetition.once import asks_others
from worker.events.public import seq_of
from worker.service.account import Account
from worker.service.webhooks import OVERLAP_HOURS, EndpointRequest

N = TypeVar("N", int, float)

routes = router("webhook endpoints")

_PATH = "/v1/webhook-endpoints"
_TESTS_AT_ONCE = 4  # each holds a thread for as long as a receiver takes
_testing = threading.BoundedSemaphore(_TESTS_AT_ONCE)

EndpointId = Annotated[str, Path(max_length=100, examples=["whe_0123456789abcdef0123456789abcdef"])]
DeliveryId = Annotated[str, Path(max_length=100, examples=["whd_0123456789abcdef0123456789abcdef"])]
Cursor = Annotated[str | None, Query(max_length=300, description="The `next_cursor` of the page before.")]
Admin = Annotated[Account, needs(Right.ADMIN)]
Url = Annotated[str, Field(max_length=2000, examples=["https://app.example.com/hooks/mail"])]
Types = Annotated[list[str], Field(max_length=100, examples=[["change.verified", "mailbox.disconnected"]])]
Description = Annotated[str, Field(max_length=500)]


class NewEndpoint(Request):
    """No `types`: all of them. `domain`: only what concerns it; null: everything of the account."""

    url: Url
    types: Types = Field(default_factory=list)
    domain: Annotated[str, Field(max_length=300)] | None = None
    description: Description = ""
    signature: Literal["v1", "v1a"] = "v1"


class EndpointChange(Request):
    """What is to be another; what is not given stays. A disabled endpoint that is enabled goes on with new events."""

    url: Url | None = None
    types: Types | None = None
    description: Description | None = None
    enabled: bool | None = None


class Rotation(Request):
    """For how many hours the old secret signs, too. 0 where somebody else may know it."""

    overlap_hours: Annotated[float, Field(ge=0, le=OVERLAP_HOURS)] = OVERLAP_HOURS


class EventRange(Request):
    """Events after the id `after`, from `since` to before `until`: one of `after` and `since` is needed.

    What has arrived is sent again only with `include_sent`.
    """

    after: Annotated[str, Field(max_length=100, examples=["evt_000000000042"])] | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    include_sent: bool = False


@routes.post(_PATH, operation_id="webhook_endpoints.create", summary="Add a webhook endpoint", status_code=201)
def create(wanted: NewEndpoint, response: Response, account: Admin) -> EndpointWithSecret:
    """Adds an endpoint, which hears of what happens from now on. Its secret is shown in this answer only."""
    with in_body():
        found = with_secret(account.webhooks.add(EndpointRequest(**wanted.model_dump())))
    response.headers["Location"] = f"{_PATH}/{found.id}"
    return found


@routes.get(_PATH, operation_id="webhook_endpoints.list", summary="List webhook endpoints")
def list_all(account: Admin, limit: Annotated[Limit, Query()] = 100, cursor: Cursor = None) -> EndpointPage:
    """The account's endpoints."""
    after = None
    if cursor is not None:
        created_at, last_id = read_cursor(cursor, 2)
        after = (_read(float, created_at), last_id)
    found = account.webhooks.endpoints(limit + 1, after)
    last = found[limit - 1].endpoint if len(found) > limit else None
    following = cursor_after(str(last.created_at), last.id) if last else None
    return EndpointPage(items=[endpoint_document(each) for each in found[:limit]], next_cursor=following)


@routes.get(_PATH + "/{endpoint_id}", operation_id="webhook_endpoints.get", summary="Get a webhook endpoint")
def get(endpoint_id: EndpointId, account: Admin) -> EndpointDocument:
    """One endpoint."""
    return endpoint_document(account.webhooks.look(_inner(endpoint_id)))


@routes.patch(_PATH + "/{endpoint_id}", operation_id="webhook_endpoints.update", summary="Change a webhook endpoint")
def update(endpoint_id: EndpointId, wanted: EndpointChange, account: Admin) -> EndpointDocument:
    """Another URL, other types, another description; enabled or disabled."""
    given = wanted.model_dump(exclude_unset=True)
    for name, value in given.items():
        if value is None:
            raise Invalid(f"{name} cannot be null; leave it out to leave it as it is", name)
    return endpoint_document(account.webhooks.change(_inner(endpoint_id), given))


@routes.delete(
    _PATH + "/{endpoint_id}",
    operation_id="webhook_endpoints.delete",
    summary="Remove a webhook endpoint",
    status_code=204,
)
def delete(endpoint_id: EndpointId, account: Admin) -> None:
    """Removes an endpoint, and what was still to be sent to it."""
    account.webhooks.remove(_inner(endpoint_id))


@routes.post(
    _PATH + "/{endpoint_id}/rotate", operation_id="webhook_endpoints.rotate", summary="Rotate a webhook secret"
)
def rotate(endpoint_id: EndpointId, account: Admin, wanted: Rotation | None = None) -> EndpointWithSecret:
    """A new secret, shown in this answer only. The old one signs too, for 24 hours unless less is wanted."""
    hours = (wanted or Rotation()).overlap_hours
    return with_secret(account.webhooks.rotate(_inner(endpoint_id), hours))


@routes.post(_PATH + "/{endpoint_id}/test", operation_id="webhook_endpoints.test", summary="Send a test webhook")
@asks_others
@expensive
def test(endpoint_id: EndpointId, account: Admin) -> TriedDocument:
    """Sends a message of the type `webhook_endpoint.test` now, once, and says what came of it."""
    inner = _inner(endpoint_id)
    if not _testing.acquire(blocking=False):
        detail = "several endpoints are being tested; try again in a moment"
        raise Problem(ProblemCode.TOO_MANY_REQUESTS, detail, headers={"Retry-After": "20"})
    try:
        webhook_id, outcome = account.webhooks.test(inner)
    finally:
        _testing.release()
    error = outcome.error or None
    return TriedDocument(webhook_id=webhook_id, delivered=outcome.sent, status=outcome.status, error=error)


@routes.get(
    _PATH + "/{endpoint_id}/deliveries", operation_id="webhook_endpoints.deliveries.list", summary="List deliveries"
)
def deliveries(
    endpoint_id: EndpointId,
    account: Admin,
    state: Annotated[State | None, Query()] = None,
    limit: Annotated[Limit, Query()] = 100,
    cursor: Cursor = None,
) -> DeliveryPage:
    """What was sent to an endpoint, is to be sent, or could not be; kept for 30 days."""
    before = _read(int, read_cursor(cursor)[0]) if cursor is not None else None
    found = account.webhooks.deliveries(_inner(endpoint_id), limit + 1, before, state)
    following = cursor_after(str(found[limit - 1].event_seq)) if len(found) > limit else None
    return DeliveryPage(items=[delivery_document(each) for each in found[:limit]], next_cursor=following)


@routes.get(
    _PATH + "/{endpoint_id}/deliveries/{delivery_id}",
    operation_id="webhook_endpoints.deliveries.get",
    summary="Get a delivery",
)
def delivery(endpoint_id: EndpointId, delivery_id: DeliveryId, account: Admin) -> DeliveryDocument:
    """One delivery."""
    return delivery_document(account.webhooks.delivery(_inner(endpoint_id), inner_id(Prefix.DELIVERY, delivery_id)))


@routes.post(
    _PATH + "/{endpoint_id}/deliveries/{delivery_id}/redeliver",
    operation_id="webhook_endpoints.deliveries.redeliver",
    summary="Send a delivery again",
    status_code=202,
)
def redeliver(endpoint_id: EndpointId, delivery_id: DeliveryId, account: Admin) -> DeliveryDocument:
    """Sends an event again, under the same `webhook-id`."""
    return delivery_document(account.webhooks.redeliver(_inner(endpoint_id), inner_id(Prefix.DELIVERY, delivery_id)))


@routes.post(
    _PATH + "/{endpoint_id}/redeliver",
    operation_id="webhook_endpoints.redeliver",
    summary="Send a range of events again",
    status_code=202,
)
def redeliver_range(endpoint_id: EndpointId, wanted: EventRange, account: Admin) -> QueuedDocument:
    """Sends the events of a range that failed, or were never sent: up to 1,000 of the account's at once."""
    queued = account.webhooks.redeliver_range(_inner(endpoint_id), range_of(wanted))
    return QueuedDocument(queued=queued.count, next_after=event_id(queued.after) if queued.after else None)


def _read(kind: type[N], key: str) -> N:
    """A number of a cursor. Raises `Invalid`."""
    try:
        number = kind(key)
    except ValueError:
        number = kind(2**63)
    if not abs(number) < 2**63:  # so it is with NaN, too
        raise Invalid("it is no cursor of this list; take `next_cursor` as it was given, or begin without one", CURSOR)
    return number


def range_of(wanted: EventRange) -> Range:
    """For the use case. Raises `Invalid`."""
    if wanted.after is None and wanted.since is None:
        raise Invalid("say from where on: `after`, an event's id, or `since`, a time", "after")
    after = 0 if wanted.after is None else seq_of(wanted.after)
    if after is None:
        raise Invalid("that is no event's id", "after")
    since, until = (time.timestamp() if time is not None else None for time in (wanted.since, wanted.until))
    return Range(after, since, until, wanted.include_sent)


def _inner(endpoint_id: str) -> str:
    return inner_id(Prefix.WEBHOOK_ENDPOINT, endpoint_id)
