"""Webhook endpoints by the API."""

from collections.abc import Iterator

import pytest
from standardwebhooks import Webhook

from settings_store.access.api_keys import KeyRequest
from settings_store.access.roles import Right
from tests.servers.receivers import Hook, hook
from tests.web.api import ANNA, Answer, Api, running
from worker.webhooks import delivery

PATH = "/v1/webhook-endpoints"
SETTINGS = {
    "kind": "imap",
    "imap": {"host": "imap.example.com", "port": 993},
    "smtp": {"host": "smtp.example.com", "port": 465},
}


@pytest.fixture
def web() -> Iterator[Hook]:
    with hook() as running:
        yield running


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """One for all that change nothing."""
    with running(tmp_path_factory.mktemp("refusals")) as found:
        yield found


def add(api: Api, web: Hook, **wanted: object) -> Answer:
    return api.ask("POST", PATH, {"url": f"http://127.0.0.1:{web.port}/h?token=s3cret", **wanted})


def save(api: Api, domain: str = "example.com") -> None:
    assert api.ask("POST", f"/v1/domains/{domain}/changes", {"settings": SETTINGS}).status == 201


def deliver(api: Api) -> int:
    return delivery.send_due(api.preflight.flow.resources)


def test_an_endpoint_from_its_first_day_to_its_last(api: Api, web: Hook) -> None:
    made = add(api, web, types=["change.saved"], description="  the  app ")
    assert made.status == 201, made.text
    place = made.headers["Location"]
    assert place == f"{PATH}/{made.body['id']}" and made.body["secret"].startswith("whsec_")
    assert made.body["url"] == f"http://127.0.0.1:{web.port}/h?..."
    assert (made.body["description"], made.body["enabled"], made.body["silent"]) == ("the app", True, None)
    shown = api.ask("GET", place)
    assert shown.body == {name: value for name, value in made.body.items() if name != "secret"}
    assert "s3cret" not in shown.text and "s3cret" not in made.text
    assert api.ask("GET", PATH).body == {"items": [shown.body], "next_cursor": None}

    save(api)
    assert deliver(api) == 1
    event = Webhook(made.body["secret"]).verify(web.calls[0].body, dict(web.calls[0].headers))
    assert (event["type"], event["domain"], web.calls[0].path) == ("change.saved", "example.com", "/h?token=s3cret")
    (told,) = api.ask("GET", f"{place}/deliveries").body["items"]
    assert told["id"] == web.ids[0] and told["event_id"] == event["id"]
    assert (told["state"], told["attempts"], told["status"], told["error"]) == ("sent", 1, 200, None)
    assert told["next_attempt_at"] is None and told["sent_at"].endswith("Z")

    changed = api.ask("PATCH", place, {"types": ["change.applied"], "enabled": False})
    assert (changed.body["types"], changed.body["enabled"]) == (["change.applied"], False)
    assert changed.body["silent"] == "it is disabled: by an administrator"
    assert changed.body["url"] == made.body["url"]
    assert api.ask("PATCH", place, {"enabled": True}).body["silent"] is None
    gone = api.ask("DELETE", place)
    assert (gone.status, gone.text) == (204, "")
    assert [api.ask("GET", place).status, api.ask("DELETE", place).status] == [404, 404]
    assert api.ask("GET", f"{place}/deliveries").status == 404


def test_a_secret_is_shown_when_it_is_new_only(api: Api, web: Hook) -> None:
    shared, public = add(api, web).body, add(api, web, signature="v1a").body
    assert public["secret"] is None and public["public_key"].startswith("whpk_")
    renewed = api.ask("POST", f"{PATH}/{shared['id']}/rotate").body
    assert renewed["secret"] not in (None, shared["secret"]) and renewed["old_secret_until"]
    changed = api.ask("POST", f"{PATH}/{public['id']}/rotate", {"overlap_hours": 1}).body
    assert changed["secret"] is None and changed["old_public_key"] == public["public_key"]
    at_once = api.ask("POST", f"{PATH}/{public['id']}/rotate", {"overlap_hours": 0}).body
    assert (at_once["old_public_key"], at_once["old_secret_until"]) == (None, None)
    shown = api.ask("GET", PATH).text
    assert "whsec_" not in shown and "whsk_" not in shown and renewed["secret"][6:] not in shown


def test_a_test_says_what_came_of_it(api: Api, web: Hook) -> None:
    made = add(api, web).body
    tried = api.ask("POST", f"{PATH}/{made['id']}/test").body
    assert (tried["delivered"], tried["status"], tried["error"]) == (True, 200, None)
    assert tried["webhook_id"] == web.ids[0]
    told = Webhook(made["secret"]).verify(web.calls[0].body, dict(web.calls[0].headers))
    assert (told["type"], told["subject"], told["data"]) == ("webhook_endpoint.test", made["id"], {})
    web.status = 503
    tried = api.ask("POST", f"{PATH}/{made['id']}/test").body
    assert (tried["delivered"], tried["status"], tried["error"]) == (False, 503, "HTTP status 503")
    assert api.ask("GET", f"{PATH}/{made['id']}/deliveries").body["items"] == []


def test_one_delivery_or_a_range_is_sent_again(api: Api, web: Hook) -> None:
    save(api, "before.example")
    made = add(api, web, types=["change.saved"]).body
    place = f"{PATH}/{made['id']}"
    web.status = 500
    save(api, "one.example")
    assert deliver(api) == 0
    (failed,) = api.ask("GET", f"{place}/deliveries?state=pending").body["items"]
    assert (failed["error"], failed["attempts"]) == ("HTTP status 500", 1)
    web.status = 200
    again = api.ask("POST", f"{place}/deliveries/{failed['id']}/redeliver")
    assert (again.status, again.body["state"], again.body["attempts"]) == (202, "pending", 0)
    assert deliver(api) == 1
    assert web.ids == [failed["id"]] * 2
    # What happened before there was the endpoint, and nothing else: the other one has arrived.
    ranged = api.ask("POST", f"{place}/redeliver", {"since": "2020-01-01T00:00:00Z"})
    assert (ranged.status, ranged.body) == (202, {"queued": 1, "next_after": None})
    assert deliver(api) == 1 and web.document()["domain"] == "before.example"
    all_of_it = api.ask("POST", f"{place}/redeliver", {"after": "evt_000000000000", "include_sent": True})
    assert all_of_it.body["queued"] == 2
    later = api.ask("POST", f"{place}/redeliver", {"after": failed["event_id"], "include_sent": True})
    assert later.body["queued"] == 0
    none = api.ask("POST", f"{place}/redeliver", {"since": "2020-01-01T00:00:00Z", "until": "2020-01-02T00:00:00Z"})
    assert none.body["queued"] == 0


def test_pages(api: Api, web: Hook) -> None:
    ids = [add(api, web, types=["change.saved", "change.verification_started"]).body["id"] for _ in range(3)]
    first = api.ask("GET", f"{PATH}?limit=2").body
    second = api.ask("GET", f"{PATH}?limit=2&cursor={first['next_cursor']}").body
    assert [each["id"] for each in first["items"] + second["items"]] == ids
    assert second["next_cursor"] is None
    for number in range(3):
        save(api, f"d{number}.example")
    deliver(api)
    place = f"{PATH}/{ids[0]}/deliveries"
    whole = api.ask("GET", place).body["items"]
    seen, cursor = list[str](), ""
    while cursor is not None:
        page = api.ask("GET", f"{place}?limit=2{cursor and '&cursor=' + cursor}").body
        seen += [each["id"] for each in page["items"]]
        cursor = page["next_cursor"]
    assert seen == [each["id"] for each in whole] and len(seen) == 6
    assert [each["event_id"] for each in whole] == sorted((each["event_id"] for each in whole), reverse=True)
    assert api.ask("GET", f"{place}/{seen[0]}").body == whole[0]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/url"),
        ({"url": "http://user:s3cret@127.0.0.1/"}, "/url"),
        ({"url": "nonsense"}, "/url"),
        ({"url": "https://a.example/", "types": ["change.saved", "change.praised"]}, "/types/1"),
        ({"url": "https://a.example/", "signature": "v2"}, "/signature"),
        ({"url": "https://a.example/", "description": "x" * 501}, "/description"),
        ({"url": "https://a.example/", "mood": "good"}, "/mood"),
    ],
)
def test_what_cannot_be_an_endpoint(shared: Api, body: dict[str, object], pointer: str) -> None:
    answer = shared.ask("POST", PATH, body)
    assert (answer.status, [each["pointer"] for each in answer.body["errors"]]) == (422, [pointer]), answer.text
    assert "s3cret" not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "pointer"),
    [
        ("PATCH", "", {"enabled": None}, 422, "enabled"),
        ("PATCH", "", {"url": "http://127.0.0.1/h?..."}, 422, "url"),
        ("POST", "/rotate", {"overlap_hours": 25}, 422, "overlap_hours"),
        ("POST", "/redeliver", {}, 422, "after"),
        ("POST", "/redeliver", {"after": "chg_1"}, 422, "after"),
        ("POST", "/redeliver", {"since": "2020-01-01T00:00:00"}, 422, "since"),
        ("POST", "/redeliver", {"since": "2020-01-02T00:00:00Z", "until": "2020-01-01T00:00:00Z"}, 422, "until"),
        ("GET", "/deliveries?cursor=bm9wZQ", None, 422, "query:cursor"),
        ("GET", "/deliveries?cursor=WyJuYW4iXQ", None, 422, "query:cursor"),
        ("GET", "/deliveries?cursor=WyI5OTk5OTk5OTk5OTk5OTk5OTk5OTkiXQ", None, 422, "query:cursor"),
        ("GET", "/deliveries?limit=0", None, 422, "query:limit"),
        ("GET", "/deliveries?state=lost", None, 422, "query:state"),
        ("GET", "/deliveries/whd_0", None, 404, None),
        ("GET", "/deliveries/evt_0", None, 404, None),
        ("POST", "/deliveries/whd_0/redeliver", None, 404, None),
    ],
)
def test_what_is_refused(shared: Api, method: str, path: str, body: object, status: int, pointer: str | None) -> None:
    made = shared.ask("POST", PATH, {"url": "https://app.example.com/h"}).body
    place = f"{PATH}/{made['id']}"
    answer = shared.ask(method, place + path, body)
    assert answer.status == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert [each["pointer"].removeprefix("/") for each in answer.body["errors"]] == ([pointer] if pointer else [])


def test_another_account_and_lesser_rights(api: Api, web: Hook) -> None:
    place = f"{PATH}/{add(api, web).body['id']}"
    api.preflight.add_account("other", ANNA)
    stranger = api.new_key("other")
    for method, path in (
        ("GET", ""),
        ("PATCH", ""),
        ("DELETE", ""),
        ("POST", "/test"),
        ("POST", "/rotate"),
        ("GET", "/deliveries"),
    ):
        body: dict[str, str] | None = {} if method == "PATCH" else None
        assert api.ask(method, place + path, body, key=stranger).status == 404, (method, path)
    assert api.ask("GET", PATH, key=stranger).body["items"] == []
    reader = api.preflight.account(actor=ANNA).access.create_key(KeyRequest("reader", scopes=[Right.READ]))[1].text
    assert api.ask("GET", PATH, key=reader).status == 403
    assert api.ask("GET", place).status == 200
