"""`/v1/events`: what happened in the account."""

from typing import Annotated, Any

from fastapi import Header, Path, Query, Request
from starlette.responses import Response

from checks.model import Invalid
from settings_store.access.roles import Right
from web.access.granted import needs
from web.access.routing import router
from web.documents import Limit, Prefix, inner_id
from web.events.documents import After, EventsPage, number, page_document, resync
from web.events.hub import Hub
from web.events.stream import MEDIA_TYPE, EventStream, Subscription
from worker.events.public import ALL_TYPES, seq_of
from worker.events.reading import Page, Resync
from worker.service.account import Account

routes = router("events")

Types = Annotated[
    str | None,
    Query(max_length=2000, description="Types of events, separated by commas.", examples=["change.verified"]),
]


ChangeId = Annotated[str, Path(max_length=100, examples=["chg_0123456789abcdef0123456789abcdef"])]
LastEventId = Annotated[str | None, Header(max_length=100, description="What a reader that comes back goes on after.")]
_STREAM: dict[int | str, Any] = {
    200: {"content": {MEDIA_TYPE: {"schema": {"type": "string"}}}, "description": "Events, until the reader leaves."}
}


@routes.get(
    "/v1/events/stream",
    operation_id="events.stream",
    summary="Follow the account",
    response_class=Response,
    responses=_STREAM,
)
def stream_events(
    request: Request,
    account: Annotated[Account, needs(Right.READ)],
    after: After = None,
    last_event_id: LastEventId = None,
    types: Types = None,
) -> Response:
    """What happens in the account from now on, or after an event, as server-sent events."""
    wanted = named(types)

    def read(seq: int) -> Page:
        return account.events.page(seq, wanted)

    begin, lost = _begin(account, after, last_event_id)
    of = Subscription(_key(request), account.events.account_id, "", read, begin, lost, frozenset(wanted))
    return _stream(request, of)


@routes.get(
    "/v1/changes/{change_id}/events",
    operation_id="changes.events",
    summary="Follow a change",
    response_model=EventsPage,
    responses=_STREAM,
)
def stream_change(
    request: Request,
    change_id: ChangeId,
    account: Annotated[Account, needs(Right.READ)],
    after: After = None,
    last_event_id: LastEventId = None,
    limit: Limit = 100,
) -> Response | EventsPage:
    """What happens to a change and its runs as server-sent events, with how far it is; or what happened, as JSON.

    The stream begins with all that happened, or after an event. `Accept: application/json` has a page instead.
    """
    whole_id = account.events.change(inner_id(Prefix.CHANGE, change_id))
    if _wants_json(request):
        try:
            return page_document(account.events.of_change(whole_id, number(after), limit))
        except Resync as error:
            raise resync(error) from None

    def read(seq: int) -> Page:
        return account.events.of_change(whole_id, seq)

    begin, lost = _begin(account, after, last_event_id)
    return _stream(request, Subscription(_key(request), account.events.account_id, whole_id, read, begin, lost))


def _begin(account: Account, after: str | None, last_event_id: str | None) -> tuple[int | None, bool]:
    """What to go on after, and whether what came before that is not known. Raises `Invalid` for a wrong `after`."""
    begin = number(after)
    if last_event_id:  # what the reader has seen since it asked for `after`
        begin = seq_of(last_event_id)
        begin = -1 if begin is None else begin
    if begin is None:
        return None, False
    try:
        account.events.require_known(begin)
    except Resync as error:
        return error.latest, True
    return begin, False


def _stream(request: Request, of: Subscription) -> Response:
    hub: Hub = request.app.state.hub
    config = request.app.state.preflight.config
    return EventStream(hub, of, config.stream_heartbeat_seconds, config.stream_minutes * 60)


def _key(request: Request) -> str:
    return str(request.state.caller.key.id)


def _wants_json(request: Request) -> bool:
    accepted = request.headers.get("accept", "")
    return "application/json" in accepted and MEDIA_TYPE not in accepted


@routes.get("/v1/events", operation_id="events.list", summary="List events")
def list_events(
    account: Annotated[Account, needs(Right.READ)],
    after: After = None,
    cursor: After = None,
    types: Types = None,
    domain: Annotated[str | None, Query(max_length=300, examples=["example.com"])] = None,
    limit: Limit = 100,
) -> EventsPage:
    """What happened in the account, the oldest first, as far back as 30 days. `cursor` is another name of `after`."""
    if after is not None and cursor is not None:
        raise Invalid("give after or cursor, not both", "query:cursor")
    begin = number(after) if cursor is None else number(cursor, "query:cursor")
    try:
        return page_document(account.events.page(begin, named(types), domain, limit))
    except Resync as error:
        raise resync(error) from None


def named(types: str | None) -> list[str]:
    """The types of a list with commas. Raises `Invalid` for one that there is not."""
    found = [name.strip() for name in (types or "").split(",") if name.strip()]
    if unknown := sorted(set(found) - ALL_TYPES):
        known = ", ".join(sorted(ALL_TYPES))
        raise Invalid(f"there are no events of the type {unknown[0]!r}; there are {known}", "query:types")
    return found
