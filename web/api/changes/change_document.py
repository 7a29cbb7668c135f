"""A change as the API gives it, and what is refused to be done with one."""

import contextlib
import re
from collections.abc import Iterator
from typing import Annotated

from fastapi import Path
from pydantic import Field

from checks.model import Unknown
from settings_store.changes.actions import Action
from settings_store.changes.changes import Saved
from settings_store.changes.lifecycle import ChangeState, Refused
from settings_store.runs.outcomes import Tally
from settings_store.runs.runs import Stage
from web.api.settings_document import SettingsDocument, document_of
from web.documents import Document, Prefix, Time, inner_id, public_id
from web.problems.refusals import of_refused
from worker.changes.impact import Safety
from worker.service.account import Account
from worker.service.changes.change_view import Approving, Looked, Watching

ChangeId = Annotated[str, Path(max_length=100, examples=["chg_0123456789abcdef0123456789abcdef"])]
_INNER = re.compile(r"[0-9a-f]{32}\Z")


class Counts(Document):
    """How many mailboxes have each impact."""

    keeps_working: int
    will_disconnect: int
    will_reconnect: int
    already_disconnected: int
    cannot_tell: int


class Progress(Document):
    """How far the verification is. `total` is 0 until it is planned; `done` are the mailboxes with a verdict."""

    stage: Stage
    done: int
    total: int
    ok: int
    fail: int
    inconclusive: int


class WatchDocument(Document):
    """The watch after applying. `until` is null once it is over; `trouble` says where more failed than the report."""

    until: Time | None
    roll_back_by_itself: bool
    rounds: int
    trouble: str


class ApprovalDocument(Document):
    """A second person's approval. `awaited`: the change cannot be applied before somebody approves its report.

    `by` and `at` are those of the newest approval, null where there is none; it counts for the report that it was given
    for, and not for another one.
    """

    awaited: bool
    by: str | None
    at: Time | None


class ChangeDocument(Document):
    """A change. `allowed_actions` are the actions that would be accepted for it now, the one that leads on first.

    They are those of whoever asks: a change that awaits approval has `approve` for the others than who saved it.
    `approval` is null where its domain asks for none.

    `run_id`, `progress` and `report` are those of its newest verification; `checksum` is what to apply it takes.
    """

    id: str
    domain: str
    state: ChangeState
    settings: SettingsDocument
    saved_at: Time
    saved_by: str
    applied_at: Time | None
    allowed_actions: list[Action]
    run_id: str | None
    progress: Progress | None
    reported_at: Time | None
    verdict: Safety | None = Field(description="null until there is a report")
    counts: Counts | None
    checksum: str | None
    watch: WatchDocument | None
    approval: ApprovalDocument | None


class SupersededDocument(Document):
    """An unapplied change that a newer one replaces. `reopen` brings it back."""

    id: str
    saved_by: str


class ProposedDocument(Document):
    """The mailboxes that came with a change: new ones, those with another login than is stored, and the same."""

    added: int
    updated: int
    unchanged: int


class SavedDocument(ChangeDocument):
    """A change that was just saved, with what the save has told.

    `concerned_mailboxes`: so many the domain has, and each of them gets the settings once the change is applied.
    """

    superseded: SupersededDocument | None
    proposed: ProposedDocument | None
    concerned_mailboxes: int


def change_of(given: str) -> str:
    """Our own id of a change's. Raises `Unknown`."""
    inner = inner_id(Prefix.CHANGE, given)
    if not _INNER.match(inner):
        raise Unknown(f"there is no change {given!r}", "change_id")
    return inner


@contextlib.contextmanager
def asked_of(account: Account, given: str) -> Iterator[str]:
    """Our own id of the change that is asked for. What is refused meanwhile is told with what is possible instead."""
    change_id = change_of(given)
    try:
        yield change_id
    except Refused as refused:
        raise of_refused(refused, account.changes.look(change_id).actions) from None
    except Unknown as unknown:
        if unknown.field != "change_id":
            raise
        raise Unknown(f"there is no change {given!r}", "change_id") from None


def document(found: Looked) -> ChangeDocument:
    """The document of a change."""
    return ChangeDocument(
        id=public_id(Prefix.CHANGE, found.id),
        domain=found.domain,
        state=found.state,
        settings=document_of(found.settings),
        saved_at=found.saved_at,
        saved_by=found.saved_by,
        applied_at=found.applied_at,
        allowed_actions=found.actions,
        run_id=public_id(Prefix.RUN, found.run_id) if found.run_id else None,
        progress=_progress(found.progress) if found.progress else None,
        reported_at=found.reported_at,
        verdict=found.verdict,
        counts=Counts(**found.counts) if found.counts else None,
        checksum=found.checksum,
        watch=_watch(found.watch) if found.watch else None,
        approval=_approval(found.approval) if found.approval else None,
    )


def saved_document(found: Looked, saved: Saved) -> SavedDocument:
    """The document of a change that was just saved."""
    superseded, proposed = None, None
    if saved.superseded is not None:
        by = saved.superseded_by.name if saved.superseded_by else ""
        superseded = SupersededDocument(id=public_id(Prefix.CHANGE, saved.superseded), saved_by=by)
    if (counts := saved.proposed) is not None:
        proposed = ProposedDocument(added=counts.added, updated=counts.updated, unchanged=counts.unchanged)
    concerned = saved.concerned or 0
    known = dict(document(found))
    return SavedDocument(**known, superseded=superseded, proposed=proposed, concerned_mailboxes=concerned)


def _progress(tally: Tally) -> Progress:
    done = tally.ok + tally.fail + tally.inconclusive
    verdicts = {"ok": tally.ok, "fail": tally.fail, "inconclusive": tally.inconclusive}
    return Progress(stage=tally.stage, done=done, total=tally.total, **verdicts)


def _approval(approval: Approving) -> ApprovalDocument:
    return ApprovalDocument(awaited=approval.awaited, by=approval.by, at=approval.at)


def _watch(watch: Watching) -> WatchDocument:
    return WatchDocument(
        until=watch.until,
        roll_back_by_itself=watch.roll_back_by_itself,
        rounds=watch.rounds,
        trouble=watch.trouble,
    )
