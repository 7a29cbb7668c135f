"""Asking several things at once, each of which notes what came of it."""

from collections.abc import Callable, Iterable
from concurrent.futures import Executor, Future, wait
from dataclasses import dataclass
from typing import TypeVar

from checks import redact
from checks.discovery.model import Attempt, Candidate, Outcome, Source, Subject
from checks.discovery.web import Outside, Unpublished, of_fault
from checks.model import Fault
from checks.network.dial import Deadline
from checks.network.dns import Answer, Kind

Found = tuple[Candidate, ...]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a source is given: about whom, how it reaches the world, until when, and threads for asking at once."""

    subject: Subject
    outside: Outside
    deadline: Deadline
    pool: Executor

    def at_once(self, calls: Iterable[Callable[[], T]]) -> list[T]:
        """What each of the calls returns, in their order. Raises the first exception, when all have ended."""
        futures: list[Future[T]] = [self.pool.submit(call) for call in calls]
        wait(futures)
        return [future.result() for future in futures]

    def records(self, source: Source, name: str, kind: Kind) -> tuple[Answer, Attempt]:
        """What the DNS has of a name, and the note of it."""
        what = f"{kind} {name}"
        try:
            answer = self.outside.dns.ask(name, kind, self.deadline)
        except Fault as fault:
            return Answer(), Attempt(source, what, Outcome.NO_ANSWER, redact.words(fault.seen))
        except TimeoutError:
            return Answer(), Attempt(source, what, Outcome.NO_ANSWER, "no answer in time")
        outcome = Outcome.FOUND if answer.records else Outcome.NOTHING
        return answer, Attempt(source, what, outcome, "DNSSEC" if answer.authenticated else "")


def noted(source: Source, what: str, ask: Callable[[], Found]) -> tuple[Found, Attempt]:
    """What asking came to, and the note of it."""
    try:
        found = ask()
    except Unpublished as nothing:
        return (), Attempt(source, what, nothing.outcome, redact.words(nothing.seen))
    except Fault as fault:
        told = of_fault(fault)
        return (), Attempt(source, what, told.outcome, told.seen)
    except TimeoutError:
        return (), Attempt(source, what, Outcome.NO_ANSWER, "no answer in time")
    return found, Attempt(source, what, Outcome.FOUND if found else Outcome.UNUSABLE)
