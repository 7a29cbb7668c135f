"""`/v1/pending-entries`: who wants to connect in a domain that has no settings, for whoever completes them."""

from typing import Annotated

from fastapi import Path, Query, Response

from checks.language import Language
from checks.model import Invalid
from settings_store.access.roles import Right
from web.access.granted import needs
from web.access.routing import router
from web.api.connecting.connection_document import ConnectionDocument, attempt_of, connection_document
from web.api.cursor import CURSOR, cursor_after, read_cursor
from web.api.parameters import Cursor, Lang, PageSize, number_in
from web.api.settings_document import SettingsRequest
from web.documents import Document, Prefix, Request, public_id
from web.limits.rates import expensive
from worker.service.account import Account

routes = router("connecting")

EntryId = Annotated[str, Path(max_length=100, examples=["con_0123456789abcdef0123456789abcdef"])]
OfDomain = Annotated[str | None, Query(max_length=300, description="Those of one domain.")]


class PendingPage(Document):
    """Who waits, the newest first."""

    items: list[ConnectionDocument]
    next_cursor: str | None


class Completion(Request):
    """The settings that the domain is to have; left out: those that were typed, as the entry has them."""

    settings: SettingsRequest | None = None


class Completed(Document):
    """The change that was saved: its report says who would be connected, and to apply it connects them."""

    change_id: str


@routes.get("/v1/pending-entries", operation_id="pending_entries.list", summary="List who waits for settings")
def list_(
    account: Annotated[Account, needs(Right.READ)],
    limit: PageSize = 100,
    cursor: Cursor = None,
    domain: OfDomain = None,
    lang: Lang = Language.EN,
) -> PendingPage:
    """Who wants to connect a mailbox in a domain that has no settings: who, when, what was typed, what came of it."""
    found = account.pending.page(limit + 1, _before(cursor) if cursor is not None else None, domain)
    shown, last = found[:limit], found[limit - 1] if len(found) > limit else None
    leads_on = cursor_after(repr(last.at), last.id) if last else None
    return PendingPage(items=[connection_document(each, lang) for each in shown], next_cursor=leads_on)


def _before(cursor: str) -> tuple[float, str]:
    at, entry_id = read_cursor(cursor, 2)
    if not entry_id.isalnum():
        raise Invalid("it is no cursor of this list; take `next_cursor` as it was given", CURSOR)
    return number_in(at), entry_id


@routes.get(
    "/v1/pending-entries/{pending_id}", operation_id="pending_entries.get", summary="Get one who waits for settings"
)
def get(
    pending_id: EntryId, account: Annotated[Account, needs(Right.READ)], lang: Lang = Language.EN
) -> ConnectionDocument:
    """One who waits."""
    return connection_document(account.pending.entry(attempt_of(pending_id)), lang)


@routes.post(
    "/v1/pending-entries/{pending_id}/complete",
    operation_id="pending_entries.complete",
    summary="Complete the settings that are waited for",
    status_code=201,
)
@expensive
def complete(
    pending_id: EntryId,
    response: Response,
    account: Annotated[Account, needs(Right.CHANGE)],
    wanted: Completion | None = None,
) -> Completed:
    """Saves settings for the domain as a change, and begins to verify it. All who wait in the domain come with it."""
    given = wanted.settings.settings() if wanted and wanted.settings else None
    saved = account.pending.complete(attempt_of(pending_id), given)
    change_id = public_id(Prefix.CHANGE, saved.change_id)
    response.headers["Location"] = f"/v1/changes/{change_id}"
    return Completed(change_id=change_id)


@routes.delete(
    "/v1/pending-entries/{pending_id}",
    operation_id="pending_entries.delete",
    summary="Dismiss one who waits",
    status_code=204,
)
def delete(pending_id: EntryId, account: Annotated[Account, needs(Right.CHANGE)]) -> None:
    """Dismisses one who waits; what was kept of them is gone."""
    account.pending.dismiss(attempt_of(pending_id))
