"""`/admin/changes/{id}`: a change while it is verified, as long as it is; then on to its report."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Request
from starlette.responses import Response

from checks.document import EndpointDocument
from checks.language import Language
from checks.messages.endpoints import place_words
from checks.model import Endpoint
from settings_store.access.roles import Right
from settings_store.changes.actions import Action
from settings_store.changes.lifecycle import ChangeState
from web.api.changes.change_document import change_of
from web.documents import Prefix, public_id
from web.events.stream import EventStream, Subscription
from web.limits.rates import expensive
from web.pages.frame.environment import at
from web.pages.frame.page import Page
from web.pages.frame.routing import page_for, page_router
from worker.changes.impact import Impact
from worker.events.following import SESSION
from worker.events.reading import Page as EventsPage
from worker.service.changes.change_view import Live

routes = page_router()

_LEAST_SECONDS = 1.0
"""Before a rate says anything."""


@dataclass(frozen=True, slots=True)
class Server:
    """One endpoint of the settings. `found` is None until its check has come to something."""

    label: str
    place: str
    found: EndpointDocument | None


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast it goes: mailboxes a second, and the seconds that are left; None where nobody can tell yet."""

    rate: float | None
    left: float | None


@routes.get("/admin/changes/{change_id}")
def show(page: Annotated[Page, page_for(Right.READ)], change_id: str, replaced: str = "") -> Response:
    """How far it is. Once there is a report, the reader is sent on to it."""
    live = page.account.changes.live(change_of(change_id), page.language)
    public = public_id(Prefix.CHANGE, live.change.id)
    report = at("changes", public, "report") if live.change.counts is not None else ""
    if report and live.change.state is not ChangeState.VERIFYING and not page.is_refreshed:
        return page.go(report)
    return page.show(
        "changes/live.html",
        live=live,
        id=public,
        servers=_servers(live, page.language),
        counts=[(impact.value, live.now.counts.get(impact, 0)) for impact in Impact],
        pace=_pace(live, page.clock.now),
        going=live.change.state is ChangeState.VERIFYING,
        report=report,
        replaced=replaced,
        may_cancel=page.may(Right.CHANGE) and Action.CANCEL in live.change.actions,
        may_verify=page.may(Right.CHANGE) and Action.VERIFY in live.change.actions,
    )


@routes.get("/admin/changes/{change_id}/events")
def events(request: Request, page: Annotated[Page, page_for(Right.READ)], change_id: str) -> Response:
    """That there is news, as server-sent events: what they are, the page itself says."""
    whole_id = page.account.events.change(change_of(change_id))

    def read(seq: int) -> EventsPage:
        return page.account.events.of_change(whole_id, seq)

    session_id = page.session.id if page.session else ""
    of = Subscription(SESSION + session_id, page.account.events.account_id, whole_id, read)
    config = page.preflight.config
    return EventStream(request.app.state.hub, of, config.stream_heartbeat_seconds, config.stream_minutes * 60)


@routes.post("/admin/changes/{change_id}/cancel")
def cancel(page: Annotated[Page, page_for(Right.CHANGE)], change_id: str) -> Response:
    """Ends the verification."""
    page.account.changes.cancel(change_of(change_id))
    return page.go(at("changes", change_id), "changes.said.cancelled")


@routes.post("/admin/changes/{change_id}/verify")
@expensive
def verify(page: Annotated[Page, page_for(Right.CHANGE)], change_id: str) -> Response:
    """Verifies it anew, or goes on with the mailboxes that were left untried."""
    page.account.changes.verify_again(change_of(change_id))
    return page.go(at("changes", change_id))


@routes.post("/admin/changes/{change_id}/resume")
@expensive
def resume(page: Annotated[Page, page_for(Right.CHANGE)], change_id: str) -> Response:
    """Goes on with the mailboxes that a verification has left untried."""
    page.account.changes.resume(change_of(change_id))
    return page.go(at("changes", change_id))


def _servers(live: Live, language: Language) -> list[Server]:
    found = {each.endpoint.protocol: each for each in live.endpoints}
    endpoints: tuple[Endpoint, ...] = live.change.settings.endpoints
    return [Server(each.protocol.label, place_words(each, language), found.get(each.protocol)) for each in endpoints]


def _pace(live: Live, now: float) -> Pace:
    done, total = live.now.done, live.now.total
    seconds = now - live.begun_at if live.begun_at is not None else 0.0
    if seconds < _LEAST_SECONDS or not done:
        return Pace(None, None)
    rate = done / seconds
    return Pace(rate, (total - done) / rate)
