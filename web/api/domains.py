"""`/v1/domains`: what is known of an account's domains. Their settings take effect by a change, and in no other way."""

from typing import Annotated, Literal

from fastapi import Query, Response
from pydantic import Field

from checks.model import Invalid, MailboxState
from checks.settings import normalise_domain
from settings_store.access.roles import Right
from settings_store.domains import DomainSummary
from settings_store.removal import Ends
from web.access.granted import needs
from web.access.routing import router
from web.api.cursor import cursor_after, read_cursor
from web.api.domain_name import DomainName
from web.api.settings_document import SettingsDocument, document_of
from web.documents import Document, Limit, Request, Time
from web.problems.codes import ProblemCode
from web.problems.problem import FieldProblem, Problem
from worker.service.account import Account

routes = router("domains")

Reader = Annotated[Account, needs(Right.READ)]
Editor = Annotated[Account, needs(Right.CHANGE)]
Admin = Annotated[Account, needs(Right.ADMIN)]
Confirm = Annotated[str, Query(max_length=300, description="The name of the domain once more.")]


class MailboxCounts(Document):
    """Mailboxes by their last known state."""

    total: int
    connected: int
    disconnected: int
    unknown: int


class DomainLinks(Document):
    """Where the rest of a domain is."""

    self: str
    mailboxes: str
    changes: str
    health: str


class DomainDocument(Document):
    """A domain. `settings` are those in force, null before the first change was applied.

    `paused_since`: nobody watches it from then on, null where somebody does. `pending_entries`: so many members wait
    for its settings. `needs_approval`: a change of it is applied after a second person has approved it.
    """

    name: str
    kind: Literal["imap", "exchange"] | None
    settings: SettingsDocument | None
    mailboxes: MailboxCounts
    paused_since: Time | None
    pending_entries: int
    needs_approval: bool
    links: DomainLinks


class DomainList(Document):
    """A page of domains, by name."""

    items: list[DomainDocument]
    next_cursor: str | None


class NewDomain(Request):
    """Nothing: a domain has a name, and its settings come with a change."""


class ApprovalRequest(Request):
    """Whether changes of the domain need a second person's approval."""

    needed: bool = Field(strict=True)


class EndsDocument(Document):
    """What ends with a domain."""

    name: str
    settings_in_force: bool
    mailboxes: int
    changes: int
    verifications_under_way: int
    open_incidents: int
    alert_channels: int
    members: int
    webhook_endpoints: int


@routes.get("/v1/domains", operation_id="domains.list", summary="List domains")
def list_(account: Reader, limit: Annotated[Limit, Query()] = 100, cursor: str | None = None) -> DomainList:
    """The domains, by name, with their settings in force and their mailboxes counted."""
    after = read_cursor(cursor)[0] if cursor is not None else ""
    found = account.domains.page(after, limit + 1)
    more = cursor_after(found[limit - 1].name) if len(found) > limit else None
    return DomainList(items=[_document(domain) for domain in found[:limit]], next_cursor=more)


@routes.get("/v1/domains/{domain}", operation_id="domains.get", summary="Get a domain")
def get(domain: DomainName, account: Reader) -> DomainDocument:
    """One domain."""
    return _document(account.domains.summary(domain))


@routes.put(
    "/v1/domains/{domain}",
    operation_id="domains.put",
    summary="Make a domain known",
    responses={201: {"model": DomainDocument, "description": "The domain is new."}},
)
def put(
    domain: DomainName,
    response: Response,
    account: Editor,
    wanted: NewDomain | None = None,  # noqa: ARG001 -- nothing to be had from it; what is in it is refused
) -> DomainDocument:
    """Makes a domain known: 201 where it is new, 200 where it was known. Its settings come with a change."""
    if account.domains.make_known(domain):
        response.status_code = 201
        response.headers["Location"] = f"/v1/domains/{domain}"
    return _document(account.domains.summary(domain))


@routes.delete("/v1/domains/{domain}", operation_id="domains.delete", summary="Remove a domain")
def delete(domain: DomainName, account: Admin, confirm: Confirm = "") -> EndsDocument:
    """Removes a domain with all there is of it, and says what that was. Nothing brings it back.

    Without `confirm`, nothing is removed, and the problem says in `ends` what would be.
    """
    if not _names(confirm, domain):
        raise _unconfirmed(account.domains.what_ends(domain))
    return _ends(account.domains.remove(domain))


@routes.put(
    "/v1/domains/{domain}/approval", operation_id="domains.set_approval", summary="Ask for a second person's approval"
)
def set_approval(domain: DomainName, wanted: ApprovalRequest, account: Admin) -> DomainDocument:
    """Has every change of the domain approved by a second person before it is applied, or not any more."""
    account.domains.set_approval(domain, needed=wanted.needed)
    return _document(account.domains.summary(domain))


@routes.post("/v1/domains/{domain}/pause", operation_id="domains.pause", summary="Pause a domain")
def pause(domain: DomainName, account: Editor) -> DomainDocument:
    """Stops watching the domain until it is resumed; its incidents end. Once more, it changes nothing."""
    account.maintenance.pause(domain)
    return _document(account.domains.summary(domain))


@routes.post("/v1/domains/{domain}/resume", operation_id="domains.resume", summary="Resume a domain")
def resume(domain: DomainName, account: Editor) -> DomainDocument:
    """Watches the domain again. Once more, it changes nothing."""
    account.maintenance.resume(domain)
    return _document(account.domains.summary(domain))


def _names(confirm: str, domain: str) -> bool:
    try:
        return normalise_domain(confirm) == domain
    except Invalid:
        return False


def _unconfirmed(ends: Ends) -> Problem:
    detail = f"this cannot be undone; send it with ?confirm={ends.name} to remove the domain and all that `ends` names"
    errors = [FieldProblem(pointer="query:confirm", code="confirmation_required", detail=detail)]
    extensions = {"ends": _ends(ends).model_dump(mode="json")}
    return Problem(ProblemCode.INVALID_REQUEST, detail, errors=errors, extensions=extensions)


def _ends(ends: Ends) -> EndsDocument:
    return EndsDocument(
        name=ends.name,
        settings_in_force=ends.in_force,
        mailboxes=ends.mailboxes,
        changes=ends.changes,
        verifications_under_way=ends.verifying,
        open_incidents=ends.incidents,
        alert_channels=ends.channels,
        members=ends.members,
        webhook_endpoints=ends.webhooks,
    )


def _document(domain: DomainSummary) -> DomainDocument:
    here, counts = f"/v1/domains/{domain.name}", {state.value: domain.mailboxes[state] for state in MailboxState}
    return DomainDocument(
        name=domain.name,
        kind=domain.kind,
        settings=document_of(domain.settings) if domain.settings else None,
        mailboxes=MailboxCounts(total=sum(counts.values()), **counts),
        paused_since=domain.paused_at,
        pending_entries=domain.waiting,
        needs_approval=domain.needs_approval,
        links=DomainLinks(self=here, mailboxes=f"{here}/mailboxes", changes=f"{here}/changes", health=f"{here}/health"),
    )
