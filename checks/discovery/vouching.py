"""Who vouches for a server that only the DNS has named: its own certificate, where that is one for the mail domain.

RFC 6186, 6: a client that found a server by SRV records expects a certificate for the domain it asked about, or a
server within it; else a person decides.
"""

import contextlib

from checks.codes import Verdict
from checks.discovery.model import Evidence
from checks.discovery.web import Outside
from checks.model import Endpoint, EndpointResult, Fault, Protocol
from checks.network.dial import Deadline, dial
from checks.network.stream import Stream
from checks.protocols.conversation import Conversation
from checks.tls import handshake

_SECONDS = 5.0


def evidence_of(
    evidence: Evidence, result: EndpointResult, domain: str, outside: Outside, deadline: Deadline
) -> Evidence:
    """The evidence for a server once it was checked: better than before only for one that the DNS named."""
    if evidence is not Evidence.DNS or result.verdict is not Verdict.OK or result.insecure:
        return evidence
    host = result.endpoint.host
    within = host == domain or host.endswith("." + domain)  # its certificate was accepted for that very name
    return Evidence.CERTIFICATE if within or _covers(result.endpoint, domain, outside, deadline) else evidence


def _covers(endpoint: Endpoint, domain: str, outside: Outside, deadline: Deadline) -> bool:
    """Whether the server has an accepted certificate for the mail domain, which it is asked for by name (SNI)."""
    with contextlib.suppress(Fault, OSError):
        limit = Deadline(min(_SECONDS, deadline.remaining()))
        addresses, port = outside.places(endpoint.host, endpoint.port, outside.context, limit)
        sock = dial(addresses[:1], port, limit, outside.context.way_out)
        with contextlib.closing(Stream(sock, limit)) as stream:
            return _meet(endpoint, stream, domain, outside, limit)
    return False


def _meet(endpoint: Endpoint, stream: Stream, domain: str, outside: Outside, limit: Deadline) -> bool:
    strict = outside.context.trust.strict
    if endpoint.protocol is Protocol.HTTPS:
        return handshake.look(stream, strict, domain).refusal is None
    conversation = Conversation(endpoint, endpoint.security, limit, outside.context.client)
    return conversation.meet(stream, strict, domain).refusal is None
