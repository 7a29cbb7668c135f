"""The command that says how domains are."""

import sys
from collections.abc import Collection
from typing import Annotated

import typer

from cli.account import open_account
from cli.failures import Status, inform_of_more
from cli.options import After, Json, Limit

_LONGEST = 366
_STATUS = {"healthy": Status.SAFE, "failing": Status.UNSAFE}


def health(
    context: typer.Context,
    domain: Annotated[str | None, typer.Argument(metavar="[DOMAIN]", help="Without it: all domains.")] = None,
    days: Annotated[int, typer.Option(metavar="N", min=1, max=_LONGEST, help="How many days of history.")] = 30,
    limit: Limit = 1000,
    after: After = "",
    as_json: Json = False,
) -> int:
    """Says how a domain is, or all of them.

    Exit status: 0 healthy, 1 an incident is open or a server fails, 3 not known, 2 wrong usage or an unknown domain.
    """
    if domain is None:
        return _all(context, limit, after, as_json)
    with open_account() as account:
        found = account.health.of_domain(domain, days)
    from worker.health.wording import health_document

    if as_json:
        from cli.reports.json_documents import write_document

        write_document(health_document(found, context.obj).as_json(), sys.stdout)
    else:
        from cli.console import open_console
        from cli.reports.health_report import render_domain
        from cli.times import local

        render_domain(health_document(found, context.obj, local), open_console())
    return _STATUS.get(found.state, Status.CANNOT_TELL)


def _all(context: typer.Context, limit: int, after: str, as_json: bool) -> int:
    with open_account() as account:
        found = account.health.behind(after, limit + 1) if after else account.health.worst_first(limit + 1)
    from worker.health.wording import list_document

    lines = inform_of_more(found.lines, limit, "health", lambda each: each.standing.domain)
    document = list_document(lines, found.states, context.obj)
    if as_json:
        from cli.reports.json_documents import write_document

        write_document(document.as_json(), sys.stdout)
    else:
        from cli.console import open_console
        from cli.reports.health_list import render_list

        render_list(document, open_console())
    return _status_of_all(found.states)


def _status_of_all(states: Collection[str]) -> int:
    """Domains that nobody is to watch say nothing; where there are no others, nothing is known."""
    if "failing" in states:
        return Status.UNSAFE
    return Status.CANNOT_TELL if "unknown" in states or "healthy" not in states else Status.SAFE
