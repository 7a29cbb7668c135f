"""`/v1/test/clock`: the clock of the sandbox, for test keys."""

from typing import Annotated

from pydantic import Field

from checks.model import Unknown
from settings_store.access.roles import Right
from web.access.granted import needs
from web.access.routing import router
from web.documents import Document, Request
from web.problems.codes import ProblemCode
from web.problems.problem import Problem
from worker.service.account import Account

routes = router("sandbox")

_LONGEST = 400 * 86400


class ClockRequest(Request):
    """How much time is to pass."""

    advance_seconds: int = Field(ge=1, le=_LONGEST, examples=[86400])


class ClockDocument(Document):
    """How far the clock of the sandbox is ahead, in seconds, of the time that it was made."""

    ahead_seconds: int


@routes.get("/v1/test/clock", operation_id="test_clock.get")
def get(account: Annotated[Account, needs(Right.READ)]) -> ClockDocument:
    """How far the clock is ahead."""
    try:
        return ClockDocument(ahead_seconds=int(account.clock.ahead()))
    except Unknown:
        raise _only_in_a_sandbox() from None


@routes.post("/v1/test/clock", operation_id="test_clock.advance")
def advance(wanted: ClockRequest, account: Annotated[Account, needs(Right.CHANGE)]) -> ClockDocument:
    """Lets time pass in the sandbox, with the health checks of the last hour of it."""
    try:
        return ClockDocument(ahead_seconds=int(account.clock.advance(wanted.advance_seconds)))
    except Unknown:
        raise _only_in_a_sandbox() from None


def _only_in_a_sandbox() -> Problem:
    return Problem(ProblemCode.NOT_ALLOWED, "time can be moved with a test key only, in its sandbox")
