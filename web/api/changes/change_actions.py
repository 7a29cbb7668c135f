"""`/v1/changes/{id}/...`: verified again, put in force, taken back, given up, taken up again; and what became of it."""

import re
from typing import Annotated

from fastapi import Header, Query
from pydantic import Field

from checks.model import Invalid
from settings_store.access.roles import Right
from settings_store.changes.watches import Watch
from web.access.granted import needs
from web.access.routing import router
from web.api.changes.change_document import ChangeDocument, ChangeId, asked_of, document
from web.api.cursor import CURSOR, cursor_after, read_cursor
from web.documents import Document, Limit, Request, Time
from web.limits.rates import expensive
from web.problems.codes import ProblemCode
from web.problems.problem import Problem
from worker.service.account import Account

routes = router("changes")

_WEEK = 7 * 24 * 60
_IF_MATCH = "header:If-Match"
_CHECKSUM = re.compile(r'"([0-9a-f]{64})"\Z')

Editing = Annotated[Account, needs(Right.CHANGE)]
Applying = Annotated[Account, needs(Right.APPLY)]


class ApplyRequest(Request):
    """What is accepted with a change, and what happens afterwards."""

    accept_disconnects: int | None = Field(
        default=None, ge=0, strict=True, description="The number of disconnects in the report, where there are any."
    )
    roll_back_by_itself: bool = Field(
        default=False, strict=True, description="Undo the change when more fail than the report said."
    )
    watch_minutes: float | None = Field(
        default=None, ge=0, le=_WEEK, allow_inf_nan=False, description="How long mailboxes are checked; 0: not at all."
    )


class EntryDocument(Document):
    """Something that was done with a change. `before` is null for a new one."""

    at: Time
    actor: str
    source: str
    event: str
    before: str | None
    after: str | None
    detail: str


class HistoryPage(Document):
    """What was done with a change, oldest first."""

    items: list[EntryDocument]
    next_cursor: str | None


@routes.post(
    "/v1/changes/{change_id}/verify", operation_id="changes.verify", summary="Verify a change again", status_code=202
)
@expensive
def verify(change_id: ChangeId, account: Editing) -> ChangeDocument:
    """Verifies a change anew."""
    with asked_of(account, change_id) as inner:
        account.changes.verify_again(inner)
        return document(account.changes.look(inner))


@routes.post(
    "/v1/changes/{change_id}/resume",
    operation_id="changes.resume",
    summary="Verify what was left untried",
    status_code=202,
)
@expensive
def resume(change_id: ChangeId, account: Editing) -> ChangeDocument:
    """Goes on with the mailboxes that a verification has left untried."""
    with asked_of(account, change_id) as inner:
        account.changes.resume(inner)
        return document(account.changes.look(inner))


@routes.post("/v1/changes/{change_id}/cancel", operation_id="changes.cancel", summary="Cancel a verification")
def cancel(change_id: ChangeId, account: Editing) -> ChangeDocument:
    """Ends a verification under way; the change is a draft again."""
    with asked_of(account, change_id) as inner:
        account.changes.cancel(inner)
        return document(account.changes.look(inner))


@routes.post("/v1/changes/{change_id}/discard", operation_id="changes.discard", summary="Discard a change")
def discard(change_id: ChangeId, account: Editing) -> ChangeDocument:
    """Gives an unapplied change up, with the credentials that came with it."""
    with asked_of(account, change_id) as inner:
        account.changes.discard(inner)
        return document(account.changes.look(inner))


@routes.post("/v1/changes/{change_id}/reopen", operation_id="changes.reopen", summary="Reopen a change")
def reopen(change_id: ChangeId, account: Editing) -> ChangeDocument:
    """Takes a discarded or superseded change up again, as a draft."""
    with asked_of(account, change_id) as inner:
        account.changes.reopen(inner)
        return document(account.changes.look(inner))


@routes.post("/v1/changes/{change_id}/roll_back", operation_id="changes.roll_back", summary="Roll a change back")
def roll_back(change_id: ChangeId, account: Applying) -> ChangeDocument:
    """Puts the settings and credentials in force again that were before the change."""
    with asked_of(account, change_id) as inner:
        account.changes.roll_back(inner)
        return document(account.changes.look(inner))


@routes.post("/v1/changes/{change_id}/apply", operation_id="changes.apply", summary="Put a change in force")
def apply(
    change_id: ChangeId,
    account: Applying,
    wanted: ApplyRequest | None = None,
    if_match: Annotated[str | None, Header(description="The checksum of the report that was reviewed.")] = None,
) -> ChangeDocument:
    """Puts a verified change in force: all of it, or nothing."""
    asked = wanted or ApplyRequest()
    checksum, watch = _checksum(if_match), _watch(asked, account.changes.watch_minutes)
    with asked_of(account, change_id) as inner:
        account.changes.apply(inner, asked.accept_disconnects, checksum=checksum, watch=watch)
        return document(account.changes.look(inner))


def _checksum(if_match: str | None) -> str:
    """The checksum of an If-Match. Raises `Problem` without one, and `Invalid` for what is no report's."""
    if if_match is None or if_match.strip() == "*":  # any report is none that was reviewed
        detail = 'send If-Match with the checksum of the report that was reviewed: If-Match: "0a1b..."'
        raise Problem(ProblemCode.PRECONDITION_REQUIRED, detail)
    found = _CHECKSUM.match(if_match.strip())
    if found is None:
        raise Invalid("give the one checksum of the report, all 64 characters of it, in double quotes", _IF_MATCH)
    return found[1]


def _watch(wanted: ApplyRequest, usual: float) -> Watch:
    minutes = usual if wanted.watch_minutes is None else wanted.watch_minutes
    if wanted.roll_back_by_itself and not minutes > 0:
        raise Invalid("it needs a watch: give more than 0 watch_minutes", "roll_back_by_itself")
    return Watch(minutes * 60, wanted.roll_back_by_itself)


@routes.post(
    "/v1/changes/{change_id}/approve", operation_id="changes.approve", summary="Approve a change as the second person"
)
def approve(
    change_id: ChangeId,
    account: Applying,
    if_match: Annotated[str | None, Header(description="The checksum of the report that was reviewed.")] = None,
) -> ChangeDocument:
    """Approves a change, as the second person whom its domain asks for. Whoever saved it cannot, and no program can."""
    checksum = _checksum(if_match)
    with asked_of(account, change_id) as inner:
        account.changes.approve(inner, checksum)
        return document(account.changes.look(inner))


@routes.get("/v1/changes/{change_id}/history", operation_id="changes.history", summary="Get the history of a change")
def history(
    change_id: ChangeId,
    account: Annotated[Account, needs(Right.READ)],
    limit: Annotated[Limit, Query()] = 100,
    cursor: Annotated[str | None, Query()] = None,
) -> HistoryPage:
    """Who did what to a change, and when, oldest first."""
    after = _after(cursor) if cursor is not None else 0
    with asked_of(account, change_id) as inner:
        _, entries = account.changes.history(inner)
    behind = [entry for entry in entries if entry.seq > after]
    items = [
        EntryDocument(
            at=entry.at,
            actor=entry.actor.name,
            source=entry.actor.source,
            event=entry.event,
            before=entry.before,
            after=entry.after,
            detail=entry.detail,
        )
        for entry in behind[:limit]
    ]
    return HistoryPage(items=items, next_cursor=cursor_after(str(behind[limit - 1].seq)) if behind[limit:] else None)


def _after(cursor: str) -> int:
    (seq,) = read_cursor(cursor)
    if not re.fullmatch(r"[0-9]{1,18}", seq):
        raise Invalid("it is no cursor of this list; take `next_cursor` as it was given", CURSOR)
    return int(seq)
