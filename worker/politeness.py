"""How one lane behaves towards the servers of its run: how many logins at once, and when to stop altogether."""

import threading
from collections.abc import Sequence

from checks.model import Code, Verdict
from settings_store.runs import Done
from worker.pacing import Pacer, renew_all

TROUBLE = frozenset(
    {
        Code.SERVER_THROTTLED,
        Code.SERVER_TOO_MANY_CONNECTIONS,
        Code.SERVER_BLOCKS_ADDRESS,
        Code.SERVER_UNAVAILABLE,
        Code.CONNECT_CLOSED,
        Code.CONNECT_REFUSED,
        Code.CONNECT_TIMEOUT,
        Code.DEADLINE,
    }
)
"""What a server says or does when it has had enough of us."""


class Gate:
    """Lets a number of threads through at a time, and the number may change."""

    def __init__(self) -> None:
        self._allowed = 0
        self._inside = 0
        self._moved = threading.Condition()

    def enter(self) -> None:
        """Waits for its turn."""
        with self._moved:
            while self._inside >= self._allowed:
                self._moved.wait()
            self._inside += 1

    def leave(self) -> None:
        """Makes room."""
        with self._moved:
            self._inside -= 1
            self._moved.notify()

    def allow(self, count: int) -> None:
        """From now on, so many at a time; those inside are not disturbed."""
        with self._moved:
            self._allowed = count
            self._moved.notify_all()


class Politeness:
    """One lane's. `like_failures` in a row, with no success between them, are too many."""

    def __init__(self, pacer: Pacer, servers: Sequence[str], owner: str, threads: int, like_failures: int) -> None:
        self.gate = Gate()
        self._pacer = pacer
        self._servers = tuple(dict.fromkeys(servers))
        self._owner = owner
        self._threads = threads
        self._limit = like_failures
        self._last: tuple[Verdict, Code] | None = None
        self._count = 0

    def renew(self) -> None:
        """Asks for as many slots as there are threads."""
        self.gate.allow(renew_all(self._pacer, self._servers, self._owner, self._threads))

    def learn(self, results: Sequence[Done]) -> Code | None:
        """Takes the results to heart. Returns the code of a failure that has come too often in a row."""
        good = sum(done.result.verdict is Verdict.OK for done in results)
        troubled = any(done.result.code in TROUBLE for done in results)
        for server in self._servers:
            if troubled:
                self._pacer.trouble(server)
            elif good:
                self._pacer.fine(server, good)
        self.renew()
        return self._too_many(results)

    def _too_many(self, results: Sequence[Done]) -> Code | None:
        for done in results:
            outcome = (done.result.verdict, done.result.code)
            self._count = self._count + 1 if outcome == self._last else 1
            self._last = outcome
            if done.result.verdict is not Verdict.OK and self._count >= self._limit:
                return done.result.code
        return None

    def end(self) -> None:
        """Gives the slots back and lets every thread out."""
        self.gate.allow(self._threads * 2)
        for server in self._servers:
            self._pacer.renew(server, self._owner, 0)
