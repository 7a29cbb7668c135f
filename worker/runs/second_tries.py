"""Mailboxes whose server wants to be left alone for a while: each comes up once more in the same run."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from settings_store.runs.outcomes import Done
from settings_store.runs.pages import Work


@dataclass(frozen=True, slots=True)
class _PutOff:
    moment: float
    work: Work
    done: Done = field(repr=False)


class SecondTries:
    """Of one lane, used by its loop only. Of no more mailboxes than the lane has pages of."""

    def __init__(self) -> None:
        self._in_hand: dict[int, Work] = {}
        self._put_off: list[_PutOff] = []
        self._waited: dict[str, tuple[int, float]] = {}

    def take(self, work: Sequence[Work]) -> None:
        """These mailboxes are about to be tried."""
        self._in_hand.update((each.mailbox_id, each) for each in work)

    def put_off(self, results: Sequence[Done]) -> list[Done]:
        """Keeps back those that are worth a second try. Returns the others, which are done with."""
        done_with = []
        for done in results:
            work = self._in_hand.pop(done.mailbox_id, None)
            if work is None or work.again or not done.result.wait:
                done_with.append(done)
                continue
            again = replace(work, again=True, skip=done.reached)
            self._put_off.append(_PutOff(time.monotonic() + done.result.wait, again, done))
            protocol = done.result.protocol.value
            count, longest = self._waited.get(protocol, (0, 0.0))
            self._waited[protocol] = (count + 1, max(longest, done.result.wait))
        return done_with

    def due(self) -> list[Work]:
        """Those whose time has come."""
        now = time.monotonic()
        found = [each.work for each in self._put_off if each.moment <= now]
        self._put_off = [each for each in self._put_off if each.moment > now]
        self.take(found)
        return found

    def give_up(self) -> list[Done]:
        """What came of the first try of those that still wait."""
        left, self._put_off = self._put_off, []
        return [each.done for each in left]

    @property
    def waited(self) -> dict[str, tuple[int, float]]:
        """Protocol -> how many mailboxes were put off for its server, and for how many seconds at most."""
        return self._waited
