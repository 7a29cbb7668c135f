"""`/v1/health` and `/v1/domains/{domain}/health`: how domains are, as `mail-preflight health --json` has it."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import Query

from checks.language import Language
from settings_store.access.roles import Right
from web.access.granted import needs
from web.access.routing import router
from web.api.cursor import cursor_after, read_cursor
from web.api.parameters import Cursor, DomainName, Lang, PageSize, number_in
from web.documents import Document
from worker.health.listing import Place
from worker.health.wording import health_document, list_document
from worker.service.account import Account

routes = router("health")

State = Literal["failing", "unknown", "maintenance", "paused", "not_configured", "healthy"]
Json = Mapping[str, Any]


class DomainHealthDocument(Document):
    """How one domain is. docs/schema/health.schema.json has every field of what is nested."""

    domain: str
    at: str
    state: State
    headline: str
    remarks: list[str]
    service_in_trouble: bool
    paused_since: str | None
    maintenance: Json | None
    endpoints: list[Json]
    mailboxes: Json
    incidents: list[Json]
    incident_count: int
    alert_channels: list[str]
    alerts: str


class LineDocument(Document):
    """One domain of all. `incidents` are open ones, notices aside."""

    domain: str
    state: State
    headline: str
    incidents: int
    notices: int
    mailboxes: dict[str, int]
    checked_at: str | None


class HealthPage(Document):
    """Domains, the worst first. `total` says of how many there are which state, in words."""

    items: list[LineDocument]
    total: str
    next_cursor: str | None


@routes.get("/v1/domains/{domain}/health", operation_id="domains.health", summary="Get the health of a domain")
def of_domain(
    domain: DomainName,
    account: Annotated[Account, needs(Right.READ)],
    days: Annotated[int, Query(ge=1, le=366, description="How many days of history.")] = 30,
    lang: Lang = Language.EN,
) -> DomainHealthDocument:
    """How a domain is: servers, mailboxes, incidents, availability and latency."""
    return DomainHealthDocument.model_validate(health_document(account.health.of_domain(domain, days), lang).as_json())


@routes.get("/v1/health", operation_id="health.list", summary="Get the health of all domains")
def of_all(
    account: Annotated[Account, needs(Right.READ)],
    limit: PageSize = 100,
    cursor: Cursor = None,
    lang: Lang = Language.EN,
) -> HealthPage:
    """Every domain, the worst first. Each page is of now: a domain whose state changes meanwhile may move over."""
    found = account.health.worst_first(limit, _read(cursor) if cursor is not None else None)
    page = list_document(found.lines, found.states, lang)
    return HealthPage(
        items=[LineDocument.model_validate(line) for line in page.as_json()],
        total=page.total,
        next_cursor=cursor_after(*map(str, found.places[-1])) if found.more else None,
    )


def _read(cursor: str) -> Place:
    rank, incidents, name = read_cursor(cursor, 3)
    return int(number_in(rank)), int(number_in(incidents)), name
