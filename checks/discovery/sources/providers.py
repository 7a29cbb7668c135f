"""Providers that we know: by the domain itself, and by the hosts that receive the domain's mail."""

from checks.discovery.model import Attempt, Candidate, Evidence, Finding, FindingKind, Outcome, Source, SourceReport
from checks.discovery.sources.asking import Asked, Found
from checks.discovery.sources.provider_table import PROVIDERS, Provider
from checks.discovery.sources.srv import is_declined
from checks.protocols.exchange.url import endpoint_of


def ask(asked: Asked) -> SourceReport:
    """A domain that is a provider's own; nobody is asked for it."""
    domain = asked.subject.domain
    row = next((row for row in PROVIDERS if _within(domain, row.domains)), None)
    outcome = Outcome.FOUND if row else Outcome.NOTHING
    found = candidates_of(row, Source.PROVIDER, Evidence.KNOWN) if row else ()
    return SourceReport(Source.PROVIDER, found, (Attempt(Source.PROVIDER, domain, outcome),))


def ask_by_mx(asked: Asked) -> SourceReport:
    """A domain whose mail a provider receives. The DNS alone says so, unless DNSSEC vouches for it."""
    answer, note = asked.records(Source.PROVIDER_BY_MX, asked.subject.domain, "MX")
    if is_declined(answer):  # RFC 7505
        none = Finding(FindingKind.MX_DECLINED, Source.PROVIDER_BY_MX, {"domain": asked.subject.domain})
        return SourceReport(Source.PROVIDER_BY_MX, (), (note,), (none,))
    hosts = [record.target for record in sorted(answer.records, key=lambda record: record.priority)][:1]
    row = next((row for host in hosts for row in PROVIDERS if _within(host, row.mx)), None)
    if row is None or _within(asked.subject.domain, row.domains):
        return SourceReport(Source.PROVIDER_BY_MX, (), (note,))
    evidence = Evidence.DNSSEC if answer.authenticated else Evidence.DNS
    return SourceReport(Source.PROVIDER_BY_MX, candidates_of(row, Source.PROVIDER_BY_MX, evidence), (note,))


def _within(name: str, domains: tuple[str, ...]) -> bool:
    return any(name == domain or name.endswith("." + domain) for domain in domains)


def candidates_of(row: Provider, source: Source, evidence: Evidence) -> Found:
    """What a row proposes: IMAP and SMTP, and Exchange where there is that too."""
    imap, smtp = row.endpoints
    place = f"{row.name}, {row.read}"
    exchange = endpoint_of(row.exchange_url) if row.exchange_url else None
    mail = Candidate(
        source,
        evidence,
        place,
        (imap,),
        (smtp,),
        login=row.login,
        password=row.password,
        provider=row.name,
        help_url=row.help_url,
    )
    if exchange is None:
        return (mail,)
    calendar = Candidate(
        source, evidence, place, exchange=exchange, login=row.login, password=row.password, provider=row.name
    )
    return (mail, calendar)
