"""OpenTelemetry traces, from a request by way of its run to each login. Off, and then nothing is imported, unless the
environment asks for them (`OTEL_TRACES_EXPORTER`, `OTEL_EXPORTER_OTLP_ENDPOINT`).

FastAPI's own telemetry is left off: it writes paths and query strings, which hold domains and addresses of mailboxes.
No span has an address, a host, a domain or a server's words.
"""

import contextlib
import functools
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from checks.model import Invalid

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span, Tracer

P = ParamSpec("P")
T = TypeVar("T")

HEADER = "traceparent"
_OFF = {"", "none"}

_tracer: "Tracer | None" = None  # one process has one, as it has one set of counters


def wanted(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the environment asks for traces."""
    if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    exporter = environment.get("OTEL_TRACES_EXPORTER", "").strip().lower()
    if exporter:
        return exporter not in _OFF
    places = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
    return any(environment.get(name, "").strip() for name in places)


@contextlib.contextmanager
def exporting() -> Iterator[None]:
    """Sends spans meanwhile, where the environment asks for it. Raises `Invalid` where that cannot be done."""
    if not wanted():
        yield
        return
    provider = _provider()
    with recording(provider):
        try:
            yield
        finally:
            provider.shutdown()  # what is not sent yet goes out


@contextlib.contextmanager
def recording(provider: "TracerProvider") -> Iterator[None]:
    """Gives the spans of this process to a provider meanwhile."""
    global _tracer
    _tracer = provider.get_tracer("mail_preflight")
    try:
        yield
    finally:
        _tracer = None


def _provider() -> "TracerProvider":
    exporter = os.environ.get("OTEL_TRACES_EXPORTER", "").strip().lower() or "otlp"
    try:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SpanExporter

        sink: SpanExporter
        if exporter == "console":
            sink = ConsoleSpanExporter()
        elif exporter == "otlp":
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

            sink = OTLPSpanExporter()
        else:
            raise Invalid(f"OTEL_TRACES_EXPORTER {exporter!r} is not known; give otlp, console or none")
    except ImportError:
        raise Invalid(
            "the environment asks for OpenTelemetry traces and its SDK is not installed; install it with "
            "`pip install 'mail-preflight[otel]'`, or unset the variables that begin with OTEL_"
        ) from None
    name = os.environ.get("OTEL_SERVICE_NAME", "mail-preflight")
    provider = TracerProvider(resource=Resource.create({"service.name": name}), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(sink))
    return provider


# -- spans. Each costs one comparison where nobody wants them.


def span(name: str, **attributes: str | int) -> AbstractContextManager["Span | None"]:
    """A step of the work, below the one that the thread is in."""
    if _tracer is None:
        return contextlib.nullcontext()
    return _tracer.start_as_current_span(
        name,
        attributes={f"mail_preflight.{key}": value for key, value in attributes.items()},
        record_exception=False,  # an exception's words may be a server's
        set_status_on_exception=False,
    )


def step(name: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Makes a function a step of the work."""

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        @functools.wraps(function)
        def traced(*args: P.args, **kwargs: P.kwargs) -> T:
            with span(name):
                return function(*args, **kwargs)

        return traced

    return decorate


def request(method: str, headers: Iterable[tuple[bytes, bytes]]) -> AbstractContextManager["Span | None"]:
    """A request, in the trace of whoever sent it where they say so."""
    if _tracer is None:
        return contextlib.nullcontext()
    from opentelemetry.trace import SpanKind

    parent = next((value.decode("latin-1") for name, value in headers if name == HEADER.encode()), "")
    return _tracer.start_as_current_span(
        method,
        context=_context({HEADER: parent}),
        kind=SpanKind.SERVER,
        attributes={"http.request.method": method},
        record_exception=False,
        set_status_on_exception=False,
    )


def answered(found: "Span | None", method: str, route: str, status: int) -> None:
    """What became of a request."""
    if found is None:
        return
    from opentelemetry.trace import StatusCode

    found.update_name(f"{method} {route}")
    found.set_attributes({"http.route": route, "http.response.status_code": status})
    if status >= 500 or not status:
        found.set_status(StatusCode.ERROR)


def concluded(found: "Span | None", verdict: str, code: str) -> None:
    """What a check or a login came to."""
    if found is not None:
        found.set_attributes({"mail_preflight.verdict": verdict, "mail_preflight.code": code})


def carried() -> dict[str, str]:
    """The span that the thread is in, for a message to take along; {} where there is none."""
    found: dict[str, str] = {}
    if _tracer is not None:
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        TraceContextTextMapPropagator().inject(found)
    return {HEADER: found[HEADER]} if HEADER in found else {}


@contextlib.contextmanager
def continued(carrier: Mapping[str, str]) -> Iterator[None]:
    """What is done meanwhile belongs to the span that was carried here."""
    if _tracer is None or not carrier.get(HEADER):
        yield
        return
    from opentelemetry import context

    token = context.attach(_context({HEADER: carrier[HEADER]}))
    try:
        yield
    finally:
        context.detach(token)


def _context(carrier: Mapping[str, str]) -> Any:
    from opentelemetry.context import Context
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    return TraceContextTextMapPropagator().extract(dict(carrier), Context())
