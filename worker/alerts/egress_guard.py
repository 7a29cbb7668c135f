"""Runs what others wrote, on input of others, so that it connects to admitted addresses only and ends in time.

Python announces what a thread is about to do (PEP 578, audit events), and a hook may refuse it. That is the one place
that every library passes, with the numeric address that is really connected to: a name that is asked twice cannot
answer differently, and a redirect leads nowhere else. Threads that are started in between are not watched.
"""

import logging
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from checks.network.address_policy import AddressPolicy

T = TypeVar("T")

_CONNECTS = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
_FORBIDDEN = frozenset(
    {
        "subprocess.Popen",
        "os.system",
        "os.exec",
        "os.fork",
        "os.forkpty",
        "os.posix_spawn",
    }
)
# These log whole URLs, which have tokens in their paths.
_TALKATIVE = ("urllib3.connectionpool", "urllib3.connection", "urllib3.util.retry")

_GRACE_SECONDS = 1.0

_here = threading.local()
_installing = threading.Lock()
_installed = threading.Event()


class NotAllowed(Exception):
    """A connection, or something else, that is not allowed; says which, in one line."""


class OutOfTime(Exception):
    """The time is over. What was begun goes on by itself, without connections."""


@dataclass
class _Guard(Generic[T]):
    policy: AddressPolicy
    refused: str = ""
    sockets: list[socket.socket] = field(default_factory=list)
    over: bool = False
    outcome: list[T] = field(default_factory=list)
    error: BaseException | None = None
    turn: threading.Lock = field(default_factory=threading.Lock)

    def judge(self, event: str, args: tuple[Any, ...]) -> None:
        if event in _FORBIDDEN:
            self._refuse(f"{event} is not allowed here")
        elif event in _CONNECTS:
            self._judge_address(args[1])
            self._keep(args[0])

    def _judge_address(self, address: object) -> None:
        host, port = (str(address[0]), address[1]) if isinstance(address, tuple) and address else (str(address), 0)
        try:
            admitted = self.policy.admits(host)
        except ValueError:  # a path of this machine, or a name that nobody has looked up
            admitted = False
        if not admitted:  # without the address: a name may lead inside, and whoever reads this be from outside
            self._refuse("the address is not public, or not among those that the operator allows")
        if not self.policy.admits_port(host, port):
            self._refuse(f"port {port} is not among those that the operator allows")

    def _refuse(self, why: str) -> None:
        self.refused = why
        raise PermissionError(why)

    def _keep(self, sock: socket.socket) -> None:
        with self.turn:
            if self.over:
                self._refuse("the time is over")
            self.sockets.append(sock.dup())  # the library hands its own on to TLS; this one stays with the connection

    def end(self) -> None:
        """Ends the connections, those that are still open."""
        with self.turn:
            self.over = True
        for sock in self.sockets:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()


def guarded(work: Callable[[], T], policy: AddressPolicy, seconds: float) -> T:
    """What `work` returns, run in a thread of its own for at most so many seconds. Raises what it raises.

    Raises `NotAllowed` where it failed, or came to nothing (`False`), after something that is not allowed, and
    `OutOfTime`.
    """
    _install()
    guard: _Guard[T] = _Guard(policy)
    thread = threading.Thread(target=_work, args=(work, guard), name="guarded", daemon=True)
    thread.start()
    thread.join(seconds)
    late = thread.is_alive()
    guard.end()
    thread.join(_GRACE_SECONDS)  # without connections it ends soon, and may turn out to have been successful
    if late and not any(guard.outcome):
        raise OutOfTime(f"no answer within {seconds:.0f} seconds")
    if guard.refused and not any(guard.outcome):
        raise NotAllowed(guard.refused) from None
    if guard.error:
        raise guard.error
    return guard.outcome[0]


def _work(work: Callable[[], T], guard: _Guard[T]) -> None:
    _here.guard = guard
    try:
        guard.outcome.append(work())
    except BaseException as error:  # noqa: BLE001 - it is raised again in the thread that waits
        guard.error = error


def _install() -> None:
    """Once in a process: a hook cannot be taken away again, but does nothing in threads that are not guarded."""
    with _installing:
        if _installed.is_set():
            return
        sys.addaudithook(_watch)
        for name in _TALKATIVE:
            logging.getLogger(name).addFilter(lambda _record: current() is None)
        _installed.set()


def _watch(event: str, args: tuple[Any, ...]) -> None:
    guard = current()
    if guard is not None:
        guard.judge(event, args)


def current() -> "_Guard[Any] | None":
    """Who watches over this thread, None for ordinary ones."""
    return getattr(_here, "guard", None)
