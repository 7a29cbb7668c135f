"""`/admin/domains/{domain}/history`: who did what, and when; incidents; and how the servers have fared."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from starlette.responses import Response

from checks.codes import Code
from checks.messages import wording
from settings_store.access.roles import Right
from settings_store.events.event import Event
from settings_store.events.kinds import ChangeEvent, ChangeVerified, DomainApprovalSet, IncidentEvent
from web.documents import Prefix, public_id
from web.pages.frame.comparison import Compared, compared
from web.pages.frame.environment import at
from web.pages.frame.page import Page
from web.pages.frame.routing import page_for, page_router
from web.pages.history.pictures import HIGH, Fared, percent
from worker.health.wording import health_document
from worker.service.domains.domains import Moment

routes = page_router()

PAGE = 50
_DAYS = 30
_NOTICE = "notice"

_LOOKS: Mapping[str, tuple[str, str]] = {
    "change.saved": ("tool", "idle"),
    "change.verified": ("check", "idle"),
    "change.approved": ("user", "good"),
    "change.applied": ("next", "good"),
    "change.watch_failed": ("alert", "bad"),
    "change.rolled_back": ("undo", "warn"),
    "change.discarded": ("dash", "idle"),
    "domain.approval_set": ("shield", "idle"),
    "mailboxes.imported": ("plus", "idle"),
    "mailboxes.removed": ("dash", "idle"),
    "incident.opened": ("alert", "bad"),
    "incident.resolved": ("check", "good"),
    "incident.dropped": ("dash", "idle"),
}
"""The icon of a kind of event, and how it looks; its words stand beside it."""


@dataclass(frozen=True, slots=True)
class Told:
    """A moment of the timeline. `href` leads to its report, '' where there is none; `differences` are its settings."""

    event: Event
    icon: str
    kind: str
    words: str
    href: str
    differences: Sequence[Compared]


@routes.get("/admin/domains/{domain}/history")
def show(page: Annotated[Page, page_for(Right.READ)], domain: str, before: str = "") -> Response:
    """The timeline, the newest first, and the pictures of the last days."""
    number = int(before) if before.isascii() and before.isdecimal() and len(before) < 19 else None
    found = page.account.domains.timeline(domain, number, PAGE + 1)
    health = health_document(page.account.health.of_domain(domain, _DAYS), page.language, page.clock.at)
    return page.show(
        "history/history.html",
        domain=health.domain,
        moments=[_told(page, moment) for moment in found[:PAGE]],
        goes_on=found[PAGE - 1].event.seq if len(found) > PAGE else None,
        before=number,
        fared=[Fared(each) for each in health.endpoints],
        days=_DAYS,
        high=HIGH,
        percent=percent,
    )


def _told(page: Page, moment: Moment) -> Told:
    event = moment.event
    icon, kind = _looks(event)
    differences: Iterator[Compared] = iter(())
    if moment.after is not None:
        differences = (row for row in compared(moment.before, moment.after, page.t) if row.changed or row.first)
    href = ""
    if isinstance(event, ChangeEvent):
        href = at("changes", public_id(Prefix.CHANGE, event.subject))
    return Told(event, icon, kind, _words(page, event), href, list(differences))


def _looks(event: Event) -> tuple[str, str]:
    icon, kind = _LOOKS[event.kind]
    if isinstance(event, ChangeVerified):
        kind = {"safe": "good", "unsafe": "bad", "cannot_tell": "warn"}.get(event.verdict, "idle")
        icon = {"good": "check", "bad": "cross", "warn": "alert"}.get(kind, icon)
    if isinstance(event, IncidentEvent) and event.scope == _NOTICE:
        kind = "warn" if kind == "bad" else kind
    return icon, kind


def _words(page: Page, event: Event) -> str:
    if isinstance(event, ChangeVerified):
        lost = event.counts.get("will_disconnect", 0)
        name = "server" if event.verdict == "unsafe" and not lost else event.verdict
        return page.t(f"history.change.verified.{name}", count=lost)
    if isinstance(event, IncidentEvent):
        opened_notice = event.scope == _NOTICE and event.kind == "incident.opened"
        cause = wording(Code(event.code), {}, page.language).sentence
        return page.t("history.incident.notice" if opened_notice else f"history.{event.kind}", cause=cause)
    if isinstance(event, DomainApprovalSet):
        return page.t("history.domain.approval_set.on" if event.needed else "history.domain.approval_set.off")
    counts = {name: value for name, value in event.payload.items() if isinstance(value, int)}
    return page.t(f"history.{event.kind}", **counts)
