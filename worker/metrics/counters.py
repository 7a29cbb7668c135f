"""What Prometheus is told: counts of what this process did, and gauges read from the database when somebody asks.

Until `serve` is called, and in processes that never call it, counting does nothing and prometheus_client is not
imported.
Labels take their values from the enumerations of the model and nothing else: never a domain, a host or an address.
"""

import contextlib
import logging
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

from checks.codes import Code, Verdict
from checks.model import Invalid, Protocol

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

    from settings_store.db import Database

log = logging.getLogger(__name__)

OTHER = "other"
"""The label of what is in none of the lists: a mistake of ours must not make the number of series grow."""

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
KINDS = frozenset({"opened", "reminder", "resolved", "digest", "test"})
OUTCOMES = frozenset({"sent", "failed", "given_up"})
_PROTOCOLS, _VERDICTS, _CODES = (frozenset(item.value for item in group) for group in (Protocol, Verdict, Code))
# A check is given 20 seconds in all.
_REQUEST_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0)


@dataclass(frozen=True, slots=True)
class _Counted:
    checks: "Counter"
    check_seconds: "Histogram"
    mailboxes: "Counter"
    alerts: "Counter"
    requests: "Counter"
    request_seconds: "Histogram"
    rate_limited: "Counter"
    streams: "Gauge"


_TOO_MANY = 429

_counted: _Counted | None = None


def endpoint_checked(protocol: str, verdict: str, code: str, seconds: float) -> None:
    """Counts a health check of an endpoint, and how long it took."""
    if _counted is None:
        return
    protocol = _known(protocol, _PROTOCOLS)
    _counted.checks.labels(protocol, _known(verdict, _VERDICTS), _known(code, _CODES)).inc()
    _counted.check_seconds.labels(protocol).observe(max(0.0, seconds))


def mailbox_tried(protocol: str, verdict: str, code: str) -> None:
    """Counts a mailbox that a health check has tried."""
    if _counted is not None:
        labels = _known(protocol, _PROTOCOLS), _known(verdict, _VERDICTS), _known(code, _CODES)
        _counted.mailboxes.labels(*labels).inc()


def alert_sent(kind: str, outcome: str) -> None:
    """Counts an attempt to send alerts. `kind` is one of `KINDS`, `outcome` one of `OUTCOMES`."""
    if _counted is not None:
        _counted.alerts.labels(_known(kind, KINDS), _known(outcome, OUTCOMES)).inc()


def method_label(method: str) -> str:
    """The method of a request, where it is one of `METHODS`."""
    return _known(method, METHODS)


def request_answered(method: str, route: str, status: int, seconds: float) -> None:
    """Counts a request of the HTTP API by its route's template, which is one of few; 0 is no answer at all."""
    if _counted is None:
        return
    _counted.requests.labels(method_label(method), route, f"{status // 100}xx" if status else "none").inc()
    _counted.request_seconds.labels(method_label(method), route).observe(max(0.0, seconds))
    if status == _TOO_MANY:
        _counted.rate_limited.inc()


def stream_opened() -> None:
    """Somebody follows events."""
    if _counted is not None:
        _counted.streams.inc()


def stream_closed() -> None:
    """And does no longer."""
    if _counted is not None:
        _counted.streams.dec()


def _known(value: str, values: Collection[str]) -> str:
    """The value as plain text, where it is one of `values`."""
    return str(value) if value in values else OTHER


@contextlib.contextmanager
def serve(port: int, host: str, database: "Database") -> Iterator[int]:
    """Answers Prometheus on `/metrics` for as long as the block runs. Yields the port; 0 takes a free one.

    Counting begins with it. Raises `Invalid` when nobody can listen there.
    """
    from prometheus_client import start_http_server

    global _counted  # one process has one set of counters, and those who count hold no object
    registry = _registry(database)
    counted = _counters(registry)
    try:
        server, thread = start_http_server(port, host, registry)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or "no such address"
        raise Invalid(
            f"metrics cannot be served on {host} port {port}: {reason}; give each process its own "
            "MAIL_PREFLIGHT_METRICS_PORT, or correct MAIL_PREFLIGHT_METRICS_HOST"
        ) from None
    _counted = counted
    try:
        yield int(server.server_port)
    finally:
        _counted = None
        server.shutdown()
        server.server_close()
        thread.join()


def _registry(database: "Database") -> "CollectorRegistry":
    from prometheus_client import CollectorRegistry, Gauge, ProcessCollector

    from worker.metrics.gauges import StoreCollector

    registry = CollectorRegistry()
    ProcessCollector(registry=registry)  # memory, processor time and open files of this process
    build = Gauge("mail_preflight_build_info", "Which version this is; always 1", ["version"], registry=registry)
    build.labels(version("mail-preflight")).set(1)
    registry.register(StoreCollector(database))
    return registry


def _counters(registry: "CollectorRegistry") -> _Counted:
    from prometheus_client import Counter, Gauge, Histogram

    labels = ["protocol", "verdict", "code"]
    return _Counted(
        Counter("mail_preflight_endpoint_checks", "Health checks of endpoints", labels, registry=registry),
        Histogram(
            "mail_preflight_endpoint_check_seconds",
            "How long a health check of an endpoint takes",
            ["protocol"],
            buckets=_SECONDS,
            registry=registry,
        ),
        Counter("mail_preflight_mailbox_logins", "Mailboxes that health checks have tried", labels, registry=registry),
        Counter("mail_preflight_alerts", "Attempts to send alerts", ["kind", "outcome"], registry=registry),
        Counter(
            "mail_preflight_http_requests",
            "Requests of the HTTP API",
            ["method", "route", "status"],
            registry=registry,
        ),
        Histogram(
            "mail_preflight_http_request_seconds",
            "How long a request takes, streams and long polls too",
            ["method", "route"],
            buckets=_REQUEST_SECONDS,
            registry=registry,
        ),
        Counter("mail_preflight_http_rate_limited", "Requests that were one too many", registry=registry),
        Gauge("mail_preflight_http_streams_open", "Streams of events that are open", registry=registry),
    )
