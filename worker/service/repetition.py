"""A request that is sent again does nothing again: what it did and what it was answered are one transaction."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from settings_store.access import answers
from settings_store.access.answers import Answer, Asked
from settings_store.db import Database
from settings_store.secrets import Vault


class Outcome(StrEnum):
    """What became of a request that may be a repetition."""

    DONE = "done"
    REPLAYED = "replayed"
    UNDER_WAY = "under_way"
    """The same key is at work: nothing was done."""
    REUSED = "reused"
    """The key was sent with another request: nothing was done."""


Told = tuple[Outcome, Answer | None]
"""The answer is None where nothing was done."""


@dataclass
class Repetition:
    """Of one database. `at_work` are the keys that this process works on.

    Each raises `AnswerLost` where the answer to be repeated cannot be decrypted.
    """

    database: Database
    vault: Vault
    at_work: set[tuple[str, str]] = field(default_factory=set)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def once(self, asked: Asked, act: Callable[[], Answer]) -> Told:
        """Does `act` in one transaction with the keeping of its answer, or repeats the answer of the first time.

        Whatever `act` raises rolls all of it back, and nothing is kept: it may be asked for again.
        """
        with self._alone(asked) as alone:
            if not alone:
                return Outcome.UNDER_WAY, None
            with self.database.joined() as conn:
                if not answers.claim(conn, asked):
                    return Outcome.UNDER_WAY, None
                now = self.database.now()
                if (kept := answers.find(conn, self.vault, asked, now)) is not None:
                    return _repeated(asked, kept)
                answer = act()
                answers.keep(conn, self.vault, asked, answer, now)
            return Outcome.DONE, answer

    def reserve(self, asked: Asked) -> Told | None:
        """Begins what must not be one transaction, as it asks others; None: go on, then `keep` or `release`.

        For what leaves nothing behind: where we are killed meanwhile, it is done again after two minutes.
        """
        with self.database.begin() as conn:
            if not answers.claim(conn, asked):
                return Outcome.UNDER_WAY, None
            now = self.database.now()
            if (kept := answers.find(conn, self.vault, asked, now)) is not None:
                return _repeated(asked, kept)
            answers.reserve(conn, self.vault, asked, now)
        return None

    def keep(self, asked: Asked, answer: Answer) -> None:
        """Keeps the answer of what was reserved."""
        with self.database.begin() as conn:
            answers.keep(conn, self.vault, asked, answer, self.database.now())

    def release(self, asked: Asked) -> None:
        """What was reserved has failed, and may be asked for again."""
        with self.database.begin() as conn:
            answers.release(conn, asked)

    @contextlib.contextmanager
    def _alone(self, asked: Asked) -> Iterator[bool]:
        """Whether no other thread of this process works on the key: it would wait for the first one's transaction."""
        mine = asked.caller, asked.key
        with self._guard:
            alone = mine not in self.at_work
            self.at_work.add(mine)
        try:
            yield alone
        finally:
            if alone:
                self.at_work.discard(mine)


def _repeated(asked: Asked, kept: answers.Kept) -> Told:
    if kept.fingerprint != asked.fingerprint:
        return Outcome.REUSED, None
    return (Outcome.REPLAYED, kept.answer) if kept.answer else (Outcome.UNDER_WAY, None)
