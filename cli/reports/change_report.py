"""The report for people: the verdict in words first, then the servers, the causes, the mailboxes and what to do next.

Signs and words carry the meaning, colours repeat it. Whatever a server said goes through `cli.console.say`, which makes
it harmless.
"""

import shlex
from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.console import Console

from checks.codes import CODES, Blame, Code, Verdict
from checks.messages import Language, wording
from checks.model import Facts, Protocol
from cli.console import mark, say
from cli.reports.endpoint_report import render_endpoint
from cli.reports.progress import follow_progress
from cli.wording.report_phrases import phrase
from worker.changes.report import LEFT, cause_facts, stop_facts, suspect

if TYPE_CHECKING:
    from worker.changes.report import Cause, MailboxLine, Report

__all__ = ["follow_progress", "render_endpoint", "render_report"]

LISTED = 50
"""Mailboxes a list names before it points to --json."""

_URGENT = ("will_disconnect", "cannot_tell", "already_disconnected", "will_reconnect", "keeps_working")
_IMPACTS = ("keeps_working", "will_disconnect", "will_reconnect", "already_disconnected", "cannot_tell")
_SIGNS = {"safe": "ok", "unsafe": "fail", "cannot_tell": "inconclusive"}


def render_report(report: "Report", console: Console, language: Language = Language.EN) -> None:
    """Prints the whole report. Reads the mailboxes once and holds no more of them than it prints."""
    _headline(report, console, language)
    _heading(console, language, "servers")
    for result in report.endpoints:
        render_endpoint(result, console, language, chain=False)
    _causes(report, console, language)
    _left(report, console, language)
    _mailboxes(report, console, language)
    _counts(report, console, language)
    _next(report, console, language)


def _heading(console: Console, language: Language, name: str) -> None:
    console.print()
    say(console, (phrase(language, f"heading.{name}"), "bold"))


def _headline(report: "Report", console: Console, language: Language) -> None:
    sentence = phrase(language, "between.sentences").join(_verdict_words(report, language))
    sign = _SIGNS[report.verdict] if sum(report.counts.values()) else _servers(report)
    say(console, mark(console, sign), " ", (sentence, "bold"))
    if report.stop_code and report.stop_detail != "0":  # what stopped nothing is told with the servers
        say(console, phrase(language, "stopped"), " ", _stop_sentence(report, language), indent=2)


def _verdict_words(report: "Report", language: Language) -> Iterable[str]:
    total, unclear = sum(report.counts.values()), report.counts["cannot_tell"]
    values = {"domain": report.domain, "total": total, "unclear": unclear}
    if not total:
        yield phrase(language, f"verdict.empty.{_servers(report)}", **values)
        return
    yield phrase(language, f"verdict.{report.verdict}", disconnect=report.counts["will_disconnect"], **values)
    if report.verdict == "unsafe" and unclear:
        yield phrase(language, "verdict.unsafe.unclear", **values)
    if report.verdict == "safe":
        yield phrase(language, "verdict.safe.all", **values)


def _servers(report: "Report") -> Verdict:
    """What all endpoints together came to: without mailboxes it is all that is known."""
    found = {result.verdict for result in report.endpoints}
    return next((verdict for verdict in (Verdict.FAIL, Verdict.INCONCLUSIVE) if verdict in found), Verdict.OK)


def _stop_sentence(report: "Report", language: Language) -> str:
    return wording(Code.RUN_NOT_TRIED, _stop_facts(report, language), language).sentence


def _stop_facts(report: "Report", language: Language) -> Facts:
    return stop_facts(report.stop_code, report.stop_detail, report.endpoints, language)


def _causes(report: "Report", console: Console, language: Language) -> None:
    found = report.causes()
    causes = [cause for cause in found if cause.code is not Code.OK]
    if not causes:
        return
    _heading(console, language, "causes")
    if (common := suspect(found)) is not None:
        _suspect(common, report, console, language)
    for cause in sorted(causes, key=lambda cause: _URGENT.index(cause.impact)):
        _cause(cause, report, console, language)


def _suspect(cause: "Cause", report: "Report", console: Console, language: Language) -> None:
    """One cause that explains most failures comes first, with the form field to look at."""
    words = wording(cause.code, cause_facts(cause, report.endpoints), language)
    common = phrase(language, "suspect", count=cause.count)
    say(console, (common, "bold"), " ", words.sentence, indent=2)
    if CODES[cause.code].blame is Blame.MAILBOX:
        say(console, phrase(language, "suspect.mailboxes"), indent=4)
    elif words.field:
        say(console, phrase(language, "field"), " ", words.field, indent=4)


def _left(report: "Report", console: Console, language: Language) -> None:
    """How to go on where mailboxes were not tried."""
    left = sum(cause.count for cause in report.causes() if cause.code in LEFT)
    if not left:
        return
    _heading(console, language, "left")
    say(console, phrase(language, "left", count=left), indent=2)
    say(console, (shlex.join(["mail-preflight", "resume", report.change_id]), "bold"), indent=4)


def _cause(cause: "Cause", report: "Report", console: Console, language: Language) -> None:
    not_tried = cause.code is Code.RUN_NOT_TRIED
    facts = _stop_facts(report, language) if not_tried else cause_facts(cause, report.endpoints)
    words = wording(cause.code, facts, language)
    impact = phrase(language, f"impact.{cause.impact}", count=cause.count)
    where = f" ({Protocol(cause.protocol).label})" if cause.protocol else ""
    say(console, (impact, "bold"), f": {cause.code}{where}", indent=2)
    say(console, words.sentence, indent=4)
    who = phrase(language, f"blame.{CODES[cause.code].blame}")
    say(console, phrase(language, "who"), " ", who, indent=4)
    if words.advice:
        say(console, phrase(language, "advice"), " ", words.advice, indent=4)


def _mailboxes(report: "Report", console: Console, language: Language) -> None:
    lists: dict[str, list[MailboxLine]] = {"will_disconnect": [], "cannot_tell": []}
    wanted = {impact: min(LISTED, report.counts[impact]) for impact in lists}
    for line in report.mailboxes() if any(wanted.values()) else ():
        if line.impact in lists and len(lists[line.impact]) < wanted[line.impact]:
            lists[line.impact].append(line)
            if all(len(lists[impact]) == wanted[impact] for impact in lists):
                break
    for impact, lines in lists.items():
        if lines:
            _heading(console, language, impact)
            _list(lines, report.counts[impact], console, language)


def _list(lines: "list[MailboxLine]", count: int, console: Console, language: Language) -> None:
    for line in lines:
        words = (f"  {line.seen}", "dim") if line.seen else ""
        where = f" ({Protocol(line.endpoint).label})" if line.endpoint else ""
        say(console, (line.address, "bold"), f"  {line.code}{where}", _apart(line, language), words, indent=2)
    if count > len(lines):
        say(console, phrase(language, "more", count=count - len(lines)), indent=2)


def _apart(line: "MailboxLine", language: Language) -> str:
    """Mail and calendar, where they came to different ends."""
    services = line.services or {}
    if len(set(services.values())) < 2:
        return ""
    found = (f"{phrase(language, f'service.{name}')}: {code}" for name, code in services.items())
    return f"  [{phrase(language, 'between.items').join(found)}]"


def _services(report: "Report", console: Console, language: Language) -> None:
    """How mail and calendar fared apart from each other."""
    if all(result.endpoint.protocol is not Protocol.HTTPS for result in report.endpoints):
        return
    for name, verdicts in report.services().items():
        counts = {str(verdict): verdicts[verdict] for verdict in Verdict}
        say(console, phrase(language, f"service.{name}"), ": ", phrase(language, "progress.counts", **counts), indent=2)


def _counts(report: "Report", console: Console, language: Language) -> None:
    _heading(console, language, "counts")
    parts = (phrase(language, f"impact.{impact}", count=report.counts[impact]) for impact in _IMPACTS)
    say(console, phrase(language, "between.items").join(parts), indent=2)
    _services(report, console, language)


def _next(report: "Report", console: Console, language: Language) -> None:
    _heading(console, language, "next")
    say(console, phrase(language, f"next.{report.verdict}"), indent=2)
    command = ["mail-preflight", "apply", report.change_id, "--checksum", report.checksum]
    if report.counts["will_disconnect"]:
        command += ["--accept-disconnects", str(report.counts["will_disconnect"])]
    say(console, (shlex.join(command), "bold"), indent=4)
