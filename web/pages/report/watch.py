"""`/admin/changes/{id}/watch`: how the mailboxes fare after a change was applied, and the way back."""

from typing import Annotated

from starlette.responses import Response

from settings_store.access.roles import Right
from settings_store.changes.actions import Action
from settings_store.changes.lifecycle import ChangeState
from web.api.changes.change_document import change_of
from web.documents import Prefix, public_id
from web.pages.frame.page import Page
from web.pages.frame.routing import page_for, page_router
from web.pages.report.actions import place_of
from web.pages.report.view import View

routes = page_router()

_APPLIED = (ChangeState.APPLIED, ChangeState.ROLLED_BACK)


@routes.get("/admin/changes/{change_id}/watch")
def show(page: Annotated[Page, page_for(Right.READ)], change_id: str) -> Response:
    """How far the watch is, each of its rounds, and the button that takes the change back."""
    look = page.account.changes.look(change_of(change_id))
    if look.state not in _APPLIED:
        return page.go(place_of(look.id, "report"))
    watched = page.account.watches.look(look.id)
    view = View(look, page.account.changes.report(look.id, page.language), page.t)
    return page.show(
        "report/watch.html",
        id=public_id(Prefix.CHANGE, look.id),
        look=look,
        view=view,
        watched=watched,
        going_on=watched.until is not None and not watched.rolled_back,
        nobody=watched.until is not None and not watched.rolled_back and not page.account.watches.anybody(),
        may_roll_back=Action.ROLL_BACK in look.actions and page.may(Right.APPLY),
        elapsed=_elapsed(page, look.applied_at, watched.until),
    )


def _elapsed(page: Page, begun: float | None, until: float | None) -> int:
    """Which part of the watch is over, in thousandths."""
    if begun is None or until is None or until <= begun:
        return 1000
    return round(max(0.0, min(1.0, (page.clock.now - begun) / (until - begun))) * 1000)
