"""A save that is sent until it is answered is made once, wherever the server is killed meanwhile.

`MAIL_PREFLIGHT_TEST_EVERY_STEP=1` kills at every step; else at some,
and on PostgreSQL at those halfway between SQLite's.
"""

import contextlib
import itertools
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import sqlalchemy as sa
from pydantic import SecretStr

from settings_store import schema
from settings_store.access.api_keys import KeyRequest
from settings_store.secrets import new_key
from tests.servers.postgres import PostgresServer
from tests.servers.stores import sqlite_store
from tests.web.api import ANNA
from tests.web.test_changes import IMAP
from worker.config import Config
from worker.service.preflight import Preflight

_STRIDE = 1 if os.environ.get("MAIL_PREFLIGHT_TEST_EVERY_STEP") else 22
_SECONDS = 20
_FEWEST = {"first": 60, "repetition": 8}


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty store that outlives its servers."""
    if request.param == "sqlite":
        return sqlite_store(tmp_path / "preflight.db")
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return server.new_store()


@contextlib.contextmanager
def _program(url: str, key: str) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "tests.web.repetition.kill_program", url, key]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
        yield program
        assert program.stdin is not None
        program.stdin.close()


def _start(program: "subprocess.Popen[str]", at: int) -> tuple[int, str]:
    assert program.stdin is not None
    assert program.stdout is not None
    program.stdin.write(f"{at}\n")
    program.stdin.flush()
    process, address = program.stdout.readline().split()
    return int(process), address


def _saved(program: "subprocess.Popen[str]", api_key: str, domain: str, at: int) -> requests.Response | None:
    """The answer of a server that dies at a step, or after it has answered; None where it did not come to that."""
    process, address = _start(program, at)
    answer = _until_answered(address, api_key, domain)
    if answer is not None:
        os.kill(process, signal.SIGKILL)
    return answer


def _save(address: str, api_key: str, domain: str) -> requests.Response | None:
    """None where the server died."""
    headers = {"Authorization": f"Bearer {api_key}", "Idempotency-Key": f'"{domain}"'}
    body: dict[str, Any] = {"settings": IMAP}
    where = f"{address}/v1/domains/{domain}/changes"
    with contextlib.suppress(requests.ConnectionError):
        return requests.post(where, json=body, headers=headers, timeout=_SECONDS)
    return None


@pytest.mark.parametrize("dies", ["first", "repetition"])
def test_a_save_is_made_once_wherever_the_server_dies(url: str, dies: str) -> None:
    """Within the first request, or within one that repeats a request that was answered."""
    first_step = 1 if url.startswith("sqlite") else 1 + _STRIDE // 2
    secret = new_key()
    config = Config(secret_key=SecretStr(secret), database_url=SecretStr(url))
    saved, killed = dict[str, str](), 0
    with Preflight.open(config) as preflight, _program(url, secret) as program:
        for at in itertools.count(first_step, _STRIDE):
            # A key that was not used yet: to note its use is a step, too.
            api_key = preflight.account(actor=ANNA).access.create_key(KeyRequest("killed"))[1].text
            domain = f"killed{at}.example"
            before = _saved(program, api_key, domain, 0) if dies == "repetition" else None
            interrupted = _saved(program, api_key, domain, at)
            killed += interrupted is None
            process, address = _start(program, 0)
            last = [_until_answered(address, api_key, domain) for _ in range(2)]
            os.kill(process, signal.SIGKILL)
            assert None not in last
            known = [each for each in (*last, before, interrupted) if each is not None]
            assert {each.status_code for each in known} == {201}, known[0].text
            assert all(each.json() == known[0].json() for each in known)
            saved[domain] = known[0].json()["id"].removeprefix("chg_")
            if interrupted is not None:
                break
        assert killed >= _FEWEST[dies] // _STRIDE
        logging.getLogger(__name__).info("killed at %s steps", killed)
        _require_one_each(preflight, saved)


def _until_answered(address: str, api_key: str, domain: str) -> requests.Response | None:
    """PostgreSQL may need a moment to see that whoever held the key is dead."""
    give_up = time.monotonic() + _SECONDS
    while True:
        answer = _save(address, api_key, domain)
        if answer is None or answer.status_code != requests.codes.conflict or time.monotonic() > give_up:
            return answer


def _require_one_each(preflight: Preflight, saved: dict[str, str]) -> None:
    """Every domain has the one change that was answered, with a run that the sweep finds: no message is needed."""
    changes, domains, runs = schema.changes, schema.domains, schema.runs
    with preflight.database.read() as conn:
        rows = sa.select(domains.c.name, changes.c.id).where(changes.c.domain_id == domains.c.id)
        found = [(name, change) for name, change in conn.execute(rows)]
        run_ids = set(conn.execute(sa.select(runs.c.id)).scalars())
    assert sorted(found) == sorted(saved.items())
    assert len(run_ids) == len(saved)
    later = time.time() + 3600
    preflight.flow.resources.now = lambda: later
    assert sum(iter(preflight.flow.sweep, 0)) == len(saved)
