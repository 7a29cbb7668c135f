"""`/v1/incidents`: failures that health checks found, and warnings ahead of time."""

from typing import Annotated, Any, Literal

from fastapi import Path, Query

from checks.language import Language
from settings_store.access.roles import Right
from settings_store.incidents.incidents import Incident, Scope, Severity
from web.access.granted import needs
from web.access.routing import router
from web.api.cursor import cursor_after, read_cursor
from web.api.parameters import Cursor, Lang, PageSize, in_body, number_in
from web.documents import Document, Prefix, Time, inner_id, public_id
from worker.events.public import PublicEvent
from worker.health.wording import incident_document
from worker.service.account import Account

routes = router("incidents")

IncidentId = Annotated[str, Path(max_length=100, examples=["inc_0123456789abcdef0123456789abcdef"])]


class IncidentDocument(Document):
    """One incident. `title`, `message`, `advice` and `course` are for people, `seen` is what the server said."""

    id: str
    state: Literal["open", "closed"]
    scope: Scope
    severity: Severity
    code: str
    title: str
    message: str
    advice: str
    course: str
    seen: str
    address: str | None
    domains: list[str]
    mailboxes: int
    since: Time
    opened_at: Time
    recovered_at: Time | None
    closed_at: Time | None
    reopened: int


class IncidentEventDocument(Document):
    """What happened to it."""

    id: str
    type: str
    at: Time
    data: dict[str, Any]


class IncidentStory(IncidentDocument):
    """An incident with its course. `disconnected` are the first mailboxes that are disconnected for it now."""

    events: list[IncidentEventDocument]
    disconnected: list[str]


class IncidentPage(Document):
    """Incidents, the last opened first."""

    items: list[IncidentDocument]
    next_cursor: str | None


@routes.get("/v1/incidents", operation_id="incidents.list", summary="List incidents")
def list_(
    account: Annotated[Account, needs(Right.READ)],
    state: Annotated[Literal["open", "all"], Query(description="all: those that are over, too.")] = "open",
    domain: Annotated[str | None, Query(max_length=300)] = None,
    scope: Annotated[list[Scope] | None, Query()] = None,
    severity: Annotated[list[Severity] | None, Query()] = None,
    limit: PageSize = 100,
    cursor: Cursor = None,
    lang: Lang = Language.EN,
) -> IncidentPage:
    """The account's incidents. A warning ahead of time has the scope `notice`: nothing fails yet."""
    after = _read(cursor) if cursor is not None else None
    with in_body(domain="query:domain"):
        found = account.incidents.page(
            only_open=state == "open", domain=domain, scopes=scope, severities=severity, after=after, limit=limit + 1
        )
    page = found[:limit]
    last = cursor_after(repr(page[-1].opened_at), page[-1].id) if len(found) > limit else None
    return IncidentPage(items=[IncidentDocument(**_fields(item, lang)) for item in page], next_cursor=last)


@routes.get("/v1/incidents/{incident_id}", operation_id="incidents.get", summary="Get an incident")
def get(
    incident_id: IncidentId, account: Annotated[Account, needs(Right.READ)], lang: Lang = Language.EN
) -> IncidentStory:
    """One incident, with what happened to it and whom it concerns."""
    story = account.incidents.story(inner_id(Prefix.INCIDENT, incident_id))
    return IncidentStory(
        **_fields(story.incident, lang), events=list(map(_event, story.events)), disconnected=list(story.mailboxes)
    )


def _fields(item: Incident, language: Language) -> dict[str, Any]:
    words = incident_document(item, language)
    return {
        "id": public_id(Prefix.INCIDENT, item.id),
        "state": "open" if words.is_open else "closed",
        "scope": item.scope,
        "severity": item.severity,
        "code": item.code.value,
        "title": words.title,
        "message": words.sentence,
        "advice": words.advice,
        "course": words.course,
        "seen": item.seen,
        "address": item.address or None,
        "domains": list(item.domains),
        "mailboxes": item.mailboxes,
        "since": item.since,
        "opened_at": item.opened_at,
        "recovered_at": item.recovered_at,
        "closed_at": item.closed_at,
        "reopened": item.reopened,
    }


def _event(event: PublicEvent) -> IncidentEventDocument:
    return IncidentEventDocument(id=event.id, type=event.type, at=event.at, data=dict(event.data))


def _read(cursor: str) -> tuple[float, str]:
    at, incident_id = read_cursor(cursor, 2)
    return number_in(at), incident_id
