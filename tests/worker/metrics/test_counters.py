"""Metrics as Prometheus gets them: over HTTP, in its own text format."""

import contextlib
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from checks.codes import Code, Verdict
from checks.model import Invalid, Protocol
from settings_store import maintenance, schema
from settings_store.db import Database
from settings_store.domains import ensure_account, ensure_domain
from settings_store.incidents.incidents import Scope, Severity
from settings_store.secrets import new_key
from tests.flows.conftest import embedded
from tests.flows.harness import wait_for
from tests.settings_store.in_force import mail_settings, put_in_force
from worker.config import Config
from worker.metrics import counters
from worker.service.preflight import Preflight

HOST = "127.0.0.1"
PLANTED = (
    "planted-domain.example",
    "planted-host.example",
    "planted-box",
    "192.0.2.77",
    "planted-channel",
    "planted://",
)
BOUNDED = {"protocol", "verdict", "code", "kind", "scope", "severity", "outcome", "stage", "version", "le"}
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def scrape(port: int) -> Samples:
    """All samples by name and labels."""
    families = text_string_to_metric_families(text_of(port))
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def text_of(port: int) -> str:
    with urllib.request.urlopen(f"http://{HOST}:{port}/metrics", timeout=5) as answer:
        return str(answer.read().decode())


def of(samples: Samples, name: str, **labels: str) -> float:
    return samples[f"mail_preflight_{name}", tuple(sorted(labels.items()))]


@pytest.fixture
def port(database: Database) -> Iterator[int]:
    """Where metrics of the database are served."""
    with counters.serve(0, HOST, database) as port:
        yield port


def test_what_is_counted_is_told(port: int) -> None:
    for seconds in (0.3, 0.2):
        counters.endpoint_checked(Protocol.IMAP, Verdict.FAIL, Code.TLS_EXPIRED, seconds)
    counters.mailbox_tried("smtp", "ok", "ok")
    counters.alert_sent("opened", "sent")

    samples = scrape(port)

    labels = {"protocol": "imap", "verdict": "fail", "code": "tls.expired"}
    assert of(samples, "endpoint_checks_total", **labels) == 2
    assert of(samples, "endpoint_check_seconds_sum", protocol="imap") == pytest.approx(0.5)
    assert of(samples, "endpoint_check_seconds_bucket", protocol="imap", le="0.25") == 1
    assert of(samples, "mailbox_logins_total", protocol="smtp", verdict="ok", code="ok") == 1
    assert of(samples, "alerts_total", kind="opened", outcome="sent") == 1
    assert [name for name, _ in samples if name.endswith("build_info")] == ["mail_preflight_build_info"]


def test_threads_lose_no_count(port: int) -> None:
    def count() -> None:
        for _ in range(500):
            counters.mailbox_tried("imap", "ok", "ok")

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert of(scrape(port), "mailbox_logins_total", protocol="imap", verdict="ok", code="ok") == 4000


def test_nothing_but_known_values_becomes_a_label(database: Database, port: int) -> None:
    """Given a mistake of ours that passes names as labels, they stay out, and so does all that is stored."""
    plant(database)
    domain, host, box, address, channel, url = PLANTED
    counters.endpoint_checked(host, address, domain, 0.1)
    counters.mailbox_tried(box, host, address)
    counters.alert_sent(channel, url)

    text = text_of(port)

    assert [word for word in PLANTED if word in text] == []
    assert set(re.findall(r'(\w+)="', text)) <= BOUNDED
    assert of(scrape(port), "endpoint_checks_total", protocol="other", verdict="other", code="other") == 1
    assert of(scrape(port), "incidents_open", scope="endpoint", severity="critical") == 1  # there was something to find


def test_gauges_are_read_when_somebody_asks(database: Database, port: int) -> None:
    assert of(scrape(port), "incidents_open", scope="endpoint", severity="critical") == 0
    domain_id = plant(database)

    samples = scrape(port)

    assert of(samples, "incidents_open", scope="endpoint", severity="critical") == 1
    assert sum(value for (name, _), value in samples.items() if name.endswith("incidents_open")) == 1
    assert of(samples, "deliveries_pending") == 1
    assert of(samples, "delivery_oldest_seconds") == pytest.approx(600, abs=30)
    assert of(samples, "runs_unfinished", kind="health", stage="mailboxes") == 1
    assert of(samples, "runs_unfinished", kind="preflight", stage="queued") == 0
    assert of(samples, "health_lag_seconds") == pytest.approx(300, abs=30)
    assert of(samples, "health_due") == 1
    with database.begin() as conn:
        account_id = ensure_account(conn)
        conn.execute(schema.incidents.update().values(closed_at=1.0))
        maintenance.pause(conn, account_id, PLANTED[0], database.now())
        assert domain_id
    samples = scrape(port)
    assert of(samples, "incidents_open", scope="endpoint", severity="critical") == 0
    assert (of(samples, "health_lag_seconds"), of(samples, "health_due")) == (0, 0)


def test_every_scope_and_severity_has_its_series(port: int) -> None:
    told = {labels for name, labels in scrape(port) if name == "mail_preflight_incidents_open"}

    assert len(told) == len(Scope) * len(Severity)


def test_a_database_that_is_away_is_told_as_well(
    database: Database, port: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert of(scrape(port), "database_up") == 1

    def away() -> float:
        raise sa.exc.OperationalError("SELECT 1", {}, Exception("password=planted-secret"))

    monkeypatch.setattr(database, "now", away)
    counters.alert_sent("test", "sent")
    samples = scrape(port)

    assert of(samples, "database_up") == 0
    assert of(samples, "alerts_total", kind="test", outcome="sent") == 1
    assert "planted-secret" not in caplog.text


def test_counting_before_and_after_serving_does_nothing(database: Database) -> None:
    counters.alert_sent("test", "sent")
    for _ in range(2):
        with counters.serve(0, HOST, database) as port:
            assert not [name for name, _ in scrape(port) if name == "mail_preflight_alerts_total"]
            counters.alert_sent("test", "sent")
    with pytest.raises(OSError, match="refused"):
        text_of(port)


@pytest.mark.parametrize("host", [HOST, "no-such-host.invalid"])
def test_where_nobody_can_listen_one_line_says_so(database: Database, host: str) -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        words = rf"^metrics cannot be served on {host} port {port}: .*METRICS_PORT"
        with pytest.raises(Invalid, match=words), counters.serve(port, host, database):
            pass
    counters.alert_sent("test", "sent")  # is no counting


def test_counting_costs_no_import_where_nothing_is_served() -> None:
    program = (
        "import sys; from worker.metrics import counters; counters.alert_sent('test', 'sent'); "
        "sys.exit('prometheus_client' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_a_process_tells_its_metrics_where_the_settings_say(tmp_path: Path) -> None:
    """Given a port in the settings, `serve` answers there, and ends as it would without."""
    port = free_port()
    system = embedded(tmp_path)
    with system.start("serve", METRICS_PORT=str(port)) as program:
        wait_for(lambda: answers(port), "metrics are served")
        samples = scrape(port)
        wait_for(lambda: catches_sigterm(program.pid), "it can be asked to end")
        program.terminate()

    assert of(samples, "database_up") == 1
    assert of(samples, "runs_unfinished", kind="preflight", stage="queued") == 0
    assert not answers(port)


def test_what_a_real_process_checks_is_counted_and_names_nobody(tmp_path: Path) -> None:
    """Given a domain on this host, `serve` counts its checks, whatever they find; neither name nor host is told."""
    port, system = free_port(), embedded(tmp_path)
    with system.open() as preflight, preflight.database.begin() as conn:
        put_in_force(conn, PLANTED[0], mail_settings("localhost"))
    with system.start("serve", METRICS_PORT=str(port), HEALTH_ENDPOINT_MINUTES="0.01") as program:
        wait_for(lambda: answers(port), "metrics are served")
        wait_for(lambda: "mail_preflight_endpoint_checks_total{" in text_of(port), "an endpoint is checked")
        text, words = text_of(port), program.words

    assert [word for word in (PLANTED[0], "localhost", "127.0.0.1") if word in text] == []
    assert "Traceback" not in words


def test_without_a_port_nothing_is_served(tmp_path: Path) -> None:
    config = Config(database_url=SecretStr(f"sqlite:///{tmp_path}/p.db"), secret_key=SecretStr(new_key()))
    with Preflight.open(config) as preflight, preflight.processes.telling():
        counters.alert_sent("test", "sent")
        assert not [thread for thread in threading.enumerate() if "serve_forever" in thread.name]


def catches_sigterm(pid: int) -> bool:
    """Whether a process has a handler for SIGTERM by now (proc(5), status)."""
    caught = re.search(r"^SigCgt:\s*(\w+)", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return caught is not None and bool(int(caught[1], 16) >> (signal.SIGTERM - 1) & 1)


def answers(port: int) -> bool:
    with contextlib.suppress(OSError):
        return bool(text_of(port))
    return False


def free_port() -> int:
    with socket.create_server((HOST, 0)) as server:
        return int(server.getsockname()[1])


def plant(database: Database) -> int:
    """A domain whose check is 5 minutes late, an open incident, a run under way and a message of 10 minutes ago."""
    now = database.now()
    domain, host, box, address, channel, url = PLANTED
    with database.begin() as conn:
        account_id = ensure_account(conn)
        domain_id = ensure_domain(conn, account_id, domain)
        conn.execute(
            schema.health_schedule.insert().values(
                domain_id=domain_id, server=host, endpoints_due=now - 300, mailboxes_due=now
            )
        )
        server = {"imap_host": host, "imap_port": 993, "imap_security": "tls"}
        server |= {"smtp_host": host, "smtp_port": 465, "smtp_security": "tls"}
        settings_id = conn.execute(
            schema.settings.insert().values(
                domain_id=domain_id, kind="imap", allow_insecure_certificate=False, created_at=now, **server
            )
        ).inserted_primary_key[0]  # type: ignore[index] # it has one
        conn.execute(
            schema.runs.insert().values(
                id=box,
                domain_id=domain_id,
                settings_id=settings_id,
                kind="health",
                stage="mailboxes",
                touched_at=now,
                created_at=now,
            )
        )
        conn.execute(
            schema.incidents.insert().values(
                id=f"{box}-incident",
                account_id=account_id,
                scope="endpoint",
                subject=host,
                open_subject=host,
                domain_id=domain_id,
                severity="critical",
                code="connect.refused",
                facts={"host": host, "address": address},
                seen=address,
                since=now - 60,
                opened_at=now,
            )
        )
        channel_id = conn.execute(
            schema.alert_channels.insert().values(
                account_id=account_id,
                name=channel,
                url=url.encode(),
                shown=url,
                severity="info",
                language="en",
                created_at=now,
            )
        ).inserted_primary_key[0]  # type: ignore[index] # it has one
        conn.execute(
            schema.deliveries.insert().values(
                id=f"{box}-delivery", channel_id=channel_id, state="pending", next_at=now, created_at=now - 600
            )
        )
    return domain_id
