"""Traces from a save to its logins, where somebody wants them."""

import subprocess
import sys
from pathlib import Path

import pytest

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


def _save_and_wait(api: Api, trace: str) -> None:
    unreachable = {"host": "127.0.0.1", "port": 1, "security": "tls"}
    settings = IMAP | {"imap": unreachable, "smtp": unreachable}
    headers = {"traceparent": f"00-{trace}-b7ad6b7169203331-01"}
    made = api.ask("POST", "/v1/domains/example.com/changes", {"settings": settings}, headers=headers)
    assert made.status == 201, made.text
    for _ in range(500):
        if api.ask("GET", made.headers["Location"]).body["state"] != "verifying":
            return
    raise AssertionError("the run did not end")
