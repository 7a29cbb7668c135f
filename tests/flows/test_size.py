"""The short form of `python -m tests.flows.size`: many mailboxes in one run, and a store with a long history."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from checks.codes import Code, Verdict
from checks.model import Endpoint, EndpointResult, Protocol
from checks.serialize import dump_endpoint_result
from tests.flows.harness import account_of
from tests.flows.size.cases import take
from tests.flows.size.crowd import Crowd, gather
from tests.flows.size.large import Plan, fill_large, settle_large
from tests.flows.size.scale import migrate_to_the_last_but_one
from tests.flows.size.store import add_history, fill, name_of, open_store
from tests.servers.dovecot import DovecotOptions
from tests.servers.lab import MailLab, mail_lab
from tests.servers.postgres import PostgresServer
from tests.servers.process import is_root
from tests.servers.stores import sqlite_store

COUNT = 2_000
SOON = 5.0
"""Seconds. It takes a tenth of that, as the long form shows; here others use the machine too."""
GROWTH = 15.0  # MB: what allocators and caches differ by

as_root = pytest.mark.skipif(not is_root(), reason="Postfix can only be started by root")


@pytest.fixture(scope="module")
def large_lab(server_folder: Path) -> Iterator[MailLab]:
    with mail_lab(server_folder / "large-lab", COUNT, DovecotOptions(fast=True)) as lab:
        yield lab


@pytest.fixture(scope="module")
def crowd(request: pytest.FixtureRequest, server_folder: Path, large_lab: MailLab) -> Iterator[Crowd]:
    with gather(server_folder / f"crowd-{request.param}", request.param, large_lab) as crowd:
        crowd.load("few.example", COUNT // 10)
        crowd.load("many.example", COUNT)
        yield crowd


@as_root
@pytest.mark.timeout(240)
def test_progress_shows_and_memory_stays_flat(crowd: Crowd) -> None:
    few = crowd.watch("few.example")
    peak = crowd.peak_megabytes

    many = crowd.watch("many.example")

    assert few.outcome.counts == {"keeps_working": COUNT // 10}
    assert many.outcome.counts == {"keeps_working": COUNT}
    assert 0 < many.planned < SOON
    assert many.gap < SOON
    assert crowd.peak_megabytes - peak < GROWTH


@as_root
@pytest.mark.timeout(240)
def test_a_cancelled_run_begins_no_login(crowd: Crowd) -> None:
    found = crowd.cancel("many.example", COUNT // 4)

    assert found.ended < SOON
    assert found.last < SOON
    assert COUNT // 4 <= found.done < COUNT


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        return str(request.getfixturevalue("new_postgres_store"))
    return sqlite_store(tmp_path / "store.db")


def test_no_query_reads_the_whole_history(url: str, tmp_path: Path) -> None:
    """Given thousands of ended runs, then no use case reads them; and without an index that would be noticed."""
    with open_store(url, tmp_path / "store") as preflight:
        fill(preflight, 400)
        add_history(preflight, busy=40, each=20)

        assert take(preflight, rounds=2).scans == {}

        with preflight.database.begin() as conn:
            for name in ("ix_runs_stage", "ix_runs_settings_id", "ix_runs_touched_at"):
                conn.exec_driver_sql(f"DROP INDEX {name}")
        scans = take(preflight, rounds=2).scans
    assert len(scans) == 2, scans


def test_a_large_store_is_one_that_the_service_reads(postgres_server: PostgresServer, tmp_path: Path) -> None:
    """What `--only scale` measures, with few domains: the statements that make it fit the schema before the newest."""
    url = postgres_server.new_database()
    migrate_to_the_last_but_one(url)
    result = EndpointResult(Endpoint(Protocol.IMAP, "mail.example", 993), Verdict.OK, Code.OK)
    document = json.dumps(dump_endpoint_result(result))
    fill_large(url, Plan(40, {"imap": document, "smtp": document}, check_hours=1.0, hour_days=0.1), lambda _: None)
    with open_store(url, tmp_path / "store") as preflight:
        settle_large(url)
        account = account_of(preflight)
        health, change = account.health.worst_first(100), account.changes.page(name_of(13), 1)[0]
        assert health.states == {"failing": 2, "healthy": 38}
        assert change.counts is not None and change.counts["keeps_working"] == 20
        assert sum(1 for _ in account.changes.report(change.id).mailboxes()) == 20
    postgres_server.drop(url)
