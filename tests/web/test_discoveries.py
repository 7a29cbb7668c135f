"""Discovery by the API, against a small Internet on loopback; and in a sandbox, where no network is."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from settings_store.access.roles import Right
from tests.cli.reports.test_json_documents import validator
from tests.servers.certificates import CertificateLab
from tests.servers.internet import Internet, autoconfig
from tests.web.api import Api
from web.api import discoveries

DOMAIN = "corp.example"
NAMES = tuple(prefix + DOMAIN for prefix in ("", "autoconfig.", "imap.", "smtp."))
XML = autoconfig([(f"imap.{DOMAIN}", 993, "SSL")], [(f"smtp.{DOMAIN}", 465, "SSL")], "%EMAILLOCALPART%")
HTTP = f"http://autoconfig.{DOMAIN}/mail/config-v1.1.xml"


@pytest.fixture(scope="module")
def internet(certificates: CertificateLab) -> Iterator[Internet]:
    made = Internet(certificates, NAMES, hosts=set(NAMES))
    made.serve_mail(f"imap.{DOMAIN}:993", f"smtp.{DOMAIN}:465")
    with made.running():
        yield made


@pytest.fixture(autouse=True)
def _reached(internet: Internet, monkeypatch: pytest.MonkeyPatch) -> None:
    internet.pages = {HTTP.replace("http:", "https:"): (200, {}, XML)}
    internet.stand_in(monkeypatch)


def test_settings_that_fit_a_change(shared_api: Api) -> None:
    answer = shared_api.ask("POST", "/v1/discoveries", {"target": f"Ada@{DOMAIN}"})
    assert answer.status == 200, answer.text
    validator("discovery.schema.json").validate(answer.body)
    best = answer.body["proposals"][0]
    assert (best["source"], best["trusted"], best["username"]) == ("autoconfig", True, "Ada")
    save = {"settings": best["settings"]}
    saved = shared_api.ask("POST", f"/v1/domains/{DOMAIN}/changes", save)
    assert saved.status == 201, saved.text


def test_a_host_that_nothing_vouches_for_has_to_be_accepted_by_name(shared_api: Api, internet: Internet) -> None:
    internet.pages = {HTTP: (200, {}, XML)}
    wanted = {"target": DOMAIN}
    best = shared_api.ask("POST", "/v1/discoveries?lang=ja", wanted).body["proposals"][0]
    assert (best["settings"], best["trusted"]) == (None, False)
    hosts = best["hosts_to_accept"]
    assert [server["evidence"] for server in best["servers"]] == ["plain_http"] * 2
    for accepted, given in ((hosts[:1], False), (hosts, True)):
        answer = shared_api.ask("POST", "/v1/discoveries", wanted | {"accepted_hosts": accepted})
        assert (answer.body["proposals"][0]["settings"] is not None) is given


def test_what_was_typed_is_repaired(shared_api: Api, internet: Internet) -> None:
    internet.pages = {}
    typed = {"imap": {"host": f"imap.{DOMAIN}", "port": 143}, "smtp": {"host": f"smtp.{DOMAIN}", "port": 465}}
    best = shared_api.ask("POST", "/v1/discoveries", {"target": DOMAIN, **typed}).body["proposals"][0]
    assert (best["source"], best["settings"]["imap"]["port"]) == ("typed", 993)
    assert best["servers"][0]["repair"]["kind"] == "other_port"


@pytest.mark.parametrize(
    ("wanted", "pointer"),
    [
        ({}, "/target"),
        ({"target": "no domain"}, "/target"),
        ({"target": "a b@corp.example"}, "/target"),
        ({"target": DOMAIN, "imap": {"host": "x y", "port": 993}}, "/imap/host"),
        ({"target": DOMAIN, "accepted_hosts": ["a", "x y"]}, "/accepted_hosts/1"),
        ({"target": DOMAIN, "more": 1}, "/more"),
    ],
)
def test_what_cannot_be_asked_for(shared_api: Api, wanted: dict[str, object], pointer: str) -> None:
    answer = shared_api.ask("POST", "/v1/discoveries", wanted)
    assert answer.status == 422, answer.text
    assert [each["pointer"] for each in answer.body["errors"]] == [pointer]


def test_only_a_few_at_a_time_and_for_who_may(shared_api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discoveries, "_turns", threading.BoundedSemaphore(1))
    with discoveries._turns:  # noqa: SLF001 -- somebody else's
        answer = shared_api.ask("POST", "/v1/discoveries", {"target": DOMAIN})
    assert (answer.status, answer.headers["Retry-After"]) == (503, "10")
    key = shared_api.new_key(scopes=[Right.READ])
    assert shared_api.ask("POST", "/v1/discoveries", {"target": DOMAIN}, key=key).status == 403


def test_a_sandbox_asks_nobody(shared_api: Api, internet: Internet) -> None:
    internet.requests.clear()
    internet.dns.asked.clear()
    key = shared_api.new_key(live=False)
    for domain, verdict in (("ok.test", "ok"), ("self-signed.test", "fail")):
        answer = shared_api.ask("POST", "/v1/discoveries", {"target": domain}, key=key)
        assert (answer.body["verdict"], answer.body["proposals"][0]["source"]) == (verdict, "autoconfig"), answer.text
    assert (internet.requests, internet.dns.asked) == ([], [])


def test_the_schema_is_as_strict_as_the_others() -> None:
    schema = json.loads((Path(__file__).parents[2] / "docs/schema/discovery.schema.json").read_text())
    assert schema["additionalProperties"] is False


def test_sources_come_as_they_end(shared_api: Api) -> None:
    lines = {"Accept": "application/x-ndjson"}
    answer = shared_api.ask("POST", "/v1/discoveries", {"target": DOMAIN}, headers=lines)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/x-ndjson")
    *sources, last = [json.loads(line) for line in answer.text.splitlines()]
    named = [line["source"]["source"] for line in sources]
    assert {"pacc", "autoconfig", "srv"} <= set(named)
    assert set(named) == {source["source"] for source in last["discovery"]["sources"]}
    assert last["discovery"]["verdict"] == "ok"
    assert discoveries._turns._value == discoveries.AT_ONCE  # noqa: SLF001 -- it was given back
    assert shared_api.ask("POST", "/v1/discoveries", {"target": DOMAIN}, headers={"Accept": "text/html"}).status == 406
