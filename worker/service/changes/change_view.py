"""A change as it is now, for whoever shows it: what was saved, how far its run and its watch are, what can be done."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from checks.codes import Verdict
from checks.document import EndpointDocument
from checks.language import Language
from checks.messages.endpoints import endpoint_document
from checks.model import Option
from checks.settings import Settings
from settings_store import audit, domains
from settings_store.actors import Actor
from settings_store.changes import actions, approval, watches
from settings_store.changes.actions import Action
from settings_store.changes.applying import Step
from settings_store.changes.changes import Change
from settings_store.changes.lifecycle import ChangeState
from settings_store.runs import endpoints, outcomes, runs
from settings_store.runs.outcomes import Tally
from settings_store.runs.runs import Run
from worker.changes.impact import Safety, safety_of
from worker.runs.endpoints import results_of

if TYPE_CHECKING:
    from worker.events.following import Now

WATCHED = (ChangeState.APPLIED, ChangeState.ROLLED_BACK)


@dataclass(frozen=True, slots=True)
class Watching:
    """The watch after applying. `until` is None once nobody is to watch any more (UTC seconds since 1970)."""

    until: float | None
    roll_back_by_itself: bool
    rounds: int
    trouble: str


@dataclass(frozen=True, slots=True)
class Approving:
    """A second person's approval. `awaited`: the change cannot be applied before there is one of its report.

    `by` is the name of who gave the newest, and `at` when (UTC seconds since 1970), None where nobody has; it counts no
    more where it is awaited all the same, for another report has come.
    """

    awaited: bool
    by: str | None
    at: float | None


@dataclass(frozen=True, slots=True)
class Looked:
    """A change as it is now. `actions` are those that would be accepted for it from whoever looks.

    `base` are the settings that were in force when it was verified, None where none were. `run_id` is that of its
    newest verification. `counts`, `verdict` and `checksum` are those of its report, None where there is none, and
    `watch` None where it was never to be watched. `approval` is None where its domain asks for none and nobody has
    given one.
    """

    id: str
    domain: str
    state: ChangeState
    settings: Settings
    base: Settings | None
    saved_at: float
    saved_by: str
    applied_at: float | None
    run_id: str | None
    progress: Tally | None
    reported_at: float | None
    counts: Mapping[str, int] | None
    verdict: Safety | None
    checksum: str | None
    watch: Watching | None
    approval: Approving | None
    actions: list[Action]


@dataclass(frozen=True, slots=True)
class Live:
    """A change and how far its newest verification is. `endpoints` are those whose check has come to something.

    `now` has the mailboxes counted by impact so far; `begun_at` is when the verification was asked for.
    """

    change: Looked
    endpoints: tuple[EndpointDocument, ...]
    now: "Now"
    begun_at: float | None


def endpoints_of(
    conn: Connection, run: Run | None, language: Language, *, ticked: bool
) -> tuple[EndpointDocument, ...]:
    """What the endpoints of a run have come to so far, in words."""
    if run is None:
        return ()
    results = results_of(endpoints.documents(conn, run.id, runs.CANDIDATE))
    elsewhere = any(result.option is Option.NEEDED for result in results)
    return tuple(endpoint_document(result, language, ticked=ticked, elsewhere=elsewhere) for result in results)


def looked_at(
    conn: Connection, change: Change, now: float, max_age: float, actor: Actor, step: Step | None = None
) -> Looked:
    """A change at `now`, as `actor` sees it; its report may be acted upon for `max_age` seconds.

    `step`: what is next, where known.
    """
    first = next(audit.of_change(conn, change.id), None)
    run = runs.of_change(conn, change.id)
    return Looked(
        id=change.id,
        domain=change.domain,
        state=change.state,
        settings=domains.load_settings(conn, change.settings_id),
        base=domains.load_settings(conn, change.base_settings_id) if change.base_settings_id is not None else None,
        saved_at=change.created_at,
        saved_by=first.actor.name if first else "",
        applied_at=change.applied_at,
        run_id=run.id if run else None,
        progress=outcomes.tally(conn, run.id) if run else None,
        reported_at=run.finished_at if run and run.counts else None,
        counts=run.counts if run else None,
        verdict=_verdict(conn, run),
        checksum=run.checksum if run else None,
        watch=_watch(conn, change),
        approval=_approval(conn, change, run),
        actions=actions.allowed(conn, change, now, max_age, actor, step),
    )


def _approval(conn: Connection, change: Change, run: Run | None) -> Approving | None:
    if change.approved_at is None and not approval.is_needed(conn, change.domain_id):
        return None
    awaited = run is not None and run.counts is not None and approval.awaited(conn, change, run)
    return Approving(awaited, change.approved_name, change.approved_at)


def _verdict(conn: Connection, run: Run | None) -> Safety | None:
    if run is None or run.counts is None:
        return None
    found = endpoints.documents(conn, run.id, runs.CANDIDATE).values()
    return safety_of(run.counts, [Verdict(document["verdict"]) for document in found])


def _watch(conn: Connection, change: Change) -> Watching | None:
    if change.state not in WATCHED:
        return None
    rounds = len(watches.ended_rounds(conn, change.id))
    until = change.watch_until if watches.goes_on(conn, change.id) else None
    if until is None and not rounds:
        return None
    return Watching(until, change.roll_back_by_itself, rounds, watches.trouble(conn, change.id))
