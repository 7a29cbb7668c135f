"""`/admin/changes/{id}/report`: who would disconnect, why, and what to do about it. As CSV and JSON, too."""

import json
from collections.abc import Iterator
from typing import Annotated

from starlette.responses import Response, StreamingResponse

from checks.codes import Code
from settings_store.access.roles import Right
from settings_store.changes.actions import Action
from web.api.changes.change_document import change_of
from web.api.changes.report_document import model_of
from web.api.changes.report_mailboxes import as_csv, as_json, portions
from web.documents import Prefix, public_id
from web.pages.frame.comparison import Compared, compared
from web.pages.frame.environment import at
from web.pages.frame.page import Page
from web.pages.frame.routing import page_for, page_router
from web.pages.report.view import KINDS, View
from worker.changes.document import URGENCY
from worker.changes.impact import Impact
from worker.changes.report import MailboxLine
from worker.changes.report_rows import EVERY, Wanted
from worker.changes.wording import report_document
from worker.service.changes.staleness import Stale

routes = page_router()

PAGE = 50
_LONGEST = 320

Reading = Annotated[Page, page_for(Right.READ)]


@routes.get("/admin/changes/{change_id}/report")
def show(page: Reading, change_id: str, impact: str = "", code: str = "", text: str = "", after: str = "") -> Response:
    """The report, with a page of its mailboxes."""
    inner = change_of(change_id)
    look, report = page.account.changes.reviewed(inner, page.language)
    if report is None:
        return page.go(at("changes", public_id(Prefix.CHANGE, look.id)))
    view = View(look, report, page.t)
    wanted = _wanted(impact, code, text)
    found = page.account.changes.mailboxes(look.id, wanted, after[:_LONGEST], PAGE + 1, look.checksum)
    _, history = page.account.changes.history(look.id)
    return page.show(
        "report/report.html",
        id=public_id(Prefix.CHANGE, look.id),
        look=look,
        view=view,
        actions={str(action) for action in look.actions},
        stale=(stale := _stale(page, view)),
        moved_settings=_moved_settings(page, stale),
        history=history,
        mailboxes=found[:PAGE],
        goes_on=found[PAGE - 1].address if len(found) > PAGE else "",
        after=after,
        wanted=wanted,
        impacts=URGENCY,
        codes=sorted({cause.code for cause in view.causes}),
        kinds=KINDS,
    )


def _stale(page: Page, view: View) -> Stale | None:
    """What has moved, where that keeps the change from being applied."""
    if view.report.step == "again" and Action.VERIFY in view.look.actions:
        return page.account.changes.stale(view.look.id)
    return None


def _moved_settings(page: Page, stale: Stale | None) -> list[Compared]:
    """What differs between the settings that were in force then, and those that are now."""
    if stale is None or stale.in_force is None:
        return []
    return [row for row in compared(stale.base, stale.in_force, page.t) if row.changed]


def _wanted(impact: str, code: str, text: str) -> Wanted:
    """What there is not is not asked for: an address may be an old one."""
    return Wanted(
        Impact(impact) if impact in set(Impact) else None,
        Code(code) if code in set(Code) else None,
        text.strip()[:_LONGEST],
    )


@routes.get("/admin/changes/{change_id}/report/mailboxes.csv")
def mailboxes(page: Reading, change_id: str, impact: str = "", code: str = "", text: str = "") -> Response:
    """All the mailboxes that are wanted, as a table."""
    inner = change_of(change_id)
    checksum = page.account.changes.checksum(inner)
    lines = portions(page.account, inner, _wanted(impact, code, text), "", checksum)
    return StreamingResponse(as_csv(lines), media_type="text/csv", headers=_saved_as(change_id, "csv"))


@routes.get("/admin/changes/{change_id}/report.json")
def document(page: Reading, change_id: str) -> Response:
    """The report as the API has it, with all its mailboxes."""
    inner = change_of(change_id)
    worded = report_document(page.account.changes.report(inner, page.language), listed=0, commands=False)
    lines = portions(page.account, inner, EVERY, "", worded.checksum)
    parts = _joined(model_of(worded).model_dump_json(), lines)
    return StreamingResponse(parts, media_type="application/json", headers=_saved_as(change_id, "json"))


def _joined(head: str, found: Iterator[list[MailboxLine]]) -> Iterator[str]:
    yield head.removesuffix("}") + ',"mailboxes":['
    comma = ""
    for portion in found:
        yield comma + ",\n".join(json.dumps(as_json(line), ensure_ascii=False) for line in portion)
        comma = ",\n"
    yield "]}\n"


def _saved_as(change_id: str, ending: str) -> dict[str, str]:
    name = public_id(Prefix.CHANGE, change_of(change_id))
    return {"Content-Disposition": f'attachment; filename="{name}.{ending}"', "Cache-Control": "no-store"}
