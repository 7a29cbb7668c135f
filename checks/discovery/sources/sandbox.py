"""The only source of a sandbox: the domain's own name, which stands for what its servers are. Nobody is asked."""

from checks.discovery.model import Attempt, Candidate, Evidence, LoginName, Outcome, Password, Source, SourceReport
from checks.discovery.sources.asking import Asked
from checks.model import Endpoint, Protocol, Security


def ask(asked: Asked) -> SourceReport:
    """As if `ok.test`, or whatever the domain is, published itself as IMAP and SMTP server."""
    domain = asked.subject.domain
    found = Candidate(
        Source.AUTOCONFIG,
        Evidence.PUBLISHED,
        f"https://autoconfig.{domain}/mail/config-v1.1.xml",
        (Endpoint(Protocol.IMAP, domain, 993, Security.TLS),),
        (Endpoint(Protocol.SMTP, domain, 465, Security.TLS),),
        login=LoginName.ADDRESS,
        password=Password.NORMAL,
    )
    return SourceReport(Source.AUTOCONFIG, (found,), (Attempt(Source.AUTOCONFIG, found.place, Outcome.FOUND),))


SOURCES = {Source.AUTOCONFIG: ask}
