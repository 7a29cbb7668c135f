"""What is done with a change by one button: repaired, given up, taken up, taken back."""

from typing import Annotated

from starlette.responses import Response

from checks.model import Unknown
from settings_store.access.roles import Right
from web.api.changes.change_document import change_of
from web.documents import Prefix, public_id
from web.limits.rates import expensive
from web.pages.frame.environment import at
from web.pages.frame.forms import Form, form
from web.pages.frame.page import Page
from web.pages.frame.routing import page_for, page_router
from worker.changes.repair import repairs

routes = page_router()

Editing = Annotated[Page, page_for(Right.CHANGE)]
Applying = Annotated[Page, page_for(Right.APPLY)]


def place_of(change_id: str, *parts: str) -> str:
    """The address of a change with our own id."""
    return at("changes", public_id(Prefix.CHANGE, change_id), *parts)


@routes.post("/admin/changes/{change_id}/repair")
@expensive
def repair(page: Editing, change_id: str, sent: Annotated[Form, form()]) -> Response:
    """Corrects the settings by what was proved, and verifies them. What came with the change comes with them."""
    inner = change_of(change_id)
    look, report = page.account.changes.look(inner), page.account.changes.report(inner)
    chosen = next((each for each in repairs(look.settings, report.endpoints) if each.name == sent["repair"]), None)
    if chosen is None:
        raise Unknown("the report has no such repair", "repair")
    saved = page.account.changes.save(look.domain, chosen.settings, corrects=look.id)
    return page.go(place_of(saved.change_id), "report.said.repaired")


@routes.post("/admin/changes/{change_id}/discard")
def discard(page: Editing, change_id: str) -> Response:
    """Gives it up."""
    change = page.account.changes.discard(change_of(change_id))
    return page.go(at("domains", change.domain), "report.said.discarded")


@routes.post("/admin/changes/{change_id}/reopen")
@expensive
def reopen(page: Editing, change_id: str) -> Response:
    """Takes it up again, and verifies it: what it was good for then says little of now."""
    change = page.account.changes.reopen(change_of(change_id))
    page.account.changes.verify_again(change.id)
    return page.go(place_of(change.id), "report.said.reopened")


@routes.post("/admin/changes/{change_id}/approve")
def approve(page: Applying, change_id: str, sent: Annotated[Form, form()]) -> Response:
    """A second person approves the report that they have read."""
    change = page.account.changes.approve(change_of(change_id), sent["checksum"])
    return page.go(place_of(change.id, "report"), "approval.said.approved")


@routes.post("/admin/changes/{change_id}/roll-back")
def roll_back(page: Applying, change_id: str) -> Response:
    """Puts the settings from before in force again."""
    change = page.account.changes.roll_back(change_of(change_id))
    return page.go(place_of(change.id, "watch"), "report.said.rolled_back")
