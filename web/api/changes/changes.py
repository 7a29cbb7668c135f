"""`/v1/changes` and `/v1/domains/{domain}/changes`: saved, listed, read. What is done with one: `change_actions`."""

from typing import Annotated

from fastapi import Path, Query, Response
from fastapi import Request as HttpRequest
from pydantic import Field

from checks.model import Invalid
from settings_store.access.roles import Right
from web.access.granted import Needs, needs
from web.access.routing import router
from web.api.changes.change_document import (
    ChangeDocument,
    ChangeId,
    SavedDocument,
    asked_of,
    change_of,
    document,
    saved_document,
)
from web.api.cursor import CURSOR, cursor_after, read_cursor
from web.api.settings_document import SettingsRequest
from web.documents import Document, Limit, Request
from web.events.waiting import Waiting, waiting
from web.limits.rates import expensive
from worker.service.account import Account

routes = router("changes")

DomainName = Annotated[str, Path(max_length=300, examples=["example.com"])]
MOST_MAILBOXES = 1000


class ProposedMailbox(Request):
    """A mailbox that comes with a change. `kind` says what `password` holds, as in a file of mailboxes."""

    address: str = Field(max_length=320, examples=["ada@example.com"])
    password: str = Field(max_length=16_000, repr=False)
    username: str = Field(default="", max_length=1000)
    kind: str = Field(default="", max_length=40, examples=["password"])


class NewChange(Request):
    """Settings to be verified, and mailboxes to be tried with them. Nothing takes effect before it is applied."""

    settings: SettingsRequest
    mailboxes: list[ProposedMailbox] = Field(default=[], max_length=MOST_MAILBOXES)


class ChangePage(Document):
    """Changes, the newest first."""

    items: list[ChangeDocument]
    next_cursor: str | None


@routes.post("/v1/domains/{domain}/changes", operation_id="changes.create", summary="Save settings", status_code=201)
@expensive
def create(
    domain: DomainName,
    wanted: NewChange,
    request: HttpRequest,
    response: Response,
    account: Annotated[Account, needs(Right.CHANGE)],
) -> SavedDocument:
    """Saves settings as a change, and begins to verify it.

    A server that does not answer is no error of this request: it is what the report will say.
    """
    if wanted.mailboxes:
        Needs(Right.CREDENTIALS).caller(request)
    rows = [mailbox.model_dump() for mailbox in wanted.mailboxes] or None
    saved = account.changes.save(domain, wanted.settings.settings(), rows)
    found = saved_document(account.changes.look(saved.change_id), saved)
    response.headers["Location"] = f"/v1/changes/{found.id}"
    return found


@routes.get("/v1/domains/{domain}/changes", operation_id="changes.list", summary="List the changes of a domain")
def list_of_domain(
    domain: DomainName,
    account: Annotated[Account, needs(Right.READ)],
    limit: Annotated[Limit, Query()] = 100,
    cursor: Annotated[str | None, Query()] = None,
) -> ChangePage:
    """The changes of a domain, the newest first."""
    found = account.changes.page(domain, limit + 1, _before(cursor) if cursor is not None else None)
    shown, last = found[:limit], found[limit - 1] if len(found) > limit else None
    leads_on = cursor_after(repr(last.saved_at), last.id) if last else None
    return ChangePage(items=[document(each) for each in shown], next_cursor=leads_on)


def _before(cursor: str) -> tuple[float, str]:
    at, change_id = read_cursor(cursor, 2)
    try:
        return float(at), change_id
    except ValueError:
        raise Invalid("it is no cursor of this list; take `next_cursor` as it was given", CURSOR) from None


@routes.get(
    "/v1/changes/{change_id}",
    operation_id="changes.get",
    summary="Get a change, or wait for it",
    response_model=ChangeDocument,
)
async def get(
    change_id: ChangeId, account: Annotated[Account, needs(Right.READ)], waits: Annotated[Waiting, waiting()]
) -> Response:
    """One change; with `wait`, when it has ended verifying or is another than what is known of it."""

    def look() -> ChangeDocument:
        with asked_of(account, change_id) as inner:
            return read(account, inner)

    return await waits.answer(account.events.account_id, change_of(change_id), look)


def read(account: Account, change_id: str) -> ChangeDocument:
    """The document of a change with our own id."""
    return document(account.changes.look(change_id))
