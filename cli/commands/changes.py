"""The commands for a change: put it in force, take it back, give it up, take it up again, and what became of it."""

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from cli.account import open_account
from cli.commands.verification import follow, tell
from cli.options import ChangeId, Domain, Json

if TYPE_CHECKING:
    from settings_store.audit import Entry
    from settings_store.changes.changes import Change
    from settings_store.changes.watches import Watch


_WEEK = 7 * 24 * 60


def apply(
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
) -> None:
    """Puts a verified change in force.

    Refused when its report is stale or another than the reviewed one, or names disconnects and that very number is not
    accepted. Afterwards the mailboxes are watched, by whatever runs as `serve` or `beat` and workers.
    """
    with open_account() as account:
        minutes = account.changes.watch_minutes if watch_minutes is None else watch_minutes
        watch = _watch(minutes, roll_back_by_itself)
        applied = account.changes.apply(change_id, accept_disconnects, checksum=checksum, watch=watch)
    typer.echo(f"Applied to {applied.domain}; {applied.will_disconnect} mailboxes will disconnect.")
    if watch.seconds > 0:
        what = "undone by itself" if roll_back_by_itself else "noted in its history, and the admins are alerted"
        typer.echo(f"Watched for {minutes:g} minutes; if more fail than the report said, that is {what}.")
    typer.echo(f"To undo it: mail-preflight rollback {change_id}")


def _watch(minutes: float, roll_back_by_itself: bool) -> "Watch":
    from checks.model import Invalid
    from settings_store.changes.watches import Watch

    if roll_back_by_itself and not minutes > 0:
        raise Invalid("--roll-back-by-itself needs a watch: leave --watch-minutes out or give more than 0", "watch")
    return Watch(minutes * 60, roll_back_by_itself)


def rollback(change_id: ChangeId) -> None:
    """Puts the settings and credentials in force again that were before a change."""
    with open_account() as account:
        change = account.changes.roll_back(change_id)
    typer.echo(f"Rolled back: {change.domain} has the settings and credentials again that it had before.")


def discard(change_id: ChangeId) -> None:
    """Gives a change up that was not applied; `reopen` brings its settings back, but not its credentials."""
    with open_account() as account:
        account.changes.discard(change_id)
    typer.echo(f"Discarded, and the credentials it came with. To take it up again: mail-preflight reopen {change_id}")


def cancel(change_id: ChangeId) -> None:
    """Ends a verification under way; the change stays a draft."""
    with open_account() as account:
        account.changes.cancel(change_id)
    typer.echo(f"Cancelled. To verify it: mail-preflight again {change_id}")


def reopen(change_id: ChangeId) -> None:
    """Takes a discarded or superseded change up again."""
    with open_account() as account:
        account.changes.reopen(change_id)
    typer.echo(f"A draft again. To verify it: mail-preflight again {change_id}")


def again(context: typer.Context, change_id: ChangeId, as_json: Json = False) -> int:
    """Verifies a change anew.

    Exit status as of `verify`.
    """
    with open_account() as account:
        with account.runs.working():
            follow(account.runs, account.changes.verify_again(change_id), context.obj)
        return tell(account.changes.report(change_id, context.obj), as_json=as_json)


def resume(context: typer.Context, change_id: ChangeId, as_json: Json = False) -> int:
    """Goes on with the mailboxes that a verification left untried.

    Exit status as of `verify`.
    """
    with open_account() as account:
        with account.runs.working():
            follow(account.runs, account.changes.resume(change_id), context.obj)
        return tell(account.changes.report(change_id, context.obj), as_json=as_json)


def history(change_id: ChangeId, as_json: Json = False) -> None:
    """Says who did what to a change, and when."""
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
    who = f"{entry.actor.name} ({entry.actor.source})" if entry.actor.source else entry.actor.name
    states = f"{entry.before or 'new'} -> {entry.after}"
    detail = f"; {entry.detail}" if entry.detail else ""
    return f"{_moment(entry.at)}  {who}: {entry.event} ({states}){detail}"


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")


def retry(domain: Domain) -> None:
    """Lets credentials be tried again that a server has rejected.

    For when the server was at fault: normally they are sent again only after another password was imported.
    """
    from checks.settings import normalise_domain

    with open_account() as account:
        count = account.mailboxes.forget_rejections(normalise_domain(domain))
    typer.echo(f"{count} rejections forgotten; the next verification tries these mailboxes again.")
