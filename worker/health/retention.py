"""What is old is forgotten in small steps, with as long a pause after each as it took: others come in between."""

import time
from collections.abc import Callable

from sqlalchemy import Connection

from settings_store.alerts import deliveries
from settings_store.connecting import attempts
from settings_store.health import retention
from settings_store.runs import quarantine
from worker.resources import Resources

STEP_ROWS = 2000
"""Rows that one transaction deletes: some hundredths of a second."""
ROUND_SECONDS = 5.0  # of every ten; what is left then is forgotten in the next round
_LEAST_PAUSE = 0.005

Step = Callable[[Connection, int], int]


def forget_old(resources: Resources) -> int:
    """Forgets what is older than it is to be kept, for at most about `ROUND_SECONDS`. Returns how much that was."""
    end, count = time.monotonic() + ROUND_SECONDS, 0
    with resources.database.begin() as conn:
        quarantine.tidy(conn, resources.now())
    for step in _steps(resources):
        gone = STEP_ROWS
        while gone and time.monotonic() < end and not resources.stopping.is_set():
            begun = time.monotonic()
            with resources.database.begin() as conn:
                gone = step(conn, STEP_ROWS)
            count += gone
            if gone:
                resources.stopping.wait(max(_LEAST_PAUSE, time.monotonic() - begun))
    return count


def _steps(resources: Resources) -> tuple[Step, ...]:
    config, now = resources.config, resources.now()
    checks_before, hours_before = now - config.history_hours * 3600, now - config.history_days * 86400
    return (
        lambda conn, most: retention.forget_checks(conn, checks_before, most),
        lambda conn, most: retention.forget_hours(conn, hours_before, most),
        lambda conn, most: retention.forget_runs(conn, checks_before, most),
        lambda conn, most: attempts.tidy(conn, hours_before, most),
        lambda conn, most: deliveries.tidy(conn, hours_before, most),
    )
