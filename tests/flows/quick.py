"""`mail-preflight` for impatient tests: the same program with short leases (`python -m tests.flows.quick ARGUMENTS`).

What is waited for stays the same; how long is all that changes.
"""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from types import ModuleType
from typing import Any

import sqlalchemy as sa

import checks.network.dial
import checks.protocols.patience
import worker.app
import worker.health.endpoint_lane
import worker.pacing.endpoint_slot
import worker.pacing.pacer
import worker.runs.flow
import worker.runs.lane
import worker.service.preflight
import worker.service.runs
import worker.watchdog
from checks.context import CheckContext, Route
from checks.model import Endpoint, EndpointResult, LoginResult
from cli.main import run
from settings_store.changes import applying
from tests.flows import clocks
from tests.worker.overrun_program import WORKS
from worker.pacing.pacer import Pacer

LEASE_SECONDS = 3.0
HONEST_LEASE_SECONDS = 15.0  # nobody who lives loses it, on a busy machine either
CONNECT_SECONDS = 1.0


def hurry(lease: float = LEASE_SECONDS) -> None:
    """Shortens leases, the sweep's patience and the time for a connection, for the rest of this process."""
    for module, name, seconds in _hurried(lease):
        vars(module)[name] = seconds


@contextlib.contextmanager
def hurried(lease: float = LEASE_SECONDS) -> Iterator[None]:
    """The same, until the end of the context."""
    before = [(module, name, vars(module)[name]) for module, name, _ in _hurried(lease)]
    hurry(lease)
    yield
    for module, name, seconds in before:
        vars(module)[name] = seconds


def _hurried(lease: float) -> Sequence[tuple[ModuleType, str, float]]:
    return (
        (worker.runs.flow, "LEASE_SECONDS", lease),
        (worker.runs.lane, "LEASE_SECONDS", lease),
        (worker.runs.flow, "STEP_LEASE_SECONDS", lease),
        (worker.runs.flow, "IDLE_SECONDS", 1.0),
        (worker.runs.lane, "GRACE_SECONDS", 1.0),
        (worker.pacing.pacer, "SLOT_SECONDS", lease),
        (worker.pacing.endpoint_slot, "PATIENCE_SECONDS", lease / 3),
        (worker.app, "SWEEP_SECONDS", 0.5),
        (worker.app, "HEALTH_SECONDS", 0.5),
        (worker.health.endpoint_lane, "LEASE_SECONDS", 2 * lease),
        (worker.service.runs, "_STALL_SECONDS", 0.5),
        (worker.watchdog, "GRACE_SECONDS", 0.5),
        (worker.watchdog, "COMPUTED_SECONDS", 1.0),
        (checks.network.dial, "CONNECT_SECONDS", CONNECT_SECONDS),
        (checks.protocols.patience, "USUAL_SECONDS", 1.0),
    )


def never_end(how: str, what: str, where: str) -> None:
    """From now on a "check" or "login" at host:port computes for ever, in "python" or in "c"."""
    lane = vars(worker.runs.lane)
    real_check, real_login = worker.pacing.endpoint_slot.check_in_turn, lane["check_mailbox"]

    def check(endpoint: Endpoint, context: CheckContext, pacer: Pacer) -> EndpointResult:
        return real_check(endpoint, context, pacer) if place(endpoint) != where else WORKS[how]()

    def login(route: Route, *others: Any) -> LoginResult:
        result: LoginResult = real_login(route, *others) if place(route.endpoint) != where else WORKS[how]()
        return result

    def place(endpoint: Endpoint) -> str:
        return f"{endpoint.host}:{endpoint.port}"

    if what == "check":
        worker.pacing.endpoint_slot.check_in_turn = check
    else:
        lane["check_mailbox"] = login


def kill_apply(moment: str) -> None:
    """From now on this process dies in the transaction of its `apply`.

    At "statement:NUMBER", at "commit:" (just before it), "committed:" (just after it), or "seconds:NUMBER" after the
    transaction began.
    """
    kind, _, number = moment.partition(":")
    inside: list[str] = []
    real = applying.apply

    def die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def apply(*arguments: Any, **options: Any) -> int:
        inside.append("apply")
        if kind == "seconds":
            threading.Timer(float(number), die).start()
        return real(*arguments, **options)

    def at_statement(*_: object) -> None:
        if inside:
            inside.append("statement")
            if kind == "statement" and inside.count("statement") == int(number):
                die()

    def at(wanted: str) -> Callable[..., None]:
        return lambda *_: die() if inside and kind == wanted else None

    vars(applying)["apply"] = apply
    sa.event.listen(sa.Engine, "before_cursor_execute", at_statement)
    sa.event.listen(sa.Engine, "commit", at("commit"))
    sa.event.listen(sa.Pool, "checkin", at("committed"))  # the connection is given back once it has committed


def main(arguments: Sequence[str]) -> int:
    """The program, with what the environment asks of it."""
    hurry(float(os.environ.get("MAIL_PREFLIGHT_LEASE", LEASE_SECONDS)))
    if "MAIL_PREFLIGHT_CLOCKS" in os.environ:
        clocks.install(*os.environ["MAIL_PREFLIGHT_CLOCKS"].split(os.pathsep))
    if "MAIL_PREFLIGHT_BUSY" in os.environ:
        never_end(*os.environ["MAIL_PREFLIGHT_BUSY"].split(" "))
    if "MAIL_PREFLIGHT_KILL_APPLY" in os.environ:
        kill_apply(os.environ["MAIL_PREFLIGHT_KILL_APPLY"])
    return run(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
