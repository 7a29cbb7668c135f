"""Connection IPs by the API: who sees which, and the request to the people of a firewall."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from checks.network.static_addresses import parse_networks, parse_ranges
from tests.settings_store.in_force import mail_settings, put_in_force
from tests.web.api import ANNA, Api, running

IMAP = {
    "kind": "imap",
    "imap": {"host": "imap.example.com", "port": 993},
    "smtp": {"host": "2001:db8::25", "port": 465},
}


@pytest.fixture
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    ranges = parse_ranges("203.0.113.8/30 2001:db8::8/127")
    shared = parse_networks("198.51.100.0/28 198.51.100.77")
    with running(
        tmp_path_factory.mktemp("ips"), static_addresses=ranges, shared_addresses=shared, web_rate_expensive=0
    ) as found:
        yield found


def listed(api: Api, **options: str) -> dict[str, bool]:
    answer = api.ask("GET", "/v1/connection-ips", **options)
    assert answer.status == 200, answer.text
    assert answer.body["complete"] is True
    assert answer.body["static_available"] is True
    return {each["address"]: each["static"] for each in answer.body["items"]}


def test_static_ranges_are_for_accounts_that_use_them(api: Api) -> None:
    shared = {"198.51.100.0/28": False, "198.51.100.77": False}
    assert listed(api) == shared
    saved = api.ask("POST", "/v1/domains/example.com/changes", {"settings": IMAP | {"static_addresses": True}})
    assert saved.status == 201, saved.text
    assert saved.body["settings"]["static_addresses"] is True
    assert listed(api) == shared | {"203.0.113.8/30": True, "2001:db8::8/127": True}, "a change wants them"
    api.preflight.add_account("north", ANNA)
    assert listed(api, key=api.new_key("north")) == shared
    api.ask("POST", f"/v1/changes/{saved.body['id']}/discard")
    assert listed(api) == shared


def test_the_domains_that_use_them_are_named(api: Api) -> None:
    with api.preflight.database.begin() as conn:
        put_in_force(conn, "a.example", replace(mail_settings(), static_addresses=True))
        put_in_force(conn, "b.example", mail_settings())
    assert api.ask("GET", "/v1/connection-ips").body["static_domains"] == ["a.example"]
    assert api.ask("GET", "/v1/domains/a.example").body["settings"]["static_addresses"] is True
    static = api.ask("GET", "/v1/domains/a.example/firewall-request").body
    assert (static["static"], static["addresses"]) == (True, ["203.0.113.8/30", "2001:db8::8/127"])
    shared = api.ask("GET", "/v1/domains/b.example/firewall-request").body
    assert (shared["static"], shared["addresses"]) == (False, ["198.51.100.0/28", "198.51.100.77"])


def test_they_are_named_a_page_at_a_time_where_that_is_asked_for(api: Api) -> None:
    with api.preflight.database.begin() as conn:
        for name in ("c", "a", "b"):
            put_in_force(conn, f"{name}.example", replace(mail_settings(), static_addresses=True))
    whole = api.ask("GET", "/v1/connection-ips").body
    assert (whole["static_domains"], whole["next_cursor"]) == (["a.example", "b.example", "c.example"], None)
    first = api.ask("GET", "/v1/connection-ips?limit=2").body
    assert (first["static_domains"], first["items"]) == (["a.example", "b.example"], whole["items"])
    second = api.ask("GET", f"/v1/connection-ips?limit=2&cursor={first['next_cursor']}").body
    assert second == whole | {"static_domains": ["c.example"], "items": []}
    assert api.ask("GET", "/v1/connection-ips?limit=3").body == whole
    assert api.ask("GET", "/v1/connection-ips?cursor=mine").status == 422


def test_the_request_is_a_text_in_every_language(api: Api) -> None:
    api.ask("POST", "/v1/domains/example.com/changes", {"settings": IMAP | {"static_addresses": True}})
    found = api.ask("GET", "/v1/domains/example.com/firewall-request").body
    assert found["servers"] == [
        {"protocol": "imap", "host": "imap.example.com", "port": 993},
        {"protocol": "smtp", "host": "2001:db8::25", "port": 465},
    ]
    for language, target in (("en", "[2001:db8::25], port 465 (SMTP)"), ("ja", "[2001:db8::25] ポート 465 (SMTP)")):
        words = found["words"][language]
        assert "example.com" in words["subject"]
        assert "example.com" in words["explanation"]
        for part in ("203.0.113.8/30", "2001:db8::8/127", "imap.example.com", target):
            assert part in words["text"]
        assert "{" not in "".join(words.values())


def test_a_domain_without_settings_has_nothing_to_ask_for(api: Api) -> None:
    api.ask("PUT", "/v1/domains/empty.example")
    answer = api.ask("GET", "/v1/domains/empty.example/firewall-request")
    assert answer.status == 422, answer.text


def test_where_there_are_none_they_cannot_be_switched_on(tmp_path: Path) -> None:
    with running(tmp_path) as bare:
        answer = bare.ask("POST", "/v1/domains/x.example/changes", {"settings": IMAP | {"static_addresses": True}})
        assert answer.status == 422
        assert [each["pointer"] for each in answer.body["errors"]] == ["/settings/static_addresses"]
        bare.ask("POST", "/v1/domains/x.example/changes", {"settings": IMAP})
        assert bare.ask("GET", "/v1/domains/x.example/firewall-request").status == 422
