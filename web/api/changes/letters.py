"""`/v1/changes/{id}/letters`: what to send to whom, so that the change can be applied."""

from typing import Annotated

from fastapi import Header, Query, Response

from checks.codes import Code
from checks.language import Language
from checks.model import Protocol
from settings_store.access.roles import Right
from web.access.granted import needs
from web.access.routing import router
from web.api.changes.change_document import ChangeId, asked_of
from web.documents import Document
from web.negotiation import preferred
from worker.changes.impact import Impact
from worker.letters.document import Recipient
from worker.service.account import Account

routes = router("report")


class LetterModel(Document):
    """A letter in plain text. `code`, `protocol` and `impact` say which cause it is about, null where it is all.

    `count` mailboxes are concerned. `addresses` are those of the owners whom it is to be sent to: the first 1,000; the
    mailboxes of the report have the others. `caution` is for the sender, and no part of the letter.
    """

    to: Recipient
    subject: str
    body: str
    caution: str
    code: Code | None
    protocol: Protocol | None
    impact: Impact | None
    count: int
    addresses: list[str]


class LetterList(Document):
    """The letters of a report, those to owners first."""

    items: list[LetterModel]
    next_cursor: None = None


@routes.get("/v1/changes/{change_id}/letters", operation_id="letters.list", summary="Write the letters of a report")
def list_(
    change_id: ChangeId,
    response: Response,
    account: Annotated[Account, needs(Right.READ)],
    lang: Annotated[Language | None, Query(description="The language of the letters.")] = None,
    to: Annotated[Recipient | None, Query(description="To one recipient only.")] = None,
    accept_language: Annotated[str | None, Header()] = None,
) -> LetterList:
    """What to send to the mailbox owners, the mail server's and the firewall's admins, and a text for a ticket."""
    language = lang or Language(preferred(accept_language, list(Language)) or Language.EN)
    with asked_of(account, change_id) as inner:
        found = account.letters.of_change(inner, language, to)
    response.headers.update({"Vary": "Accept-Language", "Content-Language": language})
    return LetterList(items=[LetterModel.model_validate(letter.as_json()) for letter in found])
