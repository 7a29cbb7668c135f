"""`/admin/domains/{domain}`: how one domain is, what is in force and what was proposed; and what is done with it."""

from typing import Annotated

from starlette.responses import Response

from checks.model import Invalid
from checks.settings import normalise_domain
from settings_store.access.roles import Right
from web.documents import Prefix, public_id
from web.pages.domains.pending import MOST, waiting
from web.pages.frame.environment import at
from web.pages.frame.forms import Form, form
from web.pages.frame.page import Page
from web.pages.frame.routing import page_for, page_router
from worker.health.wording import health_document

routes = page_router()

_CHANGES = 5


@routes.get("/admin/new-domain")
def ask_for_a_name(page: Annotated[Page, page_for(Right.CHANGE)]) -> Response:
    """The form that a new domain begins with."""
    return page.show("domains/new.html", name="", error="")


@routes.post("/admin/new-domain")
def add(page: Annotated[Page, page_for(Right.CHANGE)], sent: Annotated[Form, form()]) -> Response:
    """Makes a domain known, and goes on to its settings."""
    try:
        name = normalise_domain(sent["name"])
        page.account.domains.make_known(name)
    except Invalid as error:
        return page.show("domains/new.html", 422, name=sent["name"], error=page.told(error))
    return page.go(at("domains", name, "settings"))


@routes.get("/admin/domains/{domain}")
def show(page: Annotated[Page, page_for(Right.READ)], domain: str) -> Response:
    """The domain."""
    found = page.account.health.of_domain(domain)
    summary = page.account.domains.summary(domain)
    return page.show(
        "domains/domain.html",
        health=health_document(found, page.language, page.clock.at),
        summary=summary,
        waiting=waiting(page, domain) if summary.waiting else [],
        most_waiting=MOST,
        changes=[
            (public_id(Prefix.CHANGE, change.id), change) for change in page.account.changes.page(domain, _CHANGES)
        ],
    )


@routes.post("/admin/domains/{domain}/pause")
def pause(page: Annotated[Page, page_for(Right.CHANGE)], domain: str) -> Response:
    """Nobody watches it until it is resumed."""
    page.account.maintenance.pause(domain)
    return page.go(at("domains", domain), "domains.said.paused")


@routes.post("/admin/domains/{domain}/resume")
def resume(page: Annotated[Page, page_for(Right.CHANGE)], domain: str) -> Response:
    """It is watched again."""
    page.account.maintenance.resume(domain)
    return page.go(at("domains", domain), "domains.said.resumed")


@routes.get("/admin/domains/{domain}/remove")
def ask_to_remove(page: Annotated[Page, page_for(Right.ADMIN)], domain: str) -> Response:
    """What would end with it."""
    return page.show("domains/remove.html", ends=page.account.domains.what_ends(domain), wrong=False)


@routes.post("/admin/domains/{domain}/remove")
def remove(page: Annotated[Page, page_for(Right.ADMIN)], domain: str, sent: Annotated[Form, form()]) -> Response:
    """Removes it, where its name was typed once more."""
    ends = page.account.domains.what_ends(domain)
    if sent["confirm"].lower() != ends.name:
        return page.show("domains/remove.html", 422, ends=ends, wrong=True)
    page.account.domains.remove(domain)
    return page.go(at("domains"), "domains.said.removed")
