"""The commands that say what there is of changes, and what became of them and of domains."""

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from cli.account import open_account
from cli.cleaning import clean
from cli.failures import inform_of_more
from cli.naming import as_typed
from cli.options import Domain, Json, Limit

if TYPE_CHECKING:
    from settings_store.audit import Actor, Entry
    from settings_store.changes.changes import Change
    from settings_store.events.event import Event
    from worker.service.changes.changes import Listed


def changes(
    context: typer.Context,
    domain: Domain,
    limit: Limit = 100,
    after: Annotated[str, typer.Option(metavar="CHANGE_ID", help="List those that were saved before this one.")] = "",
    as_json: Json = False,
) -> None:
    """Lists a domain's changes, the newest first, and what can be done with each."""
    with open_account() as account:
        found = account.changes.of_domain(domain, limit + 1, after)
    known = inform_of_more(found, limit, f"changes {domain}", lambda each: each.short_id)
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
    for event in events:
        typer.echo(clean(_event_line(event)))


def _event_document(event: "Event") -> dict[str, object]:
    actor = {"actor": event.actor.name, "source": event.actor.source}
    return {"at": _moment(event.at), **actor, "kind": event.kind, "subject": event.subject, **event.payload}


def _event_line(event: "Event") -> str:
    known = (f"{name} {_said(value)}" for name, value in event.payload.items() if value not in (None, "", 0, [], {}))
    more = ", ".join(known)
    return f"{_moment(event.at)}  {_who(event.actor)}: {event.kind} {event.subject}" + (f" ({more})" if more else "")


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
