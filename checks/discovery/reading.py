"""What strangers write into their documents, made into endpoints: nothing unchecked gets further."""

from checks.model import Authentication, Endpoint, Invalid, Protocol, Security
from checks.settings import normalise_host, parse_port

MOST_SERVERS = 3
"""Of one protocol, of one document: who publishes more has them tried no further."""
PORTS = {Protocol.IMAP: frozenset({143, 993}), Protocol.SMTP: frozenset({25, 465, 587, 2525})}
"""Where mail is served. A document that names another port would make us knock at a stranger's door for its author."""


def endpoint(
    protocol: Protocol,
    host: object,
    port: object,
    security: Security,
    authentication: Authentication = Authentication.LOGIN,
) -> Endpoint | None:
    """An endpoint as it is written down; None where it is none that we would ask."""
    if not isinstance(host, str) or not isinstance(port, str | int):
        return None
    try:
        place, number = normalise_host(host), parse_port(port)
    except Invalid:
        return None
    if number not in PORTS[protocol]:
        return None
    return Endpoint(protocol, place, number, security, authentication=authentication)


def distinct(*found: Endpoint | None) -> tuple[Endpoint, ...]:
    """Those that are any, each once, at most `MOST_SERVERS`."""
    return tuple(dict.fromkeys(filter(None, found)))[:MOST_SERVERS]
