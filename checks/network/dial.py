"""The network below a check: names, connections, and one deadline over everything.

An `OSError` becomes a `Fault` in `fault_of` and nowhere else, most specific first: certificate errors, name errors and
time-outs are all `OSError`.
"""

import contextlib
import errno
import os
import selectors
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from checks.codes import Code
from checks.model import Fault
from checks.network.address_policy import AddressPolicy, parsed
from checks.network.way_out import WayOut, require

MAX_ADDRESSES = 8
CONNECT_SECONDS = 10.0
_GRACE_SECONDS = 1.0  # how long the other addresses may still answer once one did


class Deadline:
    """One end for a whole check, so that a byte a second cannot stretch it."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    def remaining(self) -> float:
        """Seconds left, always above zero. Raises `TimeoutError` when there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("the deadline has passed")
        return left

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        """The time within the block does not count."""
        begun = time.monotonic()
        try:
            yield
        finally:
            self._end += time.monotonic() - begun


def resolve(host: str, port: int, policy: AddressPolicy, deadline: Deadline) -> tuple[str, ...]:
    """The numeric addresses of a host that the policy admits, in the system's order, at most `MAX_ADDRESSES`.

    `port` 0: nobody will connect there. Raises `Fault` (`dns.*`, `address.*`), which does not tell what the name leads
    to: whoever asks may be none that should know.
    """
    found = _look_up(host, port, deadline)
    admitted = tuple(address for address in found if policy.admits(address))[:MAX_ADDRESSES]
    if not admitted:
        raise Fault(Code.ADDRESS_NOT_ALLOWED)
    open_ones = tuple(address for address in admitted if port == 0 or policy.admits_port(address, port))
    if not open_ones:
        require(policy, admitted[0], port)
    return open_ones


def _look_up(host: str, port: int, deadline: Deadline) -> tuple[str, ...]:
    try:
        return (str(parsed(host)),)
    except ValueError:
        pass
    if host.rpartition(".")[2] == "invalid":  # RFC 6761, 6.4: it never exists, nobody need be asked
        raise Fault(Code.DNS_NOT_FOUND, "the top-level domain .invalid never resolves (RFC 6761)")
    return _ask_resolver(host, port, deadline)


def _ask_resolver(host: str, port: int, deadline: Deadline) -> tuple[str, ...]:
    """getaddrinfo has no time-out of its own, so it runs in a thread that may be left behind."""
    answer: list[tuple[str, ...] | OSError | UnicodeError] = []

    def ask() -> None:
        try:
            rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answer.append(tuple(dict.fromkeys(str(row[4][0]) for row in rows)))
        except (OSError, UnicodeError) as error:
            answer.append(error)

    thread = threading.Thread(target=ask, name="resolve", daemon=True)
    thread.start()
    thread.join(deadline.remaining())
    if not answer:
        raise Fault(Code.DNS_TEMPORARY, "the resolver did not answer in time")
    if isinstance(answer[0], OSError):
        raise fault_of(answer[0])
    if isinstance(answer[0], UnicodeError):
        raise Fault(Code.DNS_NOT_FOUND, "no valid host name")
    return answer[0]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One address tried: a connected socket, or why there is none."""

    address: str
    sock: socket.socket | None
    fault: Fault | None


def dial(addresses: Sequence[str], port: int, deadline: Deadline, way_out: WayOut) -> socket.socket:
    """A connection to the first address that answers, tried in order. Raises the last address's `Fault`."""
    fault = Fault(Code.DNS_NO_ADDRESS)
    for address in addresses:
        try:
            return _connected(address, port, min(CONNECT_SECONDS, deadline.remaining()), way_out)
        except Fault as not_allowed:
            fault = not_allowed
        except OSError as error:
            fault = connect_fault(error)
    raise fault


def _connected(address: str, port: int, seconds: float, way_out: WayOut) -> socket.socket:
    sock = way_out.socket_to(address, port)
    try:
        sock.settimeout(seconds)
        sock.connect((address, port))
    except BaseException:
        sock.close()
        raise
    return sock


def dial_all(addresses: Sequence[str], port: int, deadline: Deadline, way_out: WayOut) -> list[Attempt]:
    """Every address tried at the same time, in the order given. All but the first connected socket are closed."""
    if len(addresses) == 1:
        return [_attempt(addresses[0], port, deadline, way_out)]  # most names have one: no selector for it
    end = time.monotonic() + min(CONNECT_SECONDS, deadline.remaining())
    outcome: dict[str, socket.socket | Fault] = {}
    with selectors.DefaultSelector() as selector:
        for address in addresses:
            _begin(address, port, way_out, selector, outcome)
        while selector.get_map() and (left := end - time.monotonic()) > 0:
            for key, _ in selector.select(left):
                if _settle(key, selector, outcome):
                    end = min(end, time.monotonic() + _GRACE_SECONDS)
        for key in list(selector.get_map().values()):
            outcome[key.data] = Fault(Code.CONNECT_TIMEOUT, "no answer")
            _socket_of(key).close()
    return _keep_first([(address, outcome[address]) for address in addresses])


def _attempt(address: str, port: int, deadline: Deadline, way_out: WayOut) -> Attempt:
    seconds = min(CONNECT_SECONDS, deadline.remaining())
    try:
        return Attempt(address, _connected(address, port, seconds, way_out), None)
    except Fault as not_allowed:
        return Attempt(address, None, not_allowed)
    except OSError as error:
        return Attempt(address, None, connect_fault(error))


def _begin(
    address: str,
    port: int,
    way_out: WayOut,
    selector: selectors.BaseSelector,
    outcome: dict[str, socket.socket | Fault],
) -> None:
    try:
        sock = way_out.socket_to(address, port)
    except Fault as not_allowed:
        outcome[address] = not_allowed
        return
    except OSError as error:  # no such source address, or no IPv6 on this machine
        outcome[address] = connect_fault(error)
        return
    sock.setblocking(False)
    status = sock.connect_ex((address, port))
    if status in (0, errno.EINPROGRESS):
        selector.register(sock, selectors.EVENT_WRITE, address)
        return
    sock.close()
    outcome[address] = connect_fault(OSError(status, os.strerror(status)))


def _settle(
    key: selectors.SelectorKey, selector: selectors.BaseSelector, outcome: dict[str, socket.socket | Fault]
) -> bool:
    sock = _socket_of(key)
    selector.unregister(sock)
    status = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if status:
        sock.close()
        outcome[key.data] = connect_fault(OSError(status, os.strerror(status)))
        return False
    outcome[key.data] = sock
    return True


def _socket_of(key: selectors.SelectorKey) -> socket.socket:
    sock = key.fileobj
    if not isinstance(sock, socket.socket):
        raise TypeError("only sockets are registered")
    return sock


def _keep_first(tried: Sequence[tuple[str, socket.socket | Fault]]) -> list[Attempt]:
    attempts: list[Attempt] = []
    for address, end in tried:
        if isinstance(end, Fault):
            attempts.append(Attempt(address, None, end))
            continue
        if any(attempt.sock for attempt in attempts):
            end.close()
            attempts.append(Attempt(address, None, None))
        else:
            attempts.append(Attempt(address, end, None))
    return attempts


def connect_fault(error: OSError) -> Fault:
    """Why no connection came about."""
    if isinstance(error, TimeoutError) or error.errno == errno.ETIMEDOUT:
        return Fault(Code.CONNECT_TIMEOUT, "no answer")
    return fault_of(error)


_UNREACHABLE = {
    errno.ENETUNREACH,
    errno.EHOSTUNREACH,
    errno.EADDRNOTAVAIL,
    errno.EAFNOSUPPORT,
    errno.ENETDOWN,
    errno.EACCES,
    errno.EPERM,
}
_NO_SUCH_NAME = {socket.EAI_NONAME, getattr(socket, "EAI_ADDRFAMILY", socket.EAI_NONAME)}


def fault_of(error: OSError) -> Fault:
    """An `OSError` of a socket as a `Fault`, most specific first. Certificate errors are `checks.tls.handshake`'s."""
    if isinstance(error, socket.gaierror):
        return Fault(_name_code(error.errno), error.strerror or "")
    if isinstance(error, TimeoutError):
        return Fault(Code.DEADLINE, "no answer in time")
    if isinstance(error, ssl.SSLError):
        return Fault(Code.CONNECT_CLOSED, error.reason or str(error))
    if isinstance(error, ConnectionRefusedError):
        return Fault(Code.CONNECT_REFUSED, "Connection refused")
    if error.errno in _UNREACHABLE:
        return Fault(Code.CONNECT_UNREACHABLE, error.strerror or "")
    return Fault(Code.CONNECT_CLOSED, error.strerror or "connection closed")


def _name_code(number: int | None) -> Code:
    if number in _NO_SUCH_NAME:
        return Code.DNS_NOT_FOUND
    if number == getattr(socket, "EAI_NODATA", None):
        return Code.DNS_NO_ADDRESS
    return Code.DNS_TEMPORARY
