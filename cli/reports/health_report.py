"""One domain's health for people: what is wrong first, then servers with their past, mailboxes, incidents, who is told.

Colours repeat what words and signs say. What a server said goes through `cli.console.say`, which makes it harmless.
"""

import shlex

from rich.cells import cell_len, set_cell_size
from rich.console import Console

from checks.language import Language
from cli.console import Part, mark, say
from cli.reports.bars import bars, blocks_fit, percent, sparkline
from cli.wording import phrase
from worker.health.document import DomainDocument, IncidentDocument
from worker.health.endpoint_document import CheckDocument, EndpointHealthDocument, SpanDocument

_INDENT = 4
SIGNS = {"healthy": "ok", "failing": "fail"}
"""What `cli.console.mark` is given for a domain's state; `inconclusive` for any other."""
_ENDPOINT_SIGNS = {"ok": "ok", "fail": "fail"}
_WITH_ADVICE = ("mailbox", "mailboxes")  # what to do about a server is said with the server


def render_domain(found: DomainDocument, console: Console) -> None:
    """All there is to say of one domain."""
    say(console, mark(console, SIGNS.get(found.state, "inconclusive")), " ", (found.headline, "bold"))
    _rest(found, console)
    if found.trouble:
        say(console, (found.trouble, "bold yellow"), indent=_INDENT)
    if found.endpoints:
        _heading(found, console, "servers")
    for endpoint in found.endpoints:
        _endpoint(endpoint, console, found.language)
    _mailboxes(found, console)
    _incidents(found, console)
    _alerts(found, console)


def _heading(found: DomainDocument, console: Console, name: str) -> None:
    console.print()
    say(console, (phrase(found.language, f"heading.{name}"), "bold"))


def _rest(found: DomainDocument, console: Console) -> None:
    if found.paused:
        say(console, found.paused, indent=_INDENT)
        say(console, (shlex.join(["mail-preflight", "domains", "resume", found.domain]), "bold"), indent=_INDENT + 2)
    if found.maintenance:
        say(console, found.maintenance, indent=_INDENT)


# -- servers


def _endpoint(item: EndpointHealthDocument, console: Console, language: Language) -> None:
    sign = mark(console, _ENDPOINT_SIGNS.get(item.state, "inconclusive"))
    say(console, sign, f" {item.label} ", (item.place, "bold"), f": {item.words}")
    if item.check:
        checked = f" {item.check.when}, {item.check.ms:.0f} ms"
        say(console, phrase(language, "health.checked"), checked, indent=_INDENT)
    if item.remark:
        say(console, (item.remark, "bold yellow" if item.stale else ""), indent=_INDENT)
    if item.check and item.sentence:
        _cause(item, item.check, console, language)
    for notice in item.notices:
        head = f"! {phrase(language, 'health.notice')}", "bold yellow"
        say(console, head, f" {notice.code}: {notice.sentence}", indent=_INDENT)
        if notice.advice:
            say(console, phrase(language, "advice"), " ", notice.advice, indent=_INDENT + 2)
    _past(item, console, language)


def _cause(item: EndpointHealthDocument, check: CheckDocument, console: Console, language: Language) -> None:
    style = "bold red" if item.state == "fail" else "bold yellow"
    say(console, (check.code, style), f": {item.sentence}", indent=_INDENT)
    for key, text in (("seen", check.seen), ("advice", item.advice)):
        if text:
            say(console, phrase(language, key), " ", text, indent=_INDENT)


def _past(item: EndpointHealthDocument, console: Console, language: Language) -> None:
    """A line of availability and one of latency for the last day, and for the days before it."""
    days = phrase(language, "health.days", days=len(item.history.days.buckets))
    spans = (phrase(language, "health.hours"), item.history.hours), (days, item.history.days)
    labels = [f"{phrase(language, f'health.{what}')} {span}" for span, _ in spans for what in ("available", "latency")]
    width = max(map(cell_len, labels))
    for number, (_, span) in enumerate(spans):
        available, latency = (set_cell_size(label, width) for label in labels[2 * number : 2 * number + 2])
        if span.whole.availability is not None or span.whole.inconclusive:
            _available(available, span, console, language)
        if span.whole.ok:
            _latency(latency, span, console, language)


def _available(label: str, span: SpanDocument, console: Console, language: Language) -> None:
    unclear = span.whole.inconclusive
    share = percent(span.whole.availability)
    words = f"{share}; {phrase(language, 'health.unclear', count=unclear)}" if unclear else share
    say(console, f"{label}  ", *bars(span.buckets, blocks=blocks_fit(console)), f"  {words}", indent=_INDENT)


def _latency(label: str, span: SpanDocument, console: Console, language: Language) -> None:
    values = [bucket.ms for bucket in span.buckets]
    known = [value for value in values if value is not None]
    longest = {"low": f"{min(known):.0f}", "high": f"{max(known):.0f}", "longest": f"{span.whole.ms_max:.0f}"}
    words = phrase(language, "health.ms", **longest)
    say(console, f"{label}  ", sparkline(values, blocks=blocks_fit(console)), f"  {words}", indent=_INDENT)


# -- mailboxes, incidents, alerts


def _mailboxes(found: DomainDocument, console: Console) -> None:
    _heading(found, console, "health_mailboxes")
    say(console, found.mailboxes.words, indent=2)
    if not found.mailboxes.disconnected:
        return
    _heading(found, console, "disconnected")
    for box in found.mailboxes.disconnected:
        say(console, (box.address, "bold"), f"  {box.code or ''}  {box.words}".rstrip(), indent=2)
    if found.mailboxes.more > 0:
        say(console, phrase(found.language, "health.more", count=found.mailboxes.more), indent=2)


def _incidents(found: DomainDocument, console: Console) -> None:
    still_open = [item for item in found.incidents if item.is_open]
    past = [item for item in found.incidents if not item.is_open]
    for heading, items in (("incidents", still_open), ("incidents_past", past)):
        if items:
            _heading(found, console, heading)
        for item in items:
            _incident(item, console, found.language)
    more = found.incident_count - len(found.incidents)
    if more > 0:
        say(console, phrase(found.language, "health.more", count=more), indent=2)


def _incident(item: IncidentDocument, console: Console, language: Language) -> None:
    style = "bold red" if item.severity == "critical" and item.is_open else "bold"
    about: Part = (f" {item.address}", "bold") if item.address else ""
    say(console, (item.title, style), about, f": {item.code}: {item.sentence}", indent=2)
    say(console, item.course, indent=_INDENT)
    if item.scope in _WITH_ADVICE and item.is_open and item.advice:
        say(console, phrase(language, "advice"), " ", item.advice, indent=_INDENT)
    if item.shared:
        say(console, item.shared, indent=_INDENT)


def _alerts(found: DomainDocument, console: Console) -> None:
    _heading(found, console, "alerts")
    say(console, found.told, indent=2)
    if not found.channels:
        say(console, ("mail-preflight alerts add NAME", "bold"), indent=_INDENT)
