"""The use cases of the watch after applying: whether anybody watches, to be the one who does, and to look on."""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass

from sqlalchemy import Connection

from checks.model import Unavailable
from settings_store import heartbeats
from settings_store.changes import changes, watches
from settings_store.changes.lifecycle import ChangeState, refusal
from settings_store.runs import outcomes
from worker.service.bound_to import Binding

_POLL_SECONDS = 0.5
_PATIENCE_SECONDS = 60.0  # whoever has just begun is seen after the first round of beat


@dataclass(frozen=True, slots=True)
class Round:
    """One check of the watched mailboxes that has ended. Times are UTC seconds since 1970."""

    ended_at: float
    ok: int
    fail: int
    inconclusive: int


@dataclass(frozen=True, slots=True)
class Watched:
    """How far a watch is. `until` is None once nobody is to watch any more; `trouble` why, where more fail than may."""

    until: float | None
    rounds: list[Round]
    rolled_back: bool
    trouble: str

    @property
    def never(self) -> bool:
        """Whether nobody was to watch."""
        return self.until is None and not (self.rounds or self.rolled_back or self.trouble)

    @property
    def over(self) -> bool:
        """Whether there is nothing more to see."""
        return self.until is None or self.rolled_back


@dataclass(frozen=True, slots=True)
class Watches:
    """Of one account. Each that takes a change raises `Invalid` where the account does not have it."""

    _to: Binding

    def anybody(self) -> bool:
        """Whether beat and workers are at work, so that what is to be watched is."""
        with self._to.database.read() as conn:
            return heartbeats.all_at_work(conn, self._to.database.now())

    def watching(self) -> AbstractContextManager[None]:
        """Somebody watches meanwhile: those who are at work, else this process, as `serve` does.

        Raises `Unavailable` when the broker does not answer.
        """
        return self._to.watching()

    def follow(self, change_id: str) -> Iterator[Watched]:
        """The watch of a change whenever there is news, until it is over.

        Raises `Refused` for one that was not applied, and `Unavailable` once those who watched are gone.
        """
        begun = time.monotonic()
        last, found = None, self.look(change_id)
        while True:
            if found != last:
                yield found
            if found.over:
                return
            if time.monotonic() - begun > _PATIENCE_SECONDS and not self.anybody():
                raise Unavailable(f"nobody watches any more; `mail-preflight watch {change_id}` does")
            time.sleep(_POLL_SECONDS)
            last, found = found, self.look(change_id)

    def look(self, change_id: str) -> Watched:
        """How far the watch of a change is."""
        with self._to.database.read() as conn:
            change = changes.get(conn, self._to.account_id, change_id)
            if change.state not in (ChangeState.APPLIED, ChangeState.ROLLED_BACK):
                raise refusal(change.state, "watched", change.id)
            rounds = [self._round(conn, *ended) for ended in watches.ended_rounds(conn, change.id)]
            until = change.watch_until if watches.goes_on(conn, change.id) else None
            rolled_back = change.state is ChangeState.ROLLED_BACK
            return Watched(until, rounds, rolled_back, watches.trouble(conn, change.id))

    def _round(self, conn: Connection, run_id: str, ended_at: float) -> Round:
        tally = outcomes.tally(conn, run_id)
        return Round(ended_at, tally.ok, tally.fail, tally.inconclusive)
