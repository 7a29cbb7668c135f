"""`/v1/test/clock`: the clock of the sandbox, for test keys."""

from typing import Annotated

from pydantic import Field

from settings_store.access.roles import Right
from web.access.granted import needs_in_sandbox
from web.access.routing import router
from web.documents import Document, Request
from worker.service.account import Account

routes = router("sandbox")

_LONGEST = 400 * 86400


class ClockRequest(Request):
    """How much time is to pass."""

    advance_seconds: int = Field(ge=1, le=_LONGEST, examples=[86400])


class ClockDocument(Document):
    """How far the clock of the sandbox is ahead, in seconds, of the time that it was made."""

    ahead_seconds: int


@routes.get("/v1/test/clock", operation_id="test_clock.get", summary="Get the clock of the sandbox")
def get(account: Annotated[Account, needs_in_sandbox(Right.READ)]) -> ClockDocument:
    """How far the clock is ahead."""
    return ClockDocument(ahead_seconds=int(account.clock.ahead()))


@routes.post("/v1/test/clock", operation_id="test_clock.advance", summary="Put the clock of the sandbox forward")
def advance(wanted: ClockRequest, account: Annotated[Account, needs_in_sandbox(Right.CHANGE)]) -> ClockDocument:
    """Lets time pass in the sandbox, with the health checks of the last hour of it."""
    return ClockDocument(ahead_seconds=int(account.clock.advance(wanted.advance_seconds)))
