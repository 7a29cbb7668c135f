"""An endpoint's check waits for its turn at the server, as logins do: it is a connection like theirs."""

import logging
import time
import uuid
from collections.abc import Sequence
from dataclasses import replace

from checks.context import CheckContext
from checks.model import Endpoint, EndpointResult
from checks.runner import check_endpoint
from worker.pacing.pacer import Pacer

log = logging.getLogger(__name__)

# With the longest check it stays below the lease of the step that checks: nobody else begins with it meanwhile.
PATIENCE_SECONDS = 10.0
_ASK_SECONDS = 0.02
_MARGIN_SECONDS = 5.0  # for what a check takes beyond its deadline


def check_in_turn(endpoint: Endpoint, context: CheckContext, pacer: Pacer) -> EndpointResult:
    """Checks an endpoint when there is a slot at its addresses, without credentials. Raises as `check_endpoint` does.

    Whoever waits here is the next to be served, so it takes as long as one login under way. Where no slot comes within
    `PATIENCE_SECONDS` the check goes on all the same: all slots have then been held for so long by logins that hang,
    and to leave the run for later would keep from its admin what there is to see, that the server hangs. It makes one
    connection more than the limit, and logs in nobody.
    """
    turn = _Turn(pacer, context.deadline_seconds + _MARGIN_SECONDS)
    try:
        return check_endpoint(endpoint, replace(context, admit=turn.take))
    finally:
        turn.give_back()


class _Turn:
    """The slots of one check."""

    def __init__(self, pacer: Pacer, seconds: float) -> None:
        self._pacer = pacer
        self._seconds = seconds
        self._owner = uuid.uuid4().hex
        self._servers: list[str] = []

    def take(self, addresses: Sequence[str]) -> None:
        """One slot at each address, for all are tried at once. In the same order for everybody."""
        end = time.monotonic() + PATIENCE_SECONDS
        for address in sorted(addresses):
            self._servers.append(address)
            while not self._pacer.enter(address, self._owner, self._seconds):
                if time.monotonic() > end:
                    log.warning("no slot came within %.0f s; an endpoint is checked without one", PATIENCE_SECONDS)
                    return
                time.sleep(_ASK_SECONDS)

    def give_back(self) -> None:
        """Others may have the slots."""
        for server in self._servers:
            self._pacer.renew(server, self._owner, 0)
