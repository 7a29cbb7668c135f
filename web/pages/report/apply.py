"""`/admin/changes/{id}/apply`: what would change, for how many, and what happens afterwards; then it is done."""

from typing import Annotated

from starlette.responses import Response

from checks.codes import Verdict
from checks.model import Invalid
from settings_store.access.roles import Right
from settings_store.changes.actions import Action
from settings_store.changes.lifecycle import Reason, Refused
from settings_store.changes.watches import Watch
from web.api.changes.change_document import change_of
from web.documents import Prefix, public_id
from web.pages.frame.environment import at
from web.pages.frame.forms import Form, form
from web.pages.frame.page import Page
from web.pages.frame.routing import page_for, page_router
from web.pages.report.actions import place_of
from web.pages.report.view import KINDS, View
from web.pages.wording import TEXTS
from worker.changes.impact import Impact

routes = page_router()

Applying = Annotated[Page, page_for(Right.APPLY)]
MINUTES = (0, 15, 30, 60, 240, 1440)
"""How long one may watch; whatever is set for the service is among them."""


@routes.get("/admin/changes/{change_id}/apply")
def show(page: Applying, change_id: str) -> Response:
    """What it would do, and what is asked for."""
    return _shown(page, change_of(change_id))


@routes.post("/admin/changes/{change_id}/apply")
def apply(page: Applying, change_id: str, sent: Annotated[Form, form()]) -> Response:
    """Puts it in force, by the report that was reviewed: all of it, or nothing."""
    inner = change_of(change_id)
    try:
        accepted, watch = _accepted(sent), _watch(sent)
        page.account.changes.apply(inner, accepted, checksum=sent["checksum"], watch=watch)
    except Refused as refused:
        return _shown(page, inner, sent, refused)
    except Invalid as error:
        return _shown(page, inner, sent, error)
    return page.go(place_of(inner, "watch"), "report.said.applied")


def _shown(page: Page, inner: str, sent: Form | None = None, error: Invalid | None = None) -> Response:
    look, report = page.account.changes.reviewed(inner, page.language)
    if report is None:
        return page.go(place_of(look.id))
    if Action.APPLY not in look.actions:  # its report says why not, and what to do
        return page.go(place_of(look.id, "report"))
    view = View(look, report, page.t)
    failing = any(result.verdict is Verdict.FAIL for result in view.report.endpoints)
    usual = page.account.changes.watch_minutes
    return page.show(
        "report/apply.html",
        422 if error else 200,
        id=public_id(Prefix.CHANGE, look.id),
        look=look,
        view=view,
        lost=view.report.counts[Impact.WILL_DISCONNECT],
        failing=failing,
        minutes=sorted({*map(float, MINUTES), usual}),
        chosen=sent["minutes"] if sent else f"{usual:g}",
        typed=sent["accept"] if sent else "",
        by_itself=bool(sent and sent["afterwards"] == "roll_back"),
        error=_words(page, error),
        at_number=isinstance(error, Refused) and error.reason in (Reason.WOULD_DISCONNECT, Reason.SERVER_FAILS),
        kinds=KINDS,
        mailboxes=at("changes", public_id(Prefix.CHANGE, look.id), "report", impact=Impact.WILL_DISCONNECT)
        + "#mailboxes",
    )


def _words(page: Page, error: Invalid | None) -> str:
    if isinstance(error, Refused) and f"report.refused.{error.reason}" in TEXTS[page.language]:
        return page.t(f"report.refused.{error.reason}", count=error.facts.get("accept_disconnects", 0))
    return page.told(error) if error else ""


def _accepted(sent: Form) -> int | None:
    """The number that was typed, or that a server which does not work is accepted with nobody to disconnect."""
    typed = sent["accept"]
    if not typed:
        return 0 if sent.ticked("failing") else None
    if not (typed.isascii() and typed.isdecimal() and len(typed) < 10):
        raise Refused("type the number of mailboxes in digits", Reason.WOULD_DISCONNECT)
    return int(typed)


def _watch(sent: Form) -> Watch:
    try:
        minutes = float(sent["minutes"] or 0)
    except ValueError:
        minutes = -1.0
    if not 0 <= minutes <= 7 * 24 * 60:
        raise Invalid("choose how long the mailboxes are watched", "minutes")
    return Watch(minutes * 60, sent["afterwards"] == "roll_back" and minutes > 0)
