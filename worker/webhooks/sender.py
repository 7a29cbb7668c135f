"""Posts one message to a receiver: one connection, to an address that is admitted, and only the status is looked at.

The name is looked up once, and what is connected to is the very address that was judged: a name that answers otherwise
the next time leads nowhere else. Redirects are not followed, proxies of the environment not used. What the receiver
says is not kept: the one who reads our errors may be none that should read its answers.
"""

import functools
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field

import certifi

from checks.codes import Code
from checks.model import Fault
from checks.network.address_policy import AddressPolicy, in_any, parsed
from checks.network.dial import Deadline, dial, fault_of, resolve
from checks.network.http import USER_AGENT, Reply, Request, head_of_answer
from checks.network.stream import Stream
from checks.network.way_out import Source, WayOut
from worker.webhooks import schedule
from worker.webhooks.target import Target

SECONDS = 20.0
"""The longest that one attempt may take; Standard Webhooks 1.0.0 wants 15 to 30."""
_ADDRESSES = 3


@dataclass(frozen=True, slots=True)
class Network:
    """Where webhooks may go: `policy` as for checks; over `http:` only where `plain`, or in networks of the policy."""

    policy: AddressPolicy
    plain: bool
    source: Source = field(default_factory=Source)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an attempt. `status` is None where there was no answer, `error` '' where it was successful.

    `wish` is for how many seconds the receiver wants to be left alone, None where it does not say.
    """

    status: int | None
    error: str
    wish: float | None = None

    @property
    def sent(self) -> bool:
        return not self.error


def post(
    target: Target, headers: Mapping[str, str], body: bytes, network: Network, now: float, seconds: float = SECONDS
) -> Outcome:
    """Sends these bytes. `now` is UTC seconds since 1970. Raises nothing that a receiver or a network may cause."""
    deadline = Deadline(seconds)
    try:
        reply = _exchange(target, headers, body, network, deadline)
    except Fault as fault:
        return Outcome(None, _words(fault, seconds))
    except ssl.SSLCertVerificationError as error:
        return Outcome(None, f"the certificate cannot be verified: {error.verify_message}")
    except ssl.SSLError:
        return Outcome(None, "TLS could not be set up")
    except OSError as error:
        return Outcome(None, _words(fault_of(error), seconds))
    return _judged(reply, now)


def _exchange(target: Target, headers: Mapping[str, str], body: bytes, network: Network, deadline: Deadline) -> Reply:
    fields = {"Content-Type": "application/json", "User-Agent": USER_AGENT, "Connection": "close", **headers}
    request = Request("POST", target.path, target.authority, tuple(fields.items()), body)
    addresses = _admitted(target, network, deadline)
    stream = Stream(dial(addresses, target.port, deadline, WayOut(network.policy, network.source)), deadline)
    try:
        if target.encrypted:
            stream.sock.settimeout(deadline.remaining())
            stream.sock = _context().wrap_socket(stream.sock, server_hostname=target.host)
        return head_of_answer(stream, request.encoded())
    finally:
        stream.close()


def _admitted(target: Target, network: Network, deadline: Deadline) -> tuple[str, ...]:
    addresses = resolve(target.host, target.port, network.policy, deadline)
    if target.encrypted or network.plain:
        return addresses[:_ADDRESSES]
    listed = tuple(address for address in addresses if in_any(parsed(address), network.policy.networks))
    if not listed:
        raise Fault(Code.ADDRESS_NOT_ALLOWED)
    return listed[:_ADDRESSES]


@functools.cache
def _context() -> ssl.SSLContext:
    """Verifies, with the public roots and those of this machine."""
    context = ssl.create_default_context(cafile=certifi.where())
    context.set_default_verify_paths()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _judged(reply: Reply, now: float) -> Outcome:
    status = reply.status
    if 200 <= status < 300:
        return Outcome(status, "")
    error = f"HTTP status {status}"
    if 300 <= status < 400:
        error += "; redirects are not followed"
    if status == schedule.GONE:
        error += "; the receiver wants nothing any more"
    return Outcome(status, error, schedule.wish(reply.header("retry-after"), now))


def _words(fault: Fault, seconds: float) -> str:
    """Why there was no answer, without what the other side said."""
    if fault.code is Code.ADDRESS_NOT_ALLOWED:
        return "the address is not public, or not among those that the operator allows"
    if fault.code is Code.ADDRESS_PORT:
        return f"port {fault.facts['port']} is not among those that the operator allows"
    if fault.code in (Code.DEADLINE, Code.CONNECT_TIMEOUT):
        return f"no answer within {seconds:.0f} seconds"
    return _WORDS.get(fault.code, "the answer was no HTTP")


_WORDS = {
    Code.DNS_NOT_FOUND: "the host name does not exist",
    Code.DNS_NO_ADDRESS: "the host name has no address",
    Code.DNS_TEMPORARY: "the host name could not be looked up",
    Code.CONNECT_REFUSED: "the connection was refused",
    Code.CONNECT_UNREACHABLE: "the address cannot be reached",
    Code.CONNECT_CLOSED: "the connection was closed before an answer",
}
