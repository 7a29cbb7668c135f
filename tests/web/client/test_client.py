"""Every method of the client, once at least."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mail_preflight_client import ApiError, Client, documents

from settings_store.access.roles import Right
from tests.servers.receivers import hook
from tests.web.api import Api
from tests.web.client.documents import text

Settings = dict[str, Any]
BOXES = [{"address": f"box{number}@boxes.example", "password": "planted-secret"} for number in range(3)]


def test_domains(client: Client) -> None:
    assert client.domains.put("domains.example")["settings"] is None
    assert client.domains.get("domains.example")["name"] == "domains.example"
    assert "domains.example" in [each["name"] for each in client.domains.list()]
    assert client.domains.health("domains.example")["state"] == "not_configured"
    assert client.domains.delete("domains.example")["mailboxes"] == 0
    with pytest.raises(ApiError) as gone:
        client.domains.get("domains.example")
    assert (gone.value.status, gone.value.code) == (404, "not_found")


def test_mailboxes_go_in_as_a_stream_and_are_read_in_pages(client: Client) -> None:
    count = 1500
    rows = ({"address": f"box{number:04}@many.example", "password": "planted"} for number in range(count))
    assert client.mailboxes.upsert("many.example", rows) == {"added": count, "updated": 0, "unchanged": 0}
    assert sum(1 for _ in client.mailboxes.list("many.example", limit="1000")) == count
    assert [each["address"] for each in client.mailboxes.list("many.example", text="0042@")] == ["box0042@many.example"]
    assert client.mailboxes.get("many.example", "box0042@many.example")["credential"] == "password"
    assert client.mailboxes.delete("many.example", "box0042@many.example") == {"removed": 1}


def test_a_stream_of_mailboxes_that_is_refused_says_which_row(client: Client) -> None:
    rows = [{"address": "ada@rows.example", "password": "planted"}, {"address": "bob@rows.example", "password": "***"}]
    with pytest.raises(ApiError) as refused:
        client.mailboxes.upsert("rows.example", rows)
    assert (refused.value.status, refused.value.code) == (422, "invalid_request")
    assert [(each["pointer"], each["code"], each["row"]) for each in refused.value.errors] == [
        ("row:2/password", "masked", 2)
    ]
    assert "planted" not in str(refused.value.document)


def test_a_change_from_its_save_to_its_end(client: Client, nobody_there: Settings) -> None:
    saved = client.changes.create("boxes.example", nobody_there, BOXES)
    assert saved["proposed"] == {"added": 3, "updated": 0, "unchanged": 0}
    change = client.wait_for_change(saved["id"], timeout=60)
    assert (change["state"], change["verdict"]) == ("verified", "unsafe")
    assert client.changes.get(saved["id"])["checksum"] == change["checksum"]

    report = client.changes.report(saved["id"])
    assert report["endpoints"][0]["code"] == "connect.refused"
    assert client.changes.report(saved["id"], "ja")["headline"] != report["headline"]
    assert [letter["to"] for letter in client.changes.letters(saved["id"], "ja", to="ticket")] == ["ticket"]
    boxes = list(client.changes.report_mailboxes(saved["id"], limit="2"))
    assert [each["address"] for each in boxes] == [each["address"] for each in BOXES]
    assert [each["id"] for each in client.changes.list("boxes.example")] == [saved["id"]]

    number = report["next"]["accept_disconnects"]
    with pytest.raises(ApiError) as wrong:
        client.changes.apply(saved["id"], checksum=report["checksum"], accept_disconnects=number + 1)
    assert (wrong.value.status, wrong.value.code) == (422, "wrong_accept_disconnects")
    assert wrong.value.accept_disconnects == number
    with pytest.raises(ApiError) as moved:
        client.changes.apply(saved["id"], checksum="0" * 64, accept_disconnects=number)
    assert (moved.value.status, moved.value.code) == (412, "report_moved")

    checksum = report["checksum"]
    applied = client.changes.apply(saved["id"], checksum=checksum, accept_disconnects=number, watch_minutes=0)
    assert applied["state"] == "applied"
    assert client.domains.get("boxes.example")["settings"] == applied["settings"]
    assert client.changes.roll_back(saved["id"])["state"] == "rolled_back"
    assert [each["event"] for each in client.changes.history(saved["id"])][-1] == "roll_back"


def test_what_the_state_does_not_allow(client: Client, nobody_there: Settings) -> None:
    saved = client.changes.create("actions.example", nobody_there)
    client.wait_for_change(saved["id"], timeout=60)
    assert client.changes.act(saved["id"], "discard")["state"] == "discarded"
    with pytest.raises(ApiError) as refused:
        client.changes.roll_back(saved["id"])
    assert (refused.value.status, refused.value.code) == (409, "wrong_state")
    assert refused.value.allowed_actions == ["reopen"]
    assert refused.value.detail
    assert refused.value.request_id.startswith("req_")
    assert refused.value.accept_disconnects is None
    assert str(refused.value) == f"409 wrong_state: {refused.value.detail}"
    assert client.wait_for_change(saved["id"])["state"] == "discarded", "nobody waits for what has ended"


def test_a_wait_ends(api: Api, nobody_there: Settings) -> None:
    """Given a service without workers, whose verification stays as it is."""
    with Client(api.url, api.key) as client:
        saved = client.changes.create("wait.example", nobody_there)
        with pytest.raises(TimeoutError, match=saved["id"]):
            client.wait_for_change(saved["id"], timeout=0.2)
        assert client.changes.act(saved["id"], "cancel")["state"] == "draft"
        assert client.wait_for_change(saved["id"])["state"] == "draft"


def test_events_page_after_page(client: Client) -> None:
    first = client.domains.put("events.example")
    before = list(client.events())[-1:]
    after = before[0]["id"] if before else None
    for number in range(3):
        client.mailboxes.upsert("events.example", [{"address": f"b{number}@{first['name']}", "password": "planted"}])
    told = list(client.events(after, types="mailboxes.imported", domain="events.example", limit="1"))
    assert [each["type"] for each in told] == ["mailboxes.imported"] * 3
    assert list(client.events(told[-1]["id"], domain="events.example")) == []


def test_webhook_endpoints(client: Client) -> None:
    with pytest.raises(ApiError) as unknown:
        client.webhook_endpoints.create("http://127.0.0.1:1/", domain="hooks.example")
    assert (unknown.value.status, unknown.value.errors[0]["pointer"]) == (422, "/domain")
    client.domains.put("hooks.example")
    with hook() as receiver:
        url = f"http://127.0.0.1:{receiver.port}/hooks"
        made = client.webhook_endpoints.create(url, ["change.verified"], domain="hooks.example")
        assert made["secret"] is not None and made["secret"].startswith("whsec_")
        assert client.webhook_endpoints.test(made["id"])["delivered"]
    assert client.webhook_endpoints.get(made["id"])["types"] == ["change.verified"]
    assert made["id"] in [each["id"] for each in client.webhook_endpoints.list()]
    assert not client.webhook_endpoints.update(made["id"], enabled=False)["enabled"]
    assert client.webhook_endpoints.rotate(made["id"], overlap_hours=0)["secret"] != made["secret"]
    assert list(client.webhook_endpoints.deliveries(made["id"])) == []
    client.webhook_endpoints.delete(made["id"])
    assert made["id"] not in [each["id"] for each in client.webhook_endpoints.list()]


def test_any_other_path(site: Api, client: Client) -> None:
    assert client.request("GET", "/v1/me")["key"]["scopes"]
    made = client.request("POST", "/v1/api-keys", {"name": "other", "scopes": ["read"]})
    client.request("DELETE", f"/v1/api-keys/{made['id']}")
    with Client(site.url, made["key"]) as revoked, pytest.raises(ApiError, match="401 invalid_key"):
        revoked.request("GET", "/v1/me")
    with pytest.raises(ApiError) as unknown:
        client.request("GET", "/v1/audit", limit=0)
    assert [each["pointer"] for each in unknown.value.errors] == ["query:limit"]


@pytest.mark.parametrize("read", [lambda client: client.domains.put("x.example")])
def test_a_key_without_the_right(site: Api, read: Callable[[Client], Any]) -> None:
    with Client(site.url, site.new_key(scopes=(Right.READ,))) as client, pytest.raises(ApiError) as refused:
        read(client)
    assert (refused.value.status, refused.value.document["required_scope"]) == (403, "change")


def test_the_key_is_shown_nowhere(site: Api, client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """And no `.netrc` takes its place."""
    host = site.place[0]
    (tmp_path / "netrc").write_text(f"machine {host} login anna password another\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert client.request("GET", "/v1/me")
    transport = client.domains._transport  # noqa: SLF001 -- what a debugger or an error report would print
    assert site.key not in f"{client!r} {transport!r} {vars(transport)} {vars(transport._session)}"  # noqa: SLF001
    assert not dataclasses.is_dataclass(transport)


def test_the_types_of_documents_are_the_contracts() -> None:
    assert Path(documents.__file__).read_text(encoding="utf-8") == text(), (
        "`python -m tests.web.client.documents > clients/python/mail_preflight_client/documents.py`"
    )
