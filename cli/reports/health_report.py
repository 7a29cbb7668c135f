"""One domain's health for people: what is wrong first, then servers with their past, mailboxes, incidents, who is told.

Colours repeat what words and signs say. What a server said goes through `cli.console.say`, which makes it harmless.
"""

import shlex
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size
from rich.console import Console

from checks.messages import Language, wording
from cli.console import Part, mark, say
from cli.reports.bars import bars, blocks_fit, percent, sparkline
from cli.reports.times import local
from cli.wording.report_phrases import phrase
from settings_store.health.history import Bucket, total

if TYPE_CHECKING:
    from settings_store.incidents.incidents import Incident
    from worker.health.view import DomainHealth, EndpointHealth

_INDENT = 4
SIGNS = {"healthy": "ok", "failing": "fail"}
"""What `cli.console.mark` is given for a domain's state; `inconclusive` for any other."""
_ENDPOINT_SIGNS = {"ok": "ok", "fail": "fail"}
_WITH_ADVICE = ("mailbox", "mailboxes")  # what to do about a server is said with the server


def listed(parts: Iterable[str], language: Language) -> str:
    """The parts as an enumeration."""
    return phrase(language, "between.items").join(parts)


def render_domain(found: "DomainHealth", console: Console, language: Language) -> None:
    """All there is to say of one domain."""
    sign = mark(console, SIGNS.get(found.state, "inconclusive"))
    say(console, sign, " ", (phrase(language, f"health.{found.state}", domain=found.domain), "bold"))
    _rest(found, console, language)
    if found.trouble:
        say(console, (phrase(language, "health.trouble"), "bold yellow"), indent=_INDENT)
    if found.endpoints:
        _heading(console, language, "servers")
    for endpoint in found.endpoints:
        _endpoint(endpoint, console, language)
    _mailboxes(found, console, language)
    _incidents(found, console, language)
    _alerts(found, console, language)


def _heading(console: Console, language: Language, name: str) -> None:
    console.print()
    say(console, (phrase(language, f"heading.{name}"), "bold"))


def _rest(found: "DomainHealth", console: Console, language: Language) -> None:
    if found.rest.paused_at is not None:
        say(console, phrase(language, "health.paused.since", time=local(found.rest.paused_at)), indent=_INDENT)
        say(console, (shlex.join(["mail-preflight", "domains", "resume", found.domain]), "bold"), indent=_INDENT + 2)
    if (window := found.rest.window) is not None:
        times = {"start": local(window.starts_at), "end": local(window.ends_at)}
        words = phrase(language, "health.maintenance.until", id=window.id, note=window.note, **times)
        say(console, words.rstrip(), indent=_INDENT)


# -- servers


def _endpoint(item: "EndpointHealth", console: Console, language: Language) -> None:
    place = item.endpoint.url or f"{item.endpoint.host}:{item.endpoint.port} ({item.endpoint.security})"
    since = local(item.known.since) if item.known else ""
    words = phrase(language, f"health.endpoint.{item.state}", time=since)
    sign = mark(console, _ENDPOINT_SIGNS.get(item.state, "inconclusive"))
    say(console, sign, f" {item.endpoint.protocol.label} ", (place, "bold"), f": {words}")
    _newest_check(item, console, language)
    _cause(item, console, language)
    for code, text in item.notices(language):
        head = f"! {phrase(language, 'health.notice')}", "bold yellow"
        say(console, head, f" {code}: {text.sentence}", indent=_INDENT)
        if text.advice:
            say(console, phrase(language, "advice"), " ", text.advice, indent=_INDENT + 2)
    _past(item, console, language)


def _newest_check(item: "EndpointHealth", console: Console, language: Language) -> None:
    known = item.known
    if known is None:
        say(console, phrase(language, "health.never"), indent=_INDENT)
        return
    say(console, phrase(language, "health.checked"), f" {local(known.checked_at)}, {known.ms:.0f} ms", indent=_INDENT)
    if item.stale:
        say(console, (phrase(language, "health.stale"), "bold yellow"), indent=_INDENT)
    elif known.state in ("fail", "silent") and known.oks:
        say(console, phrase(language, "health.recovering", count=known.oks), indent=_INDENT)
    elif known.state in ("ok", "unknown") and (known.fails or known.silent):
        say(console, phrase(language, "health.begun", count=known.fails or known.silent), indent=_INDENT)


def _cause(item: "EndpointHealth", console: Console, language: Language) -> None:
    words, known = item.words(language), item.known
    if words is None or known is None:
        return
    style = "bold red" if item.state == "fail" else "bold yellow"
    say(console, (known.code, style), f": {words.sentence}", indent=_INDENT)
    for key, text in (("seen", known.seen), ("advice", words.advice)):
        if text:
            say(console, phrase(language, key), " ", text, indent=_INDENT)


def _past(item: "EndpointHealth", console: Console, language: Language) -> None:
    """A line of availability and one of latency for the last day, and for the days before it."""
    days = phrase(language, "health.days", days=len(item.history.days))
    spans = (phrase(language, "health.hours"), item.history.hours), (days, item.history.days)
    labels = [f"{phrase(language, f'health.{what}')} {span}" for span, _ in spans for what in ("available", "latency")]
    width = max(map(cell_len, labels))
    for number, (_, buckets) in enumerate(spans):
        available, latency = (set_cell_size(label, width) for label in labels[2 * number : 2 * number + 2])
        whole = total(buckets)
        if whole.availability is not None or whole.inconclusive:
            _available(available, buckets, whole, console, language)
        if whole.ok:
            _latency(latency, buckets, whole, console, language)


def _available(label: str, buckets: Sequence[Bucket], whole: Bucket, console: Console, language: Language) -> None:
    unclear = phrase(language, "health.unclear", count=whole.inconclusive) if whole.inconclusive else ""
    share = percent(whole.availability) + (f"; {unclear}" if unclear else "")
    say(console, f"{label}  ", *bars(buckets, blocks=blocks_fit(console)), f"  {share}", indent=_INDENT)


def _latency(label: str, buckets: Sequence[Bucket], whole: Bucket, console: Console, language: Language) -> None:
    values = [bucket.ms for bucket in buckets]
    known = [value for value in values if value is not None]
    span = {"low": f"{min(known):.0f}", "high": f"{max(known):.0f}", "longest": f"{whole.ms_max:.0f}"}
    words = phrase(language, "health.ms", **span)
    say(console, f"{label}  ", sparkline(values, blocks=blocks_fit(console)), f"  {words}", indent=_INDENT)


# -- mailboxes, incidents, alerts


def _mailboxes(found: "DomainHealth", console: Console, language: Language) -> None:
    _heading(console, language, "health_mailboxes")
    counts = {state.value: count for state, count in found.mailboxes.items()}
    say(console, phrase(language, "health.mailboxes", **counts), indent=2)
    if not found.disconnected:
        return
    _heading(console, language, "disconnected")
    for box in found.disconnected:
        since = phrase(language, "health.since", time=local(box.since)) if box.since is not None else ""
        say(console, (box.address, "bold"), f"  {box.code or ''}  {since}".rstrip(), indent=2)
    more = counts["disconnected"] - len(found.disconnected)
    if more > 0:
        say(console, phrase(language, "health.more", count=more), indent=2)


def _incidents(found: "DomainHealth", console: Console, language: Language) -> None:
    still_open = [item for item in found.incidents if item.closed_at is None]
    past = [item for item in found.incidents if item.closed_at is not None]
    for heading, items in (("incidents", still_open), ("incidents_past", past)):
        if items:
            _heading(console, language, heading)
        for item in items:
            _incident(item, console, language)
    if found.incident_count > len(found.incidents):
        count = found.incident_count - len(found.incidents)
        say(console, phrase(language, "health.more", count=count), indent=2)


def _incident(item: "Incident", console: Console, language: Language) -> None:
    words = wording(item.code, item.facts, language)
    style = "bold red" if item.severity == "critical" and item.closed_at is None else "bold"
    what = listed((phrase(language, f"severity.{item.severity}"), phrase(language, f"scope.{item.scope}")), language)
    about: Part = (f" {item.address}", "bold") if item.address else ""
    say(console, (what, style), about, f": {item.code}: {words.sentence}", indent=2)
    say(console, phrase(language, "between.sentences").join(_course(item, language)), indent=_INDENT)
    if item.scope in _WITH_ADVICE and item.closed_at is None and words.advice:
        say(console, phrase(language, "advice"), " ", words.advice, indent=_INDENT)
    if len(item.domains) > 1:
        names = listed(item.domains, language)
        say(console, phrase(language, "health.incident.domains", names=names), indent=_INDENT)


def _course(item: "Incident", language: Language) -> Iterable[str]:
    if item.closed_at is not None:
        end = item.recovered_at if item.recovered_at is not None else item.closed_at
        yield phrase(language, "health.incident.span", start=local(item.since), end=local(end))
    else:
        yield phrase(language, "health.incident.since", time=local(item.since))
        if item.recovered_at is not None:
            yield phrase(language, "health.incident.recovered", time=local(item.recovered_at))
    if item.reopened:
        yield phrase(language, "health.incident.reopened", count=item.reopened)


def _alerts(found: "DomainHealth", console: Console, language: Language) -> None:
    _heading(console, language, "alerts")
    if found.channels:
        say(console, phrase(language, "health.told", names=listed(found.channels, language)), indent=2)
        return
    say(console, phrase(language, "health.nobody"), indent=2)
    say(console, ("mail-preflight alerts add NAME", "bold"), indent=_INDENT)
