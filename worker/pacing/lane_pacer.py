"""How one lane behaves towards the servers of its run: how many logins at once, and when to stop altogether."""

import threading
from collections import deque
from collections.abc import Sequence

from checks.codes import Code, Verdict
from settings_store.runs.outcomes import Done
from settings_store.runs.pages import Work
from worker.pacing.pacer import Pacer, renew_all

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
    """Mailboxes in line, and threads that take them: so many under way at a time, and the number may change.

    Whoever takes one gets the right to log in with it, so nobody waits holding a right, or a mailbox.
    """

    def __init__(self) -> None:
        self._line: deque[Work] = deque()
        self._allowed = 0
        self._busy = 0
        self._closed = False
        self._moved = threading.Condition()

    @property
    def busy(self) -> int:
        """How many are under way."""
        return self._busy

    @property
    def waiting(self) -> int:
        """How many are in line."""
        return len(self._line)

    def put(self, work: Sequence[Work]) -> None:
        """Sends mailboxes to the end of the line."""
        with self._moved:
            self._line.extend(work)
            self._moved.notify_all()

    def take(self) -> Work | None:
        """The next mailbox, when it may be tried; `leave` has to follow. None once the gate is closed."""
        with self._moved:
            self._moved.wait_for(lambda: self._closed or (self._line and self._busy < self._allowed))
            if self._closed:
                return None
            self._busy += 1
            return self._line.popleft()

    def leave(self) -> None:
        """One is done."""
        with self._moved:
            self._busy -= 1
            self._moved.notify()

    def allow(self, count: int) -> None:
        """From now on, so many at a time; what is under way is not disturbed."""
        with self._moved:
            self._allowed = count
            self._moved.notify_all()

    def drain(self) -> list[Work]:
        """Empties the line, and returns who was in it."""
        with self._moved:
            left = list(self._line)
            self._line.clear()
            return left

    def close(self) -> None:
        """Nobody gets in any more."""
        with self._moved:
            self._closed = True
            self._moved.notify_all()


class LanePacer:
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
        self._learned = 0

    @property
    def starting(self) -> bool:
        """Whether the servers have yet to show that they bear as many logins as there are threads."""
        return self._learned < self._threads

    def renew(self) -> None:
        """Asks for as many slots as there are threads."""
        self.gate.allow(renew_all(self._pacer, self._servers, self._owner, self._threads, self.gate.busy))

    def learn(self, results: Sequence[Done]) -> Code | None:
        """Takes the results to heart. Returns the code of a failure that has come too often in a row."""
        good = sum(done.result.verdict is Verdict.OK for done in results)
        troubled = any(done.result.code in TROUBLE for done in results)
        self._learned += len(results)
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
        """Gives the slots back, when the last login is over."""
        for server in self._servers:
            self._pacer.renew(server, self._owner, 0)
