"""`/admin/domains/{domain}/mailboxes`: listed, imported, taken out. Nobody reads a credential."""

import io
from typing import Annotated

from starlette.responses import Response

from checks.codes import Code
from checks.messages import wording
from checks.model import Invalid, MailboxState
from settings_store.access.roles import Right
from settings_store.mailboxes.listing import Filter
from web.pages.frame.environment import at
from web.pages.frame.forms import Form, form
from web.pages.frame.page import Page
from web.pages.frame.routing import page_for, page_router
from web.pages.frame.validation import at_fields
from worker.service.mailboxes import Form as Written

routes = page_router()

PAGE = 100
_LONGEST = 320


@routes.get("/admin/domains/{domain}/mailboxes")
def show(
    page: Annotated[Page, page_for(Right.READ)], domain: str, state: str = "", text: str = "", after: str = ""
) -> Response:
    """A page of the list, by address."""
    return _shown(page, domain, state, text.strip()[:_LONGEST], after[:_LONGEST])


@routes.post("/admin/domains/{domain}/mailboxes")
def import_file(
    page: Annotated[Page, page_for(Right.CREDENTIALS)], domain: str, sent: Annotated[Form, form()]
) -> Response:
    """Takes mailboxes of a CSV file, or of what was pasted: all of them, or none."""
    errors: dict[str, str] = {}
    with at_fields(page, errors):
        content = sent.files.get("file") or sent["rows"].encode()
        if not content:
            raise Invalid(page.t("frame.error.missing"), "rows")
        counts = page.account.mailboxes.import_rows(domain, io.BytesIO(content), Written.CSV)
        told = {"added": counts.added, "updated": counts.updated, "unchanged": counts.unchanged}
        return _shown(page, domain, said=page.t("mailboxes.imported", **told))
    return _shown(page, domain, error=next(iter(errors.values())), status=422)


@routes.post("/admin/domains/{domain}/mailboxes/remove")
def remove(page: Annotated[Page, page_for(Right.CREDENTIALS)], domain: str, sent: Annotated[Form, form()]) -> Response:
    """Takes the ticked mailboxes out, with their credentials."""
    if addresses := sent.all("address"):
        page.account.mailboxes.remove(domain, addresses)
    return page.go(at("domains", domain, "mailboxes"), "mailboxes.said.removed" if addresses else "")


@routes.post("/admin/domains/{domain}/mailboxes/retry")
def retry(page: Annotated[Page, page_for(Right.CREDENTIALS)], domain: str) -> Response:
    """Lets credentials be tried again that a server has rejected."""
    page.account.mailboxes.forget_rejections(domain)
    return page.go(at("domains", domain, "mailboxes"), "mailboxes.said.retry")


def _shown(
    page: Page,
    domain: str,
    state: str = "",
    text: str = "",
    after: str = "",
    *,
    said: str = "",
    error: str = "",
    status: int = 200,
) -> Response:
    summary = page.account.domains.summary(domain)
    wanted = Filter(MailboxState(state) if state in set(MailboxState) else None, None, text)
    found = page.account.mailboxes.page(domain, wanted, after, PAGE + 1)
    more = {"said": said} if said else {}
    return page.show(
        "mailboxes/list.html",
        status,
        domain=summary.name,
        counts=summary.mailboxes,
        rows=[(row, wording(Code(row.code), {}, page.language).sentence if row.code else "") for row in found[:PAGE]],
        goes_on=found[PAGE - 1].address if len(found) > PAGE else "",
        state_wanted=state,
        text=text,
        after=after,
        error=error,
        **more,
    )
