"""`/v1/domains/{domain}/mailboxes`: listed and taken out. Credentials go in by `mailbox_upsert`, and never come out."""

from typing import Annotated

from fastapi import Path, Query
from pydantic import Field

from checks.codes import Code
from checks.model import CredentialKind, MailboxState, Unknown
from settings_store.access.roles import Right
from settings_store.mailboxes.listing import Filter, Stored
from web.access.granted import needs
from web.access.routing import router
from web.api.cursor import cursor_after, read_cursor
from web.api.domain_name import DomainName
from web.documents import Document, Limit, Request, Time
from web.problems.codes import ProblemCode
from web.problems.problem import FieldProblem, Problem
from worker.service.account import Account

routes = router("mailboxes")

Reader = Annotated[Account, needs(Right.READ)]
Writer = Annotated[Account, needs(Right.CREDENTIALS)]
Address = Annotated[str, Path(max_length=400, examples=["ada@example.com"])]
Text = Annotated[str, Query(max_length=320, description="A part of the address or of the user name, in any case.")]
_MOST_REMOVED = 10_000


class MailboxDocument(Document):
    """A mailbox as it is known. `credential` is the kind of what is stored to log in with, null where nothing is.

    `code` is the cause of its state, null where none is known; `since` is when that state began.
    """

    address: str
    username: str
    credential: CredentialKind | None
    state: MailboxState
    code: str | None
    since: Time | None


class MailboxList(Document):
    """A page of mailboxes, by address."""

    items: list[MailboxDocument]
    next_cursor: str | None


class Removal(Request):
    """Which mailboxes are taken out of the domain."""

    addresses: list[Annotated[str, Field(max_length=400)]] = Field(min_length=1, max_length=_MOST_REMOVED)


class Removed(Document):
    """How many mailboxes were taken out, with their credentials."""

    removed: int


class Forgotten(Document):
    """How many rejections were forgotten."""

    forgotten: int


@routes.get("/v1/domains/{domain}/mailboxes", operation_id="mailboxes.list", summary="List mailboxes")
def list_(
    domain: DomainName,
    account: Reader,
    state: MailboxState | None = None,
    code: Code | None = None,
    text: Text = "",
    limit: Annotated[Limit, Query()] = 100,
    cursor: str | None = None,
) -> MailboxList:
    """The domain's mailboxes and how they are, by address."""
    after = read_cursor(cursor)[0] if cursor is not None else ""
    found = account.mailboxes.page(domain, Filter(state, code.value if code else None, text), after, limit + 1)
    more = cursor_after(found[limit - 1].address) if len(found) > limit else None
    return MailboxList(items=[_document(box) for box in found[:limit]], next_cursor=more)


@routes.post("/v1/domains/{domain}/mailboxes/remove", operation_id="mailboxes.remove", summary="Remove mailboxes")
def remove(domain: DomainName, wanted: Removal, account: Writer) -> Removed:
    """Takes mailboxes out of the domain, with their credentials: all of them, or none where one is not known.

    No DELETE with a body: what that means is not defined (RFC 9110, section 9.3.5), and proxies drop it.
    """
    try:
        return Removed(removed=account.mailboxes.remove(domain, wanted.addresses))
    except Unknown as error:
        if error.field != "address":
            raise
        errors = [FieldProblem(pointer="/addresses", code="unknown", detail=str(error))]
        raise Problem(ProblemCode.INVALID_REQUEST, str(error), errors=errors) from None


@routes.post(
    "/v1/domains/{domain}/mailboxes/retry", operation_id="mailboxes.retry", summary="Try rejected credentials again"
)
def retry(domain: DomainName, account: Writer) -> Forgotten:
    """Lets credentials be tried again that a server has rejected, for when the server was at fault.

    Normally they are sent again only after another password has come, or after a while.
    """
    return Forgotten(forgotten=account.mailboxes.forget_rejections(domain))


# An address may have a slash, so these two come last.


@routes.get("/v1/domains/{domain}/mailboxes/{address:path}", operation_id="mailboxes.get", summary="Get a mailbox")
def get(domain: DomainName, address: Address, account: Reader) -> MailboxDocument:
    """One mailbox."""
    return _document(account.mailboxes.look(domain, address))


@routes.delete(
    "/v1/domains/{domain}/mailboxes/{address:path}", operation_id="mailboxes.delete", summary="Remove a mailbox"
)
def delete(domain: DomainName, address: Address, account: Writer) -> Removed:
    """Takes one mailbox out of the domain, with its credential."""
    return Removed(removed=account.mailboxes.remove(domain, [address]))


def _document(box: Stored) -> MailboxDocument:
    return MailboxDocument(
        address=box.address,
        username=box.username,
        credential=box.credential_kind,
        state=box.state,
        code=box.code,
        since=box.state_since,
    )
