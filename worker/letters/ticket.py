"""The whole report as a text to paste into a ticket."""

from collections.abc import Iterator

from checks.document import EndpointDocument
from worker.changes.document import CauseDocument, MailboxDocument
from worker.changes.impact import Impact
from worker.letters.document import Letter, Recipient
from worker.letters.findings import place, steps
from worker.letters.material import Material


def ticket(about: Material) -> Iterator[Letter]:
    """One text, whatever the verdict."""
    report = about.report
    yield Letter(
        Recipient.TICKET, report.headline, "\n".join(_lines(about)) + "\n", sum(group.count for group in report.groups)
    )


def _lines(about: Material) -> Iterator[str]:
    report = about.report
    yield report.headline
    if report.stop:
        yield report.stop.sentence
    yield ""
    yield about.say("ticket.change", id=report.change_id)
    yield about.say("ticket.tested", time=about.time)
    yield about.say("ticket.checksum", checksum=report.checksum)
    yield from _section(about, "servers", (line for each in report.endpoints for line in _endpoint(about, each)))
    yield from _section(about, "causes", (line for cause in report.urgent_causes for line in _cause(about, cause)))
    yield from _section(about, "mailboxes", _mailboxes(about))
    yield from _section(about, "counts", iter([about.language.listed(group.words for group in report.groups)]))
    yield from _section(about, "next", iter([report.next.sentence]))


def _section(about: Material, name: str, lines: Iterator[str]) -> Iterator[str]:
    indented = [f"   {line}" for line in lines]
    if indented:
        yield from ("", about.say(f"ticket.{name}"), *indented)


def _endpoint(about: Material, each: EndpointDocument) -> Iterator[str]:
    yield f"{place(about, each)}; {about.say('code', code=each.code)}"
    yield f"   {each.sentence}"
    if each.seen:
        yield f"   {about.say('said' if each.server_said else 'met', text=each.seen)}"
    yield f"   {about.say('steps', text=steps(about, each))}"
    for warning in each.warnings:
        yield f"   {warning.code}: {warning.sentence}"
    if each.judged:
        yield f"   {each.judged}"


def _cause(about: Material, cause: CauseDocument) -> Iterator[str]:
    where = f" ({cause.where})" if cause.where else ""
    yield f"{cause.words}: {cause.code}{where}"
    yield f"   {cause.sentence}"
    yield f"   {about.say('ticket.who', who=cause.who_acts)}"
    yield f"   {about.say('advice', text=cause.advice)}"


def _mailboxes(about: Material) -> Iterator[str]:
    count = about.report.group(Impact.WILL_DISCONNECT).count
    for box in about.lost:
        yield _mailbox(box)
    if count > len(about.lost):
        yield about.say("ticket.more", count=count - len(about.lost))


def _mailbox(box: MailboxDocument) -> str:
    where = f" ({box.where})" if box.where else ""
    return f"{box.address}  {box.code}{where}" + (f"  {box.seen}" if box.seen else "")
