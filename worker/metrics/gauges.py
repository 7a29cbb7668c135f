"""Gauges that are read from the database when Prometheus asks: what is open, late or unfinished."""

import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import sqlalchemy as sa
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import Connection

from checks.model import Unavailable
from settings_store.health import totals
from settings_store.incidents.incidents import Scope, Severity

if TYPE_CHECKING:
    from settings_store.db import Database

log = logging.getLogger(__name__)

# Every series is always there, with 0: an alert on one that is absent never fires.
_INCIDENTS = [(scope.value, severity.value) for scope in Scope for severity in Severity]
_RUNS = [(kind, stage) for kind in ("preflight", "health") for stage in totals.UNFINISHED]


class StoreCollector(Collector):
    """The gauges of one database. One that does not answer is a gauge too, and no failed scrape."""

    def __init__(self, database: "Database") -> None:
        self._database = database

    def describe(self) -> list[Metric]:
        """Nothing: asked for when it is registered, which is no time to read the database."""
        return []

    def collect(self) -> Iterator[Metric]:
        """All gauges, or where the database does not answer only that it does not."""
        begun, found = time.monotonic(), list[Metric]()
        try:
            now = self._database.now()
            with self._database.read() as conn:
                found = list(_read(conn, now))
        except (Unavailable, sa.exc.SQLAlchemyError, OSError) as error:
            # The exception's text may name the database and its user.
            log.warning("metrics: the database does not answer (%s)", type(error).__name__)
        yield _gauge("database_up", "1 where the database answers", 1.0 if found else 0.0)
        yield _gauge("database_read_seconds", "How long it took to read these gauges", time.monotonic() - begun)
        yield from found


def _read(conn: Connection, now: float) -> Iterator[Metric]:
    incidents, runs = totals.open_incidents(conn), totals.unfinished_runs(conn)
    due, late = totals.overdue_checks(conn, now)
    pending, waiting = totals.pending_deliveries(conn, now)
    yield _family(
        "incidents_open",
        "Incidents that are open",
        ("scope", "severity"),
        ((key, incidents.get(key, 0)) for key in _INCIDENTS),
    )
    yield _family("runs_unfinished", "Runs under way", ("kind", "stage"), ((key, runs.get(key, 0)) for key in _RUNS))
    yield _gauge("health_due", "Domains whose endpoints are to be checked now", due)
    yield _gauge("health_lag_seconds", "How late the longest overdue of them is", late)
    yield _gauge("deliveries_pending", "Messages to alert channels that are still to be sent", pending)
    yield _gauge("delivery_oldest_seconds", "How long the oldest of them has waited", waiting)


def _gauge(name: str, words: str, value: float) -> Metric:
    return _family(name, words, (), [((), value)])


def _family(name: str, words: str, labels: Sequence[str], samples: Iterable[tuple[Sequence[str], float]]) -> Metric:
    family = GaugeMetricFamily(f"mail_preflight_{name}", words, labels=labels)
    for values, number in samples:
        family.add_metric(values, number)
    return family
