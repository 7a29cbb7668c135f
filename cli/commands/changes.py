"""The commands for a change: put it in force, take it back, give it up, take it up again, and what became of it."""

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from checks.language import Language
from checks.model import Invalid
from cli.account import open_account
from cli.commands.verification import follow, tell
from cli.failures import Status, complain, inform
from cli.naming import as_typed
from cli.options import ChangeId, Domain, Json
from cli.wording import phrase

if TYPE_CHECKING:
    from settings_store.audit import Actor, Entry
    from settings_store.changes.changes import Change
    from settings_store.changes.watches import Watch
    from settings_store.events.kinds import Event
    from worker.service.account import Account
    from worker.service.changes import Listed


_WEEK = 7 * 24 * 60


def apply(
    context: typer.Context,
    change_id: ChangeId,
    accept_disconnects: Annotated[
        int | None,
        typer.Option(metavar="N", min=0, help="The number of disconnects in the report, accepted."),
    ] = None,
    checksum: Annotated[
        str | None, typer.Option(metavar="SHA", help="The checksum of the reviewed report, or its first 8 or more.")
    ] = None,
    watch_minutes: Annotated[
        float | None,
        typer.Option(metavar="N", min=0, max=_WEEK, help="How long to check the mailboxes again; 0: not at all."),
    ] = None,
    roll_back_by_itself: Annotated[
        bool, typer.Option("--roll-back-by-itself", help="Undo the change when more fail than the report said.")
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Stay until the watch is over, and be who watches where nobody is.")
    ] = False,
) -> int:
    """Puts a verified change in force.

    Refused when its report is stale or another than the reviewed one, or names disconnects and that very number is not
    accepted. Afterwards the mailboxes are watched, by whatever runs as `serve` or `beat` and workers, or by --watch.
    Exit status with --watch: as of `watch`.
    """
    language: Language = context.obj
    with open_account() as account:
        minutes = account.changes.watch_minutes if watch_minutes is None else watch_minutes
        chosen = _watch(minutes, roll_back_by_itself)
        if watch and not minutes > 0:
            raise Invalid("--watch needs a watch: leave --watch-minutes out or give more than 0", "watch")
        applied = account.changes.apply(change_id, accept_disconnects, checksum=checksum, watch=chosen)
        _echo(language, "applied", domain=applied.domain, count=applied.will_disconnect)
        if minutes > 0:
            _say_watched(account, change_id, minutes, language, undone=roll_back_by_itself, here=watch)
        _echo(language, "applied.undo", id=change_id)
        return look_on(account, change_id, language) if watch else Status.SAFE


def _say_watched(
    account: "Account", change_id: str, minutes: float, language: Language, *, undone: bool, here: bool
) -> None:
    """What will be watched, or that nobody does and how somebody will."""
    what = phrase(language, "applied.watched.undone" if undone else "applied.watched.noted")
    if here or account.watches.anybody():
        _echo(language, "applied.watched", minutes=f"{minutes:g}", what=what)
    else:
        _echo(language, "applied.unwatched", what=what, id=change_id)


def watch(context: typer.Context, change_id: ChangeId) -> int:
    """Shows the watch after a change was applied, until it is over; watches itself where nobody does.

    Exit status: 0 all went well, 1 more failed than the report said, 3 it was not to be watched.
    """
    with open_account() as account:
        return look_on(account, change_id, context.obj)


def look_on(account: "Account", change_id: str, language: Language) -> int:
    """Follows a watch to its end, and be the one who watches meanwhile where nobody is."""
    from cli.console import open_console
    from cli.reports.watch import render_watch

    try:
        with account.watches.watching():
            last = render_watch(account.watches.follow(change_id), open_console(), language)
    except KeyboardInterrupt:
        complain(phrase(language, "watch.left", id=change_id))
        raise typer.Exit(Status.INTERRUPTED) from None
    if last.never:
        return Status.CANNOT_TELL
    return Status.UNSAFE if last.rolled_back or last.trouble else Status.SAFE


def _echo(language: Language, key: str, **values: object) -> None:
    typer.echo(as_typed(phrase(language, key, **values)))


def _watch(minutes: float, roll_back_by_itself: bool) -> "Watch":
    from settings_store.changes.watches import Watch

    if roll_back_by_itself and not minutes > 0:
        raise Invalid("--roll-back-by-itself needs a watch: leave --watch-minutes out or give more than 0", "watch")
    return Watch(minutes * 60, roll_back_by_itself)


def rollback(change_id: ChangeId) -> None:
    """Puts the settings and credentials in force again that were before a change."""
    with open_account() as account:
        change = account.changes.roll_back(change_id)
    inform(f"Rolled back: {change.domain} has the settings and credentials again that it had before.")


def discard(change_id: ChangeId) -> None:
    """Gives a change up that was not applied; `reopen` brings its settings back, but not its credentials."""
    with open_account() as account:
        account.changes.discard(change_id)
    inform(f"Discarded, and the credentials it came with. To take it up again: mail-preflight reopen {change_id}")


def cancel(change_id: ChangeId) -> None:
    """Ends a verification under way; the change stays a draft."""
    with open_account() as account:
        account.changes.cancel(change_id)
    inform(f"Cancelled. To verify it: mail-preflight again {change_id}")


def reopen(change_id: ChangeId) -> None:
    """Takes a discarded or superseded change up again."""
    with open_account() as account:
        account.changes.reopen(change_id)
    inform(f"A draft again. To verify it: mail-preflight again {change_id}")


def again(context: typer.Context, change_id: ChangeId, as_json: Json = False) -> int:
    """Verifies a change anew.

    Exit status as of `verify`.
    """
    with open_account() as account:
        with account.runs.working():
            follow(account.runs, account.changes.verify_again(change_id), context.obj)
        return tell(account.changes.report(change_id, context.obj), as_json=as_json)


def resume(context: typer.Context, change_id: ChangeId, as_json: Json = False) -> int:
    """Goes on with a verification that was interrupted, or with the mailboxes that it left untried.

    Exit status as of `verify`.
    """
    with open_account() as account:
        with account.runs.working():
            follow(account.runs, account.changes.resume(change_id), context.obj)
        return tell(account.changes.report(change_id, context.obj), as_json=as_json)


def changes(context: typer.Context, domain: Domain, as_json: Json = False) -> None:
    """Lists a domain's changes, the newest first, and what can be done with each."""
    with open_account() as account:
        known = account.changes.of_domain(domain)
    if as_json:
        from cli.reports.json_documents import write_document

        write_document([_listed_document(change) for change in known], sys.stdout)
        return
    from cli.console import open_console
    from cli.reports.change_list import render_changes

    render_changes(known, open_console(), context.obj)


def _listed_document(change: "Listed") -> dict[str, object]:
    return {
        "change_id": change.id,
        "state": change.state,
        "saved_at": _moment(change.saved_at),
        "saved_by": change.saved_by,
        "endpoints": [str(endpoint) for endpoint in change.settings.endpoints],
        "commands": [as_typed(way) for way in change.ways],
    }


def history(
    change_id: Annotated[str, typer.Argument(metavar="CHANGE_ID|DOMAIN", help="A change, or a domain with all of it.")],
    as_json: Json = False,
) -> None:
    """Says who did what to a change, or to a domain, and when."""
    if "." in change_id:
        _history_of_domain(change_id, as_json)
        return
    with open_account() as account:
        change, entries = account.changes.history(change_id)
    if as_json:
        from cli.reports.json_documents import write_document

        write_document(_document(change, entries), sys.stdout)
        return
    from cli.console import clean

    typer.echo(f"{change.id} of {change.domain}: {change.state}")
    for entry in entries:
        typer.echo(clean(_line(entry)))


def _history_of_domain(domain: str, as_json: bool) -> None:
    with open_account() as account:
        events = account.domains.history(domain)
    if as_json:
        from cli.reports.json_documents import write_document

        write_document([_event_document(event) for event in events], sys.stdout)
        return
    from cli.console import clean

    for event in events:
        typer.echo(clean(_event_line(event)))


def _event_document(event: "Event") -> dict[str, object]:
    actor = {"actor": event.actor.name, "source": event.actor.source}
    return {"at": _moment(event.at), **actor, "kind": event.kind, "subject": event.subject, **event.payload}


def _event_line(event: "Event") -> str:
    known = (f"{name} {_said(value)}" for name, value in event.payload.items() if value not in (None, "", 0, [], {}))
    return f"{_moment(event.at)}  {_who(event.actor)}: {event.kind} {event.subject} ({', '.join(known)})"


def _said(value: object) -> str:
    if isinstance(value, dict):
        return " ".join(f"{name}={count}" for name, count in value.items() if count)
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _document(change: "Change", entries: "list[Entry]") -> dict[str, object]:
    return {
        "change_id": change.id,
        "domain": change.domain,
        "state": change.state,
        "history": [
            {
                "at": _moment(entry.at),
                "actor": entry.actor.name,
                "source": entry.actor.source,
                "event": entry.event,
                "before": entry.before,
                "after": entry.after,
                "detail": entry.detail,
            }
            for entry in entries
        ],
    }


def _line(entry: "Entry") -> str:
    states = f"{entry.before or 'new'} -> {entry.after}"
    detail = f"; {entry.detail}" if entry.detail else ""
    return f"{_moment(entry.at)}  {_who(entry.actor)}: {entry.event} ({states}){detail}"


def _who(actor: "Actor") -> str:
    return f"{actor.name} ({actor.source})" if actor.source else actor.name


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
