"""`/v1/changes` and `/v1/domains/{domain}/changes`: saved, verified, put in force, taken back."""

from typing import Annotated

from fastapi import Path, Response

from settings_store.access.roles import Right
from settings_store.changes.lifecycle import ChangeState
from web.access.granted import needs
from web.access.routing import router
from web.api.settings_document import (
    SettingsDocument,
    SettingsRequest,
    document_of,
)
from web.documents import Document, Prefix, Request, Time, inner_id, public_id
from web.events.waiting import Waiting, waiting
from web.limits.rates import expensive
from worker.service.account import Account

routes = router("changes")

DomainName = Annotated[str, Path(max_length=300, examples=["example.com"])]
ChangeId = Annotated[str, Path(max_length=100, examples=["chg_0123456789abcdef0123456789abcdef"])]


class NewChange(Request):
    """Settings to be verified. Nothing takes effect before the change is applied."""

    settings: SettingsRequest


class ChangeDocument(Document):
    """A change. `allowed_actions` are the actions that would be accepted for it now."""

    id: str
    domain: str
    state: ChangeState
    settings: SettingsDocument
    saved_at: Time
    saved_by: str
    allowed_actions: list[str]


@routes.post("/v1/domains/{domain}/changes", operation_id="changes.create", status_code=201)
@expensive
def create(
    domain: DomainName, wanted: NewChange, response: Response, account: Annotated[Account, needs(Right.CHANGE)]
) -> ChangeDocument:
    """Saves settings as a change, and begins to verify it.

    A server that does not answer is no error of this request: it is what the report will say.
    """
    saved = account.changes.save(domain, wanted.settings.settings())
    found = read(account, saved.change_id)
    response.headers["Location"] = f"/v1/changes/{found.id}"
    return found


@routes.get("/v1/changes/{change_id}", operation_id="changes.get", response_model=ChangeDocument)
async def get(
    change_id: ChangeId, account: Annotated[Account, needs(Right.READ)], waits: Annotated[Waiting, waiting()]
) -> Response:
    """One change; with `wait`, when it has ended verifying or is another than what is known of it."""
    change = inner_id(Prefix.CHANGE, change_id)
    return await waits.answer(account.events.account_id, change, lambda: read(account, change))


def read(account: Account, change_id: str) -> ChangeDocument:
    """The document of a change with our own id."""
    found = account.changes.look(change_id)
    return ChangeDocument(
        id=public_id(Prefix.CHANGE, found.id),
        domain=found.domain,
        state=found.state,
        settings=document_of(found.settings),
        saved_at=found.saved_at,
        saved_by=found.saved_by,
        allowed_actions=found.actions,
    )
