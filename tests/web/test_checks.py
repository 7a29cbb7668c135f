"""Checks of one server by the API, against real servers; codes, and connection IPs."""

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from checks.codes import CODES, Code
from checks.language import Language
from settings_store import schema
from settings_store.access.roles import Right
from tests.servers.certificates import CertificateFiles, CertificateLab
from tests.servers.hostile import HostileServer
from tests.web.api import ANNA, Answer, Api, running
from web.api import checks

SCHEMA = json.loads((Path(__file__).parents[2] / "docs/schema/check.schema.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> CertificateLab:
    return CertificateLab(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def leaf(lab: CertificateLab) -> CertificateFiles:
    return lab.issue()


def check(api: Api, query: str = "", **wanted: Any) -> Answer:
    return api.ask("POST", f"/v1/checks{query}", {"protocol": "imap", "host": "127.0.0.1", **wanted})


def test_a_server_that_works(api: Api, lab: CertificateLab, leaf: CertificateFiles) -> None:
    with HostileServer("imap", leaf) as server:
        answer = check(api, host="localhost", port=server.port, security="tls", ca_pem=lab.ca_pem)
    assert (answer.status, answer.body["verdict"], answer.body["code"]) == (200, "ok", "ok")
    assert answer.body["endpoint"]["port"] == server.port
    jsonschema.validate(answer.body, SCHEMA)


def test_a_server_that_fails_is_no_failure_of_the_request(api: Api, leaf: CertificateFiles) -> None:
    with HostileServer("imap", leaf) as server:
        english = check(api, port=server.port, security="tls")
        japanese = check(api, "?lang=ja", port=server.port, security="tls")
    assert (english.status, english.body["verdict"]) == (200, "fail")
    assert english.body["code"] == japanese.body["code"] == "tls.untrusted_root"
    assert english.body["allow_insecure_certificate"] == "needed"
    assert japanese.body["who_acts"] != english.body["who_acts"]
    jsonschema.validate(japanese.body, SCHEMA)
    refused = check(api, port=1)
    assert (refused.status, refused.body["code"]) == (200, "connect.refused")


def test_exchange_by_what_people_type(api: Api) -> None:
    answer = api.ask("POST", "/v1/checks", {"protocol": "https", "exchange_url": "https://127.0.0.1:1/owa"})
    assert (answer.status, answer.body["code"]) == (200, "connect.refused")
    assert answer.body["endpoint"]["url"] == "https://127.0.0.1:1/EWS/Exchange.asmx"


@pytest.mark.parametrize(
    ("wanted", "pointer"),
    [
        ({"port": 0}, "/port"),
        ({"port": 993, "host": "no host"}, "/host"),
        ({"port": 993, "ca_pem": "none"}, "/ca_pem"),
        ({"port": 993, "authentication": "none"}, "/authentication"),
        ({"protocol": "pop3", "port": 995}, ""),
        ({"protocol": "https", "exchange_url": "ftp://x"}, "/host"),
    ],
)
def test_what_cannot_be_asked_for(api: Api, wanted: dict[str, Any], pointer: str) -> None:
    answer = check(api, **wanted)
    assert answer.status == 422, answer.text
    assert pointer in [each["pointer"] for each in answer.body["errors"]]


def test_the_address_policy_holds(tmp_path: Path) -> None:
    with running(tmp_path, allow_networks=()) as api:
        assert check(api, port=993).body["code"] == "address.not_allowed"


def test_only_a_few_at_a_time(tmp_path: Path, leaf: CertificateFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "_turns", threading.BoundedSemaphore(1))
    with running(tmp_path, endpoint_seconds=2) as api, HostileServer("silent", leaf) as server:
        _ask_for_two(api, server.port)
        assert check(api, port=1).status == 200


def _ask_for_two(api: Api, silent: int) -> None:
    with _held(api, silent):
        deadline = time.monotonic() + 10
        while checks._turns._value and time.monotonic() < deadline:  # noqa: SLF001 -- has it begun?
            time.sleep(0.01)
        answer = check(api, port=1)
        assert (answer.status, answer.body["code"], answer.headers["Retry-After"]) == (503, "unavailable", "5")


@contextlib.contextmanager
def _held(api: Api, port: int) -> Iterator[None]:
    """A check that does not end meanwhile: its server is silent, until it goes."""
    other = Api(api.url, api.preflight, api.key)
    thread = threading.Thread(target=lambda: check(other, port=port, security="starttls"))
    thread.start()
    try:
        yield
    finally:
        thread.join(40)
        other.session.close()


def test_who_may_only_read_connects_to_nobody(api: Api) -> None:
    key = api.new_key(scopes=[Right.READ])
    answer = api.ask("POST", "/v1/checks", {"protocol": "imap", "host": "127.0.0.1", "port": 1}, key=key)
    assert answer.status == 403


# -- codes


def test_every_code_in_every_language_for_everybody(api: Api) -> None:
    answer = api.ask("GET", "/v1/codes", key=None)
    assert answer.status == 200
    assert answer.headers["Cache-Control"].startswith("public")
    found = {each["code"]: each for each in answer.body["items"]}
    assert found.keys() == {code.value for code in Code}
    for code, each in found.items():
        assert each["blame"] == CODES[Code(code)].blame.value
        assert each["words"].keys() == {language.value for language in Language}
        assert all(words["cause"] and "{" not in words["cause"] for words in each["words"].values())
    assert (found["auth.rejected"]["lasting"], found["auth.temporary"]["lasting"]) == (True, False)
    assert found["auth.rejected"]["field"] == "mailbox.password"


def test_codes_are_not_sent_twice(api: Api) -> None:
    tag = api.ask("GET", "/v1/codes", key=None).headers["ETag"]
    again = api.ask("GET", "/v1/codes", key=None, headers={"If-None-Match": tag})
    assert (again.status, again.text, again.headers["ETag"]) == (304, "", tag)
    assert api.ask("GET", "/v1/codes", key=None, headers={"If-None-Match": '"other"'}).status == 200


# -- connection IPs


def test_the_system_chooses_unless_it_is_told(api: Api, tmp_path: Path) -> None:
    found = api.ask("GET", "/v1/connection-ips").body
    known = {"static_available": False, "static_domains": []}
    assert found == {"items": [], "next_cursor": None, "complete": False} | known
    with running(tmp_path / "set", source_address=("127.0.0.2",)) as told:
        known = told.ask("GET", "/v1/connection-ips").body
        assert known["items"] == [{"address": "127.0.0.2", "family": "ipv4", "static": False}]
        assert known["complete"] is True
        told.preflight.add_account("north", ANNA)
        _looked_at_from(told, "2001:db8::7")
        both = told.ask("GET", "/v1/connection-ips").body
        assert [each["address"] for each in both["items"]] == ["127.0.0.2", "2001:db8::7"]
        assert told.ask("GET", "/v1/connection-ips", key=told.new_key("north")).body == known


def _looked_at_from(api: Api, source: str) -> None:
    """Another worker has looked at an endpoint of the default account from there."""
    api.ask("PUT", "/v1/domains/example.com")
    with api.preflight.database.begin() as conn:
        values: dict[str, Any] = {"domain_id": 1, "kind": "exchange", "exchange_url": "https://x.example/"}
        conn.execute(schema.settings.insert().values(**values, allow_insecure_certificate=False, created_at=1.0))
        known: dict[str, Any] = dict.fromkeys(("fails", "oks", "silent", "ms", "since", "checked_at"), 0)
        known |= {"domain_id": 1, "settings_id": 1, "protocol": "https", "server": "x.example:443", "source": source}
        known |= {"verdict": "ok", "code": "ok", "seen": "", "document": {}, "notices": []}
        conn.execute(schema.health_endpoints.insert().values(**known))
