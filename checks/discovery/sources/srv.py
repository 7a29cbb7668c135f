"""SRV records of mail services (RFC 6186; RFC 8314, 5.1: TLS from the first byte comes first)."""

from collections.abc import Iterable
from functools import partial

from checks.discovery.model import Attempt, Candidate, Evidence, Finding, FindingKind, Source, SourceReport
from checks.discovery.reading import distinct, endpoint
from checks.discovery.sources.asking import Asked
from checks.model import Endpoint, Protocol, Security
from checks.network.dns import Answer, Record

SERVICES = {
    "_imaps._tcp": (Protocol.IMAP, Security.TLS),
    "_imap._tcp": (Protocol.IMAP, Security.STARTTLS),
    "_submissions._tcp": (Protocol.SMTP, Security.TLS),
    "_submission._tcp": (Protocol.SMTP, Security.STARTTLS),
}


def ask(asked: Asked) -> SourceReport:
    """What the DNS names. It is trusted by DNSSEC only, until a server shows a certificate for the mail domain."""
    domain = asked.subject.domain
    names = [f"{service}.{domain}" for service in SERVICES]
    results = asked.at_once(partial(asked.records, Source.SRV, name, "SRV") for name in names)
    answers = dict(zip(SERVICES, (answer for answer, _ in results), strict=True))
    attempts: tuple[Attempt, ...] = tuple(note for _, note in results)
    declined = tuple(
        Finding(FindingKind.SRV_DECLINED, Source.SRV, {"name": f"{service}.{domain}"})
        for service, answer in answers.items()
        if is_declined(answer)
    )
    found = candidate_of(answers, domain)
    return SourceReport(Source.SRV, (found,) if found else (), attempts, declined)


def is_declined(answer: Answer) -> bool:
    """Whether the service, or mail at all, is decidedly not available: the only target is the root (RFC 2782, 7505)."""
    return len(answer.records) == 1 and not answer.records[0].target


def candidate_of(answers: dict[str, Answer], domain: str) -> Candidate | None:
    """What the answers, by service, propose together; None where they name no server."""
    servers: dict[Protocol, list[Endpoint | None]] = {Protocol.IMAP: [], Protocol.SMTP: []}
    for service, (protocol, security) in SERVICES.items():
        records = ordered(answers.get(service, Answer()).records)
        servers[protocol] += [endpoint(protocol, record.target, record.port, security) for record in records]
    imap, smtp = distinct(*servers[Protocol.IMAP]), distinct(*servers[Protocol.SMTP])
    if not imap and not smtp:
        return None
    signed = all(answer.authenticated for answer in answers.values() if answer.records)
    return Candidate(Source.SRV, Evidence.DNSSEC if signed else Evidence.DNS, f"SRV {domain}", imap, smtp)


def ordered(records: Iterable[Record]) -> list[Record]:
    """Lowest priority first, among equals the greatest weight: of many clients most would go there (RFC 2782)."""
    return sorted((each for each in records if each.target), key=lambda each: (each.priority, -each.weight))
