"""Which of several SASL mechanisms the logins of one route use, and what was learned of them.

The clients that we predict for go on to the next mechanism when one fails, whatever the reason. We do so too where the
server refuses the mechanism. Where it rejects the *password* by one, a guard would count two failures for one login, so
another mechanism is tried then by one login of a run only; what that shows holds for the endpoint.
"""

import contextlib
import threading
from collections.abc import Iterator, Sequence

TURNS = 3
"""So many logins go one by one, until one of them has shown which mechanism works: else each might learn it anew."""


class Choice:
    """Shared by the logins of a route. `works` is the mechanism that a login succeeded with, '' before one did."""

    def __init__(self, works: str = "", *, may_learn: bool = False) -> None:
        """`may_learn`: one login may try another mechanism after a rejection."""
        self.works = works
        self._may_learn = may_learn
        self._turns = TURNS
        self._next = 0
        self._one = threading.Lock()
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def turn(self, ways: Sequence[str]) -> Iterator[None]:
        """Waits for its turn where there is a choice, and nobody has learned what it comes to."""
        if len(ways) < 2 or self.works:
            yield
            return
        with self._one:
            first = self._turns > 0 and not self.works
            self._turns -= first
            if first:
                yield
                return
        yield

    def order(self, ways: Sequence[str]) -> Sequence[str]:
        """The mechanisms for one login, of those that the client would try.

        What comes before the one that works is left out. While none does and no second one may be tried, they take
        turns: whichever succeeds, the client would come to it as well.
        """
        if self.works in ways:
            return ways[ways.index(self.works) :]
        with self._lock:
            if self._may_learn or not ways:
                return ways
            first = self._next % len(ways)
            self._next += 1
        return [*ways[first:], *ways[:first]]

    def another(self, mechanism: str) -> bool:
        """Whether a login whose password was rejected by a mechanism may try another one; one does, once.

        It may where the mechanism has worked for nobody, or needs passwords that the server keeps in clear: for some
        mailboxes it may not have them.
        """
        with self._lock:
            if not self._may_learn or (self.works and mechanism != "CRAM-MD5"):
                return False
            self._may_learn = False
            self._next = 1  # the first one is known to reject somebody
            return True
