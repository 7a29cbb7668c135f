"""The report for people: the verdict in words first, then the servers, the causes, the mailboxes and what to do next.

Signs and words carry the meaning, colours repeat it. Whatever a server said goes through `cli.console.say`, which makes
it harmless.
"""

import shlex

from rich.console import Console

from cli.console import mark, say, say_command
from cli.reports.endpoint_report import render_endpoint
from cli.wording import phrase
from worker.changes.document import (
    CauseDocument,
    CommonCauseDocument,
    GroupDocument,
    MailboxDocument,
    ReportDocument,
    UntriedDocument,
)
from worker.changes.impact import Impact

_LISTED = (Impact.WILL_DISCONNECT, Impact.CANNOT_TELL, Impact.ALREADY_DISCONNECTED, Impact.WILL_RECONNECT)
"""Whose mailboxes are listed; those that keep working are counted."""


def render_report(report: ReportDocument, console: Console) -> None:
    """Prints the whole report."""
    _headline(report, console)
    _heading(report, console, "servers")
    if report.client:
        say(console, (phrase(report.language, "client", name=report.client), "dim"), indent=2)
    for endpoint in report.endpoints:
        render_endpoint(endpoint, console, chain=False)
    _causes(report, console)
    if report.untried and report.next.action == "resume":
        _untried(report.untried, report, console)
    for impact in _LISTED:
        _mailboxes(report.group(impact), report, console)
    _counts(report, console)
    _next(report, console)


def _heading(report: ReportDocument, console: Console, name: str) -> None:
    console.print()
    say(console, (phrase(report.language, f"heading.{name}"), "bold"))


def _headline(report: ReportDocument, console: Console) -> None:
    say(console, mark(console, report.sign), " ", (report.headline, "bold"))
    if report.stop:
        say(console, phrase(report.language, "stopped"), " ", report.stop.sentence, indent=2)


def _causes(report: ReportDocument, console: Console) -> None:
    if not report.causes:
        return
    _heading(report, console, "causes")
    if report.common_cause:
        _common(report.common_cause, report, console)
    for cause in report.urgent_causes:
        _cause(cause, report, console)


def _common(cause: CommonCauseDocument, report: ReportDocument, console: Console) -> None:
    """One cause that explains most failures comes first, with the form field to look at."""
    say(console, (cause.words, "bold"), " ", cause.sentence, indent=2)
    if cause.hint:
        say(console, cause.hint, indent=4)
    elif cause.field:
        say(console, phrase(report.language, "field"), " ", cause.field, indent=4)


def _cause(cause: CauseDocument, report: ReportDocument, console: Console) -> None:
    say(console, (cause.words, "bold"), f": {cause.code}{_where(cause.where)}", indent=2)
    say(console, cause.sentence, indent=4)
    say(console, phrase(report.language, "who"), " ", cause.who_acts, indent=4)
    if cause.advice:
        say(console, phrase(report.language, "advice"), " ", cause.advice, indent=4)


def _untried(untried: UntriedDocument, report: ReportDocument, console: Console) -> None:
    """How to go on where mailboxes were not tried."""
    _heading(report, console, "left")
    say(console, untried.sentence, indent=2)
    say_command(console, shlex.join(report.next.command), indent=4)


def _mailboxes(group: GroupDocument, report: ReportDocument, console: Console) -> None:
    if not group.first:
        return
    _heading(report, console, group.impact)
    for box in group.first:
        _mailbox(box, console)
    if group.count > len(group.first):
        say(console, phrase(report.language, "more", count=group.count - len(group.first)), indent=2)
        say_command(console, shlex.join(["mail-preflight", "report", report.short_id, "--json"]), indent=4)


def _mailbox(box: MailboxDocument, console: Console) -> None:
    seen = (f"  {box.seen}", "dim") if box.seen else ""
    apart = f"  [{box.apart}]" if box.apart else ""
    say(console, (box.address, "bold"), f"  {box.code}{_where(box.where)}", apart, seen, indent=2)


def _where(label: str) -> str:
    return f" ({label})" if label else ""


def _counts(report: ReportDocument, console: Console) -> None:
    _heading(report, console, "counts")
    say(console, report.language.listed(group.words for group in report.groups), indent=2)
    for service in report.services:
        counts = {"ok": service.ok, "fail": service.fail, "inconclusive": service.inconclusive}
        say(console, service.label, ": ", phrase(report.language, "progress.counts", **counts), indent=2)


def _next(report: ReportDocument, console: Console) -> None:
    _heading(report, console, "next")
    say(console, report.next.sentence, indent=2)
    if report.next.command and report.next.action != "resume":  # that is told above
        say_command(console, shlex.join(report.next.command), indent=4)
