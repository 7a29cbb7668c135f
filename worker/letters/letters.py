"""The letters of a report: for each cause one to the owners, one to whoever runs the servers, one to the firewall."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from checks.codes import Blame
from checks.messages.firewall_request import conditions, target
from checks.model import Protocol
from worker.changes.document import CauseDocument
from worker.changes.impact import Impact
from worker.letters.document import Letter, Recipient
from worker.letters.findings import findings
from worker.letters.material import FIREWALL, OWNERS, SERVERS, Material
from worker.letters.ticket import ticket
from worker.wording import phrase

_LOSE = (Impact.WILL_DISCONNECT, Impact.ALREADY_DISCONNECTED, Impact.CANNOT_TELL)


def letters(about: Material, to: Recipient | None = None) -> list[Letter]:
    """All that there is a reason for, or those to one recipient. There is always something to say in a ticket."""
    wanted = Recipient if to is None else (to,)
    return [letter for recipient in wanted for letter in _MAKE[recipient](about)]


def _owners(about: Material) -> Iterator[Letter]:
    for cause in about.report.urgent_causes:
        if cause.blame is Blame.MAILBOX and cause.impact in _LOSE and cause.code in OWNERS[about.language]:
            yield _to_owners(about, cause)


def _to_owners(about: Material, cause: CauseDocument) -> Letter:
    advice = OWNERS[about.language][cause.code].format(protocol=cause.where)
    body = _text(
        about.say("hello"),
        about.say(f"owners.intro.{about.state}", domain=about.report.domain, time=about.time),
        _indented([cause.sentence]),
        about.say(f"owners.{about.state}.{cause.impact}"),
        f"{about.say('what')}\n{_indented([advice])}",
        f"{about.say('servers')}\n{_servers(about)}",
        about.say("owners.end"),
    )
    return Letter(
        Recipient.OWNERS,
        about.say("owners.subject", domain=about.report.domain),
        body,
        count=cause.count,
        addresses=about.of(cause).addresses,
        code=cause.code,
        protocol=Protocol(cause.protocol) if cause.protocol else None,
        impact=cause.impact,
        caution=_caution(about, cause),
    )


def _caution(about: Material, cause: CauseDocument) -> str:
    """So many owners are rarely to blame: whoever would write to all of them is told so."""
    common = about.report.common_cause
    if common is None or (common.code, common.protocol) != (cause.code, cause.protocol):
        return ""
    return phrase(about.language, "suspect.mailboxes")


def _servers(about: Material) -> str:
    return _indented([f"{each.label}  {each.place}" for each in about.report.endpoints])


def _mail_admin(about: Material) -> Iterator[Letter]:
    if found := findings(about, SERVERS[about.language]):
        intro = about.say("mail_admin.intro", domain=about.report.domain, time=about.time)
        yield _letter(about, Recipient.MAIL_ADMIN, intro, about.from_where, *_numbered(found))


def _firewall(about: Material) -> Iterator[Letter]:
    if found := findings(about, FIREWALL[about.language]):
        intro = about.say("firewall.intro", domain=about.report.domain, time=about.time)
        hosts = f"{about.say('firewall.to')}\n{_indented(_hosts(about))}"
        rule = ["\n".join(conditions(about.language))] if about.sources.addresses else []  # it is about them
        yield _letter(about, Recipient.FIREWALL, intro, about.from_where, hosts, *rule, *_numbered(found))


def _letter(about: Material, to: Recipient, *paragraphs: str) -> Letter:
    subject = about.say(f"{to}.subject", domain=about.report.domain)
    return Letter(to, subject, _text(about.say("hello"), *paragraphs, about.say("thanks")))


def _hosts(about: Material) -> Iterator[str]:
    """Every server of the settings: a rule for one of them would be asked for again tomorrow."""
    for each in about.report.endpoints:
        place = target(each.endpoint, about.language)
        yield about.say("firewall.reached", place=place, address=each.address) if each.address else place


def _numbered(found: Sequence[Sequence[str]]) -> list[str]:
    return [f"{number}. {lines[0]}\n{_indented(lines[1:])}" for number, lines in enumerate(found, 1)]


def _indented(lines: Sequence[str] | Iterator[str]) -> str:
    return "\n".join(f"   {line}" for line in lines)


def _text(*paragraphs: str) -> str:
    return "\n\n".join(paragraphs) + "\n"


_MAKE: Mapping[Recipient, Callable[[Material], Iterator[Letter]]] = {
    Recipient.OWNERS: _owners,
    Recipient.MAIL_ADMIN: _mail_admin,
    Recipient.FIREWALL: _firewall,
    Recipient.TICKET: ticket,
}
