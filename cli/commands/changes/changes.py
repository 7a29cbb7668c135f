"""The commands for a change: put it in force and watch it, take it back, give it up, take it up again."""

from typing import TYPE_CHECKING, Annotated

import typer

from checks.language import Language
from checks.model import Invalid
from cli.account import open_account
from cli.commands.verification import follow, tell
from cli.failures import Status, complain, inform
from cli.naming import as_typed
from cli.options import ChangeId, Json
from cli.wording import phrase

if TYPE_CHECKING:
    from settings_store.changes.watches import Watch
    from worker.service.account import Account


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


def approve(
    change_id: ChangeId,
    checksum: Annotated[
        str | None, typer.Option(metavar="SHA", help="The checksum of the reviewed report, or its first 8 or more.")
    ] = None,
) -> None:
    """Approves a verified change, as the second person whom its domain asks for; `apply` then puts it in force."""
    with open_account() as account:
        account.changes.approve(change_id, checksum)
    inform(f"Approved. To put it in force: mail-preflight apply {change_id}")


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
