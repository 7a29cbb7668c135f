"""The connections of one endpoint check: the first, to whichever address answers, and a few more to look again."""

import socket
from collections.abc import Sequence

from checks.codes import CODES, Code
from checks.context import CheckContext
from checks.model import Endpoint, Fault
from checks.network.dial import Attempt, Deadline, dial_all, resolve
from checks.network.stream import Stream
from checks.protocols.steps import Steps, seconds

MAX_CONNECTIONS = 6
"""Connections of one check. Servers count those that do not log in, and ban whoever makes many."""
MAX_OTHERS = 3
_LOOK_SECONDS = 4.0  # for a look at another address, which must not use up the check's time


class Connections:
    """`address` is the one that answered first, `others` further ones that answered, `silent` those that did not."""

    def __init__(self, endpoint: Endpoint, context: CheckContext, deadline: Deadline) -> None:
        self._endpoint = endpoint
        self._context = context
        self._deadline = deadline
        self.steps = Steps(deadline)
        self.address: str | None = None
        self.others: tuple[str, ...] = ()
        self.silent: tuple[str, ...] = ()
        self.count = 0

    def reach(self) -> socket.socket:
        """The first connection. Raises `Fault`."""
        endpoint, context = self._endpoint, self._context
        with self.steps.step("resolve", Code.DNS_TEMPORARY) as note:
            addresses = resolve(endpoint.host, endpoint.port, context.policy, self._deadline)
            note.append(", ".join(addresses))
        with self._deadline.stopped():
            context.admit(addresses)
        with self.steps.step("connect", Code.CONNECT_TIMEOUT) as note:
            attempts = dial_all(addresses, endpoint.port, self._deadline, context.way_out)
            note.append("; ".join(map(_words, attempts)))
            self.address, sock = _first_connected(attempts)
        self.count = 1
        self.others = tuple(each.address for each in attempts if not each.sock and not each.fault)[:MAX_OTHERS]
        # Apart from those we have no way to, such as IPv6 from an IPv4 host.
        self.silent = tuple(
            each.address for each in attempts if each.fault and each.fault.code is not Code.CONNECT_UNREACHABLE
        )
        return sock

    def again(self, address: str | None = None) -> Stream:
        """Another connection, to the address that answered unless another is given.

        Raises `Fault`, and only such as may be gone in a minute.
        """
        if self.count >= MAX_CONNECTIONS:
            raise Fault(Code.DEADLINE, "enough connections for one check", **seconds(self._deadline))
        self.count += 1
        try:
            deadline = self._deadline if address is None else Deadline(min(_LOOK_SECONDS, self._deadline.remaining()))
            at = [address or self.address or ""]
            attempts = dial_all(at, self._endpoint.port, deadline, self._context.way_out)
            return Stream(_first_connected(attempts)[1], deadline)
        except TimeoutError:
            raise Fault(Code.DEADLINE, "no answer in time", **seconds(self._deadline)) from None
        except Fault as fault:
            # It answered a moment ago: what it says now is about this moment, not about the settings.
            raise Fault(Code.CONNECT_CLOSED, fault.seen) from None


def _first_connected(attempts: Sequence[Attempt]) -> tuple[str, socket.socket]:
    """The first address that answered. Raises `Fault`: an address that may answer in a minute outweighs a refusal."""
    for attempt in attempts:
        if attempt.sock is not None:
            return attempt.address, attempt.sock
    faults = [attempt.fault for attempt in attempts if attempt.fault]
    # One that we have no way to, such as IPv6 from an IPv4 host, says nothing where another did.
    telling = [fault for fault in faults if fault.code is not Code.CONNECT_UNREACHABLE] or faults
    chosen = next((fault for fault in telling if not CODES[fault.code].permanent), telling[0])
    raise Fault(chosen.code, "; ".join(map(_words, attempts)), **chosen.facts)


def _words(attempt: Attempt) -> str:
    return f"{attempt.address}: {attempt.fault.seen or attempt.fault.code}" if attempt.fault else attempt.address
