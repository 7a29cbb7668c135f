"""One connection from one address, up to what the server offers: is it admitted, and if not, how is it turned away?

What a certificate is worth is no matter here, and no credential is at hand.
"""

import contextlib
import errno
import socket
from collections.abc import Sequence
from dataclasses import dataclass

from checks import redact
from checks.codes import Code
from checks.context import CheckContext
from checks.model import Endpoint, Fault, Outcome, Protocol, Security
from checks.network.address_policy import parsed
from checks.network.dial import Deadline, dial_all, fault_of
from checks.network.stream import Stream
from checks.network.way_out import Source, WayOut
from checks.protocols.conversation import Conversation
from checks.protocols.dialect import dialect_of
from checks.protocols.in_clear import judged

SECONDS = 6.0
"""A lost first packet is sent again after one second and after three (RFC 6298): what is silent then is a firewall."""
_LISTEN_SECONDS = 2.0

_CONNECT = {
    Code.CONNECT_REFUSED: Outcome.REFUSED,
    Code.CONNECT_TIMEOUT: Outcome.DROPPED,
    Code.CONNECT_UNREACHABLE: Outcome.UNREACHABLE,
    Code.CONNECT_CLOSED: Outcome.CLOSED,
}
_WORDS = {
    Code.SERVER_BLOCKS_ADDRESS: Outcome.BLOCKED,
    Code.SERVER_REVERSE_DNS: Outcome.BLOCKED,
    Code.GREETING_REFUSED: Outcome.BLOCKED,
    Code.EXCHANGE_FORBIDDEN: Outcome.BLOCKED,
    Code.EXCHANGE_FIREWALL: Outcome.BLOCKED,
    Code.SERVER_THROTTLED: Outcome.BUSY,
    Code.SERVER_TOO_MANY_CONNECTIONS: Outcome.BUSY,
    Code.SERVER_UNAVAILABLE: Outcome.BUSY,
}
_LATE = frozenset({Code.GREETING_TIMEOUT, Code.TLS_TIMEOUT, Code.DEADLINE})


@dataclass(frozen=True, slots=True)
class Knock:
    """What came of it. `seen` is redacted."""

    outcome: Outcome
    seen: str = ""


def knock(endpoint: Endpoint, addresses: Sequence[str], context: CheckContext, source: Source) -> Knock:
    """Connects from `source` to those of the server's numeric addresses that are of its family. Raises nothing."""
    if not is_here(source):
        return Knock(Outcome.NOT_HERE)
    own = [address for address in addresses if _ours(address, source)]
    if not own:
        return Knock(Outcome.NO_FAMILY)
    securities = _securities(endpoint)
    for security in securities:
        met = _met(endpoint, own, context, source, security, SECONDS if len(securities) == 1 else _LISTEN_SECONDS)
        if met.outcome is not Outcome.SILENT:
            return met
    return met


def is_here(source: Source) -> bool:
    """Whether this machine has the addresses."""
    for family, address in ((socket.AF_INET, source.ipv4), (socket.AF_INET6, source.ipv6)):
        if address:
            try:
                with socket.socket(family, socket.SOCK_STREAM) as sock:
                    sock.bind((address, 0))
            except OSError as error:
                if error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                    return False
    return True


def _ours(address: str, source: Source) -> bool:
    return not source.only or bool(source.ipv6 if parsed(address.partition("%")[0]).version == 6 else source.ipv4)


def _securities(endpoint: Endpoint) -> tuple[Security, ...]:
    """What is tried. Where the port does not say, the server is listened to first: it may turn us away in clear."""
    if endpoint.security is not Security.AUTO:
        return (endpoint.security,)
    if endpoint.protocol is Protocol.HTTPS:
        return (Security.TLS,)
    dialect = dialect_of(endpoint.protocol, endpoint.authentication)
    if endpoint.port in dialect.implicit_ports:
        return (Security.TLS,)
    return (Security.STARTTLS,) if endpoint.port in dialect.starttls_ports else (Security.STARTTLS, Security.TLS)


def _met(
    endpoint: Endpoint,
    addresses: Sequence[str],
    context: CheckContext,
    source: Source,
    security: Security,
    seconds: float,
) -> Knock:
    deadline = Deadline(SECONDS)
    attempts = dial_all(addresses, endpoint.port, deadline, WayOut(context.policy, source))
    sock = next((attempt.sock for attempt in attempts if attempt.sock), None)
    if sock is None:
        fault = next(attempt.fault for attempt in attempts if attempt.fault)
        return Knock(_CONNECT.get(fault.code, Outcome.UNREACHABLE), redact.words(fault.seen))
    talk = _conversation(endpoint, security, Deadline(seconds), context)
    with contextlib.closing(Stream(sock, deadline)) as stream:
        return _said(endpoint, stream, talk, context)


def _said(endpoint: Endpoint, stream: Stream, talk: Conversation, context: CheckContext) -> Knock:
    """What the server has to say to whoever is connected."""
    try:
        talk.hold(stream, context.trust.insecure)
    except Fault as fault:
        told = judged(fault, endpoint.protocol)
        return Knock(_outcome(told, stream, talk), redact.words(told.seen))
    except TimeoutError:
        return Knock(Outcome.SILENT)
    except OSError as error:
        return Knock(_outcome(fault_of(error), stream, talk), redact.words(error.strerror or ""))
    return Knock(Outcome.ADMITTED)


def _conversation(endpoint: Endpoint, security: Security, deadline: Deadline, context: CheckContext) -> Conversation:
    if endpoint.protocol is Protocol.HTTPS:
        from checks.protocols.exchange.probe import ExchangeConversation  # whoever has no Exchange need not load it

        return ExchangeConversation(endpoint, security, deadline)
    return Conversation(endpoint, security, deadline, context.client)


def _outcome(fault: Fault, stream: Stream, talk: Conversation) -> Outcome:
    """What the server does with the address: whoever has said anything else to us has let us in."""
    if fault.code in _WORDS:
        return _WORDS[fault.code]
    if stream.received or talk.shake is not None:
        return Outcome.ADMITTED
    if fault.code in _LATE:
        return Outcome.SILENT
    return Outcome.CLOSED if fault.code is Code.CONNECT_CLOSED else Outcome.ADMITTED
