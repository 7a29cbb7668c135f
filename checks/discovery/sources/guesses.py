"""The last resort: names that many domains give their servers. Nobody has named them, so nothing vouches for them."""

from functools import partial

from checks.discovery.model import Candidate, Evidence, Source, SourceReport
from checks.discovery.reading import endpoint
from checks.discovery.sources.asking import Asked
from checks.model import Endpoint, Fault, Protocol, Security
from checks.network.dial import Deadline

_PORTS = {
    Protocol.IMAP: ((993, Security.TLS), (143, Security.STARTTLS)),
    Protocol.SMTP: ((465, Security.TLS), (587, Security.STARTTLS)),
}
_PREFIXES = {Protocol.IMAP: ("imap.", "mail.", ""), Protocol.SMTP: ("smtp.", "mail.", "")}
_SECONDS = 5.0


def ask(asked: Asked) -> SourceReport:
    """Names of the domain that there are, each with both usual ports, and the host that receives its mail."""
    domain = asked.subject.domain
    answer, note = asked.records(Source.GUESS, domain, "MX")
    mx = [record.target for record in sorted(answer.records, key=lambda record: record.priority) if record.target][:1]
    prefixes = dict.fromkeys(prefix for each in _PREFIXES.values() for prefix in each)
    names = dict.fromkeys([*(prefix + domain for prefix in prefixes), *mx])
    there = dict(zip(names, asked.at_once(partial(_exists, name, asked) for name in names), strict=True))
    wanted = {
        protocol: [name for name in (*(prefix + domain for prefix in each), *mx) if there[name]]
        for protocol, each in _PREFIXES.items()
    }
    imap, smtp = _endpoints(Protocol.IMAP, wanted), _endpoints(Protocol.SMTP, wanted)
    found = (Candidate(Source.GUESS, Evidence.GUESSED, domain, imap, smtp),) if imap and smtp else ()
    return SourceReport(Source.GUESS, found, (note,))


def _endpoints(protocol: Protocol, wanted: dict[Protocol, list[str]]) -> tuple[Endpoint, ...]:
    """TLS from the first byte at every name, then STARTTLS."""
    made = [
        endpoint(protocol, host, port, security) for port, security in _PORTS[protocol] for host in wanted[protocol]
    ]
    return tuple(filter(None, made))


def _exists(name: str, asked: Asked) -> bool:
    """Whether a name has an address that may be connected to."""
    try:
        limit = Deadline(min(_SECONDS, asked.deadline.remaining()))
        return bool(asked.outside.places(name, 443, asked.outside.context, limit)[0])
    except (Fault, TimeoutError):
        return False
