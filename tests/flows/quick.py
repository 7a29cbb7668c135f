"""`mail-preflight` for impatient tests: the same program with short leases (`python -m tests.flows.quick ARGUMENTS`).

What is waited for stays the same; how long is all that changes.
"""

import os
import sys

import checks.network.dial
import worker.app
import worker.health.endpoint_lane
import worker.pacing.endpoint_slot
import worker.pacing.pacer
import worker.runs.endpoints
import worker.runs.flow
import worker.runs.lane
import worker.service.preflight
import worker.watchdog
from checks.context import CheckContext
from checks.model import Endpoint, EndpointResult
from cli.main import run
from tests.flows import clocks
from tests.worker.overrun_program import WORKS
from worker.pacing.pacer import Pacer

LEASE_SECONDS = 3.0
CONNECT_SECONDS = 1.0


def hurry(lease: float = LEASE_SECONDS) -> None:
    """Shortens leases, the sweep's patience and the time for a connection, for the rest of this process."""
    for module in (worker.runs.flow, worker.runs.lane):
        vars(module)["LEASE_SECONDS"] = lease
    worker.runs.flow.STEP_LEASE_SECONDS = lease
    worker.runs.flow.IDLE_SECONDS = 1.0
    worker.runs.lane.GRACE_SECONDS = 1.0
    worker.pacing.pacer.SLOT_SECONDS = lease
    worker.pacing.endpoint_slot.PATIENCE_SECONDS = lease / 3
    worker.app.SWEEP_SECONDS = worker.app.HEALTH_SECONDS = 0.5
    worker.health.endpoint_lane.LEASE_SECONDS = 2 * lease
    worker.service.preflight._STALL_SECONDS = 0.5  # noqa: SLF001 - a constant that no user needs to set
    worker.watchdog.GRACE_SECONDS, worker.watchdog.COMPUTED_SECONDS = 0.5, 1.0
    checks.network.dial.CONNECT_SECONDS = CONNECT_SECONDS


def never_end(how: str, port: int) -> None:
    """From now on the check of an endpoint with that port computes for ever, in Python or in C."""
    real = worker.runs.endpoints.check_in_turn

    def check(endpoint: Endpoint, context: CheckContext, pacer: Pacer) -> EndpointResult:
        return real(endpoint, context, pacer) if endpoint.port != port else WORKS[how]()

    worker.runs.endpoints.check_in_turn = check


if __name__ == "__main__":
    hurry(float(os.environ.get("MAIL_PREFLIGHT_LEASE", LEASE_SECONDS)))
    if "MAIL_PREFLIGHT_CLOCKS" in os.environ:
        clocks.install(*os.environ["MAIL_PREFLIGHT_CLOCKS"].split(os.pathsep))
    if "MAIL_PREFLIGHT_BUSY" in os.environ:
        how, port = os.environ["MAIL_PREFLIGHT_BUSY"].split(":")
        never_end(how, int(port))
    sys.exit(run(sys.argv[1:]))
