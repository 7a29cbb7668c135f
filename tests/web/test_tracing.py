"""Traces from a save to its logins, where somebody wants them."""

import contextlib
import gzip
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from checks.model import Invalid
from tests.web.api import Api, running
from tests.web.test_changes import IMAP
from worker import tracing

WANTED = [
    ({}, False),
    ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}, True),
    ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318", "OTEL_TRACES_EXPORTER": "none"}, False),
    ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318", "OTEL_SDK_DISABLED": "true"}, False),
    ({"OTEL_TRACES_EXPORTER": "console"}, True),
]


@pytest.mark.parametrize(("environment", "wanted"), WANTED)
def test_the_environment_says_whether(environment: dict[str, str], wanted: bool) -> None:
    assert tracing.wanted(environment) is wanted


def test_unasked_nothing_is_imported() -> None:
    program = (
        "import sys; from worker import tracing\n"
        "with tracing.exporting(), tracing.span('x', run='r') as found: assert found is None\n"
        "assert tracing.carried() == {}\n"
        "sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_an_exporter_that_there_is_not_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "planted")
    with pytest.raises(Invalid, match=r"^(OTEL_TRACES_EXPORTER 'planted' is not known|the environment asks for)"):
        tracing.exporting().__enter__()


def test_from_the_request_to_the_endpoint_it_is_one_trace(tmp_path: Path) -> None:
    """Given a caller's own trace: request, save, the run's steps and its checks are below it, and name nobody."""
    sdk = pytest.importorskip("opentelemetry.sdk.trace", reason="the extra `otel` is not installed")
    export = pytest.importorskip("opentelemetry.sdk.trace.export")
    memory = pytest.importorskip("opentelemetry.sdk.trace.export.in_memory_span_exporter")
    exporter, provider = memory.InMemorySpanExporter(), sdk.TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(export.SimpleSpanProcessor(exporter))
    trace = "0af7651916cd43dd8448eb211c80319c"
    with tracing.recording(provider), running(tmp_path, working=True) as api:
        _save_and_wait(api, trace)
        spans = exporter.get_finished_spans()

    names = {span.name for span in spans if f"{span.context.trace_id:032x}" == trace}
    assert {"POST /v1/domains/{domain}/changes", "save", "start_run", "endpoint_check"} <= names
    below = {span.context.span_id: span for span in spans}
    check = next(span for span in spans if span.name == "endpoint_check")
    chain = [check.name]
    while check.parent and (check := below.get(check.parent.span_id)):
        chain.append(check.name)
    assert chain == ["endpoint_check", "start_run", "save", "POST /v1/domains/{domain}/changes"]
    told = " ".join(span.to_json() for span in spans)
    assert [word for word in ("example.com", "127.0.0.1", api.key) if word in told] == []


def test_over_redis_it_is_one_trace_at_the_collector(
    tmp_path: Path, postgres_store: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a collector that speaks OTLP, when the request's run goes by way of the broker, it is one trace there."""
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http", reason="the extra `otel` is not installed")
    trace = "1af7651916cd43dd8448eb211c80319c"
    config: dict[str, Any] = {"database_url": postgres_store, "broker_url": SecretStr(redis_url)}
    config |= {"allow_networks": (ip_network("127.0.0.0/8"),)}
    with _collector() as (url, spans):
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
        with tracing.exporting(), running(tmp_path, **config) as api, api.preflight.processes.watching():
            _save_and_wait(api, trace)
    ours = [span for span in spans if span.trace_id.hex() == trace]
    below = {span.span_id: span for span in ours}
    check = next(span for span in ours if span.name == "endpoint_check")
    chain = [check.name]
    while check := below.get(check.parent_span_id):
        chain.append(check.name)
    assert chain == ["endpoint_check", "start_run", "save", "POST /v1/domains/{domain}/changes"]
    assert [word for word in ("example.com", "127.0.0.1", api.key) if word in str(spans)] == []


@contextlib.contextmanager
def _collector() -> Iterator[tuple[str, list[Any]]]:
    """An OpenTelemetry collector: where it listens, and the spans that it has received."""
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    received: list[Any] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told = ExportTraceServiceRequest.FromString(
                gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body
            )
            received.extend(
                span for resource in told.resource_spans for scope in resource.scope_spans for span in scope.spans
            )
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Collector) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", received
        server.shutdown()


def _save_and_wait(api: Api, trace: str) -> None:
    unreachable = {"host": "127.0.0.1", "port": 1, "security": "tls"}
    settings = IMAP | {"imap": unreachable, "smtp": unreachable}
    headers = {"traceparent": f"00-{trace}-b7ad6b7169203331-01"}
    made = api.ask("POST", "/v1/domains/example.com/changes", {"settings": settings}, headers=headers)
    assert made.status == 201, made.text
    for _ in range(4):
        if api.ask("GET", f"{made.headers['Location']}?wait=15").body["state"] != "verifying":
            return
    raise AssertionError("the run did not end")
