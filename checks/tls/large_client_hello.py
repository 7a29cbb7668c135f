"""Whether a first TLS message that takes several packets gets through.

With X25519MLKEM768, which OpenSSL offers by default from 3.5 on, a ClientHello has about 1,550 bytes instead of 500.
Some firewalls and load balancers wait for the rest of what they take for one packet, or drop it.
"""

import functools
import ssl
from collections.abc import Callable
from dataclasses import dataclass

from checks.codes import Code
from checks.model import Fault
from checks.tls.handshake import Handshake
from checks.trust import Trust, new_context

ONE_PACKET = 1_200
"""Bytes of a ClientHello that fit in one packet on any way: 1,280 of IPv6's least MTU (RFC 8200, 5), less headers."""
HANDSHAKE_SHARE = 0.5
"""Of the time that is left: a first handshake that gets no answer leaves time to ask why."""
_CUT_OFF = frozenset({Code.TLS_TIMEOUT, Code.CONNECT_CLOSED})
_NO_ANSWER = _CUT_OFF | {Code.DEADLINE}

WORKS, BLOCKED, NOT_TESTED = "works", "blocked", "not_tested"


@functools.cache
def hello_size() -> int:
    """The bytes of a ClientHello of this service: what the linked OpenSSL and the system's settings make of it."""
    return _size_of(new_context())


def sends_large() -> bool:
    """Whether our own handshakes begin with more than one packet. Older OpenSSLs cannot offer such a group."""
    return hello_size() > ONE_PACKET


def state_of_success() -> str:
    """What a handshake that came about says of large ClientHellos."""
    return WORKS if sends_large() else NOT_TESTED


def classical(trust: Trust) -> ssl.SSLContext:
    """As `trust.strict`, with P-256 as the only group: every server of TLS 1.3 must have it (RFC 8446, 9.1).

    Python before 3.15 can name one group and no more.
    """
    context = new_context(
        x509_strict=trust.x509_strict, ciphers=trust.ciphers, minimum=trust.minimum, names=trust.names
    )
    context.set_ecdh_curve("prime256v1")
    return context


@dataclass(frozen=True, slots=True)
class Blocked:
    """Large ClientHellos get no answer. `met` is what a small one brought, None where it was answered by a refusal."""

    met: Handshake | None


def blamed(fault: Fault, trust: Trust, shake: Callable[[ssl.SSLContext], Handshake]) -> Blocked | None:
    """Whether a handshake that ended in `fault` failed for the size of its ClientHello; None where it did not.

    `shake` meets the server again: only where a small ClientHello is answered and the usual one is not, once more, is
    its size the reason.
    """
    if fault.code not in _CUT_OFF or not sends_large():
        return None
    small, met = _answered(shake, classical(trust))
    if not small or _answered(shake, trust.strict)[0]:
        return None
    return Blocked(met)


def _answered(shake: Callable[[ssl.SSLContext], Handshake], context: ssl.SSLContext) -> tuple[bool, Handshake | None]:
    """Whether the server said anything; a refusal of what is offered is an answer too."""
    try:
        return True, shake(context)
    except Fault as fault:
        return fault.code not in _NO_ANSWER, None
    except TimeoutError:
        return False, None


def _size_of(context: ssl.SSLContext) -> int:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname="mail.example.com")
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        return outgoing.pending
    raise AssertionError("a handshake cannot end before the server has said anything")
