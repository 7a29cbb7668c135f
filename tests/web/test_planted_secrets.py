"""What is secret is in no answer but the one that shows a new key, and in no log, metric, event or file."""

import logging
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from prometheus_client import generate_latest

from settings_store.access.roles import Role
from tests.web.api import ANNA, Answer, Api
from worker.metrics import counters

PASSWORD = "plantedPassword8731"
JSON = {"Content-Type": "application/json"}
CHANGE = {
    "settings": {
        "kind": "imap",
        "imap": {"host": "127.0.0.1", "port": 1},
        "smtp": {"host": "127.0.0.1", "port": 1},
    }
}


def ask_all(api: Api, file: Path) -> list[Answer]:
    """A save with mailboxes, and what goes wrong in each way that there is."""
    api.preflight.account(actor=ANNA).mailboxes.import_file("planted.example", file)
    saved = api.ask("POST", "/v1/domains/planted.example/changes", CHANGE)
    assert saved.status == 201, saved.text
    box = {"address": "bela@waits.example", "password": PASSWORD}
    connections = "/v1/domains/waits.example/connections"
    bearer = {"Authorization": f"Basic {PASSWORD}"}
    return [
        saved,
        api.ask("GET", saved.headers["Location"]),
        api.ask("POST", connections, box | CHANGE),
        api.ask("POST", connections, box | {"insist": PASSWORD}),  # 422: of another type
        api.ask("POST", connections, box | {"address": PASSWORD}),  # 422: no address
        api.ask("GET", "/v1/pending-entries"),
        api.ask("GET", "/v1/events"),
        api.ask("GET", "/v1/me"),
        api.ask("GET", "/v1/api-keys"),
        api.ask("GET", "/v1/audit?by_service=true"),
        api.ask("GET", f"/v1/me?access_token={api.key}", key=None),
        api.ask("GET", "/v1/me", key=None, headers=bearer),
        api.ask("GET", "/v1/me", key=api.key[:-1]),
        api.ask("POST", "/v1/api-keys", {"name": {"password": PASSWORD}}),  # 422: of another type
        api.ask("POST", "/v1/api-keys", {"name": "x", "password": PASSWORD}),  # 422: a field that there is not
        api.ask("POST", "/v1/api-keys", {"name": "x", "scopes": [PASSWORD]}),  # 422: none of those
        api.ask("POST", "/v1/users", {"name": "u", "role": "member", "password": PASSWORD}),  # 422 likewise
        api.ask("POST", "/v1/api-keys", f'{{"name": "{PASSWORD}"'.encode(), headers=JSON),  # no JSON
    ]


def test_nothing_tells_a_secret(api: Api, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    file = tmp_path / "boxes.csv"
    file.write_text(f"address,password\nada@planted.example,{PASSWORD}\n")
    answers = ask_all(api, file)
    operator = api.new_key(role=Role.OPERATOR)
    answers.append(api.ask("DELETE", "/v1/accounts/default", key=operator))
    api.preflight.authenticate.settle()
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("preflight.db*"))
    answers.append(_broken(api, tmp_path / "preflight.db"))

    assert {answer.status for answer in answers} >= {200, 201, 400, 401, 409, 422, 500}
    metrics = _metrics(api)
    told = "\n".join([*(f"{answer.headers}{answer.text}" for answer in answers), _logged(caplog), metrics])
    for key in (api.key, operator):
        secret = key.rsplit("_", 1)[1]
        assert secret not in told
        assert secret.encode() not in stored
    assert PASSWORD not in told
    assert PASSWORD.encode() not in stored


def _logged(caplog: pytest.LogCaptureFixture) -> str:
    """All that was logged, but by the client that these tests ask with."""
    ours = [record for record in caplog.records if not record.name.startswith(("urllib3", "charset_normalizer"))]
    return "\n".join(logging.Formatter().format(record) for record in ours)


def _metrics(api: Api) -> str:
    """As Prometheus would get them."""
    return generate_latest(counters._registry(api.preflight.database)).decode()  # noqa: SLF001 -- without a port


def _broken(api: Api, file: Path) -> Answer:
    """A request that fails by our own fault, with a secret in its body and in the values of its statement."""
    with closing(sqlite3.connect(file)) as conn:
        conn.execute("ALTER TABLE users RENAME TO lost")
    return api.ask("POST", "/v1/users", {"name": PASSWORD, "role": "host_app"})
