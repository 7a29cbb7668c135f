"""Who may ask, and what they may give away. 401 and 403 speak of our own API only."""

import http.client
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from settings_store.access.roles import Right, Role
from tests.web.api import ANNA, Answer, Api, running


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """One API for all of these tests: each makes keys and users of its own."""
    with running(tmp_path_factory.mktemp("access")) as found:
        yield found


def raw(api: Api, path: str, *headers: tuple[bytes, bytes]) -> int:
    """The status of a GET with exactly these headers, also such as no client sends."""
    connection = http.client.HTTPConnection(urlsplit(api.url).netloc, timeout=30)
    try:
        connection.putrequest("GET", path, skip_accept_encoding=True)
        for name, value in headers:
            connection.putheader(name, value)
        connection.endheaders()
        return connection.getresponse().status
    finally:
        connection.close()


def soon(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER   ", "bEaReR "])
def test_the_scheme_is_read_in_any_case(api: Api, scheme: str) -> None:
    assert raw(api, "/v1/me", (b"authorization", f"{scheme}{api.key}".encode())) == 200


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"Bearer",
        b"Bearer ",
        b"Basic %s",
        b"%s",
        b"Bearer%s",
        b"Bearer \xa0%s",
        b"Bearer %s\xa0",
        b"Bearer \x85%s",
        b"Bearer %s, Bearer %s",
        b"Bearer %s %s",
        b"Bearer \xff\xfe\xc3\xa9",
        b"Bearer " + b"x" * 10_000,
        b"\xe2\x82\xac %s",
    ],
)
def test_what_is_no_key_in_the_header_is_401(api: Api, value: bytes) -> None:
    assert raw(api, "/v1/me", (b"Authorization", value.replace(b"%s", api.key.encode()))) == 401


def test_of_several_headers_none_is_taken(api: Api) -> None:
    """Whatever stands between may look at another one of them than we do."""
    good = (b"Authorization", f"Bearer {api.key}".encode())
    for first, second in (
        (good, good),
        (good, (b"Authorization", b"Bearer x")),
        ((b"authorization", b"Basic x"), good),
    ):
        assert raw(api, "/v1/me", first, second) == 401


@pytest.mark.parametrize("name", ["access_token", "api_key", "key", "token", "authorization", "Authorization"])
def test_a_key_in_the_address_is_never_taken(api: Api, name: str) -> None:
    answer = api.ask("GET", f"/v1/me?{name}={api.key}", key=None)
    assert (answer.status, answer.body["code"]) == (401, "no_key")
    assert api.key not in answer.text
    assert api.ask("GET", "/v1/me", key=None, headers={"Cookie": f"{name}={api.key}"}).status == 401
    assert api.ask("GET", "/v1/me", key=None, headers={"X-Api-Key": api.key}).status == 401


def test_every_refused_key_is_answered_alike(api: Api) -> None:
    """Nobody learns from the answer whether a key's id is one that there is."""
    known, other = api.new_key(), api.new_key()
    head, secret = known.rsplit("_", 1)
    swapped = f"{head}_{other.rsplit('_', 1)[1]}"
    revoked = api.new_key()
    api.ask("DELETE", f"/v1/api-keys/key_{revoked.split('_')[2]}")
    answers = [api.ask("GET", "/v1/me", key=key) for key in (swapped, known[:-1], revoked, "mp_live_x", secret)]
    assert {(answer.status, answer.body["code"], answer.body["detail"]) for answer in answers} == {
        (401, "invalid_key", answers[0].body["detail"])
    }
    assert all("Bearer" in answer.headers["WWW-Authenticate"] for answer in answers)


def test_a_new_key_works_at_once_and_a_revoked_one_no_more(api: Api) -> None:
    made = api.ask("POST", "/v1/api-keys", {"name": "crm", "scopes": ["read"]})
    assert made.status == 201, made.text
    key, path = made.body["key"], made.headers["Location"]
    assert api.ask("GET", "/v1/me", key=key).body["key"]["scopes"] == ["read"]

    assert "key" not in api.ask("GET", path).body
    assert api.ask("DELETE", path).status == 204
    assert api.ask("GET", "/v1/me", key=key).status == 401
    assert api.ask("DELETE", path).status == 204
    assert api.ask("GET", path).body["revoked_at"] is not None


def test_the_last_use_is_shown(api: Api) -> None:
    made = api.ask("POST", "/v1/api-keys", {"name": "used"}).body
    assert made["last_used_at"] is None
    api.ask("GET", "/v1/me", key=made["key"])
    api.preflight.authenticate.settle()
    shown = api.ask("GET", f"/v1/api-keys/{made['id']}").body
    assert shown["last_address"] == "127.0.0.1"
    assert shown["last_used_at"] is not None


def test_a_key_expires(api: Api) -> None:
    made = api.ask("POST", "/v1/api-keys", {"name": "short", "expires_at": soon(0.8)})
    assert made.status == 201, made.text
    key = made.body["key"]
    give_up = time.monotonic() + 30
    while api.ask("GET", "/v1/me", key=key).status == 200 and time.monotonic() < give_up:
        time.sleep(0.05)
    assert api.ask("GET", "/v1/me", key=key).status == 401


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/name"),
        ({"name": ""}, "/name"),
        ({"name": "a\x00"}, "/name"),
        ({"name": "crm", "scopes": ["everything"]}, "/scopes/0"),
        ({"name": "crm", "scopes": []}, "/scopes"),
        ({"name": "crm", "scopes": ["operate"]}, "/scopes"),
        ({"name": "crm", "role": "operator"}, "/role"),
        ({"name": "crm", "role": "member"}, "/user"),
        ({"name": "crm", "user_id": "usr_0"}, "/user"),
        ({"name": "crm", "expires_at": "2020-01-01T00:00:00Z"}, "/expires_at"),
        ({"name": "crm", "expires_at": "9999-12-31T23:59:59-05:00"}, "/expires_at"),
        ({"name": "crm", "expires_at": "2099-01-01T00:00:00"}, "/expires_at"),
        ({"name": "crm", "digest": "x"}, "/digest"),
    ],
)
def test_what_no_key_can_be_is_told_at_its_field(api: Api, body: dict[str, Any], pointer: str) -> None:
    answer = api.ask("POST", "/v1/api-keys", body)
    assert answer.status == 422, answer.text
    assert [error["pointer"] for error in answer.body["errors"]] == [pointer]


# -- nobody gives away what they do not have


def admin(api: Api, *more: Right, **wanted: Any) -> str:
    return api.new_key(scopes=[Right.ADMIN, *more], **wanted)


@pytest.mark.parametrize(
    "body",
    [
        {"name": "x"},
        {"name": "x", "scopes": ["admin", "apply"]},
        {"name": "x", "role": "super_admin"},
        {"name": "x", "scopes": ["credentials"]},
    ],
)
def test_a_key_gives_no_right_that_it_does_not_have(api: Api, body: dict[str, Any]) -> None:
    key = admin(api, Right.READ)
    answer = api.ask("POST", "/v1/api-keys", body, key=key)
    assert (answer.status, answer.body["code"]) == (403, "not_allowed"), answer.text
    assert api.ask("POST", "/v1/api-keys", {"name": "x", "scopes": ["read", "admin"]}, key=key).status == 201


def test_nor_by_way_of_a_user(api: Api) -> None:
    key = admin(api)
    strong = api.ask("POST", "/v1/users", {"name": "strong", "role": "super_admin"}).body["id"]
    weak = api.ask("POST", "/v1/users", {"name": "weak", "role": "account_access"}).body["id"]
    for answer in (
        api.ask("POST", "/v1/users", {"name": "eve", "role": "super_admin"}, key=key),
        api.ask("PUT", f"/v1/users/{weak}/role", {"role": "super_admin"}, key=key),
        api.ask("POST", "/v1/api-keys", {"name": "x", "user_id": strong}, key=key),
    ):
        assert answer.status == 403, answer.text
    assert api.ask("GET", f"/v1/users/{weak}").body["role"] == "account_access"


def test_nor_time(api: Api) -> None:
    key = api.new_key(expires_at=time.time() + 3600)
    assert api.ask("POST", "/v1/api-keys", {"name": "x"}, key=key).status == 403
    assert api.ask("POST", "/v1/api-keys", {"name": "x", "expires_at": soon(7200)}, key=key).status == 403
    assert api.ask("POST", "/v1/api-keys", {"name": "x", "expires_at": soon(60)}, key=key).status == 201


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/v1/api-keys"), ("GET", "/v1/api-keys"), ("POST", "/v1/users"), ("DELETE", "/v1/users/usr_0")],
)
def test_a_test_key_manages_nothing_real(api: Api, method: str, path: str) -> None:
    key = api.new_key(live=False)
    assert key.startswith("mp_test_")
    assert api.ask(method, path, key=key).status == 403
    assert api.ask("GET", "/v1/me", key=key).body["key"]["kind"] == "test"


# -- users


def test_a_user_from_first_to_last(api: Api) -> None:
    made = api.ask("POST", "/v1/users", {"name": "bob@example.com", "role": "super_admin"})
    assert made.status == 201, made.text
    path = made.headers["Location"]
    key = api.ask("POST", "/v1/api-keys", {"name": "bob's", "user_id": made.body["id"]}).body["key"]
    me = api.ask("GET", "/v1/me", key=key).body
    assert (me["key"]["user_name"], me["key"]["role"], me["account"]) == ("bob@example.com", "super_admin", "default")

    assert api.ask("PUT", f"{path}/role", {"role": "account_access"}).body["role"] == "account_access"
    assert api.ask("GET", "/v1/users", key=key).status == 403
    assert api.ask("POST", "/v1/users", {"name": "bob@example.com", "role": "host_app"}).status == 422

    assert api.ask("DELETE", path).status == 204
    assert api.ask("GET", "/v1/me", key=key).status == 401
    assert api.ask("GET", path).status == 404


def test_a_member_is_of_a_domain_and_sees_nothing_else(api: Api) -> None:
    key = api.new_key(role=Role.MEMBER)
    assert api.ask("GET", "/v1/me", key=key).body["domain"] == "member.example"
    for path in ("/v1/users", "/v1/audit", "/v1/accounts", "/v1/changes/chg_0"):
        assert api.ask("GET", path, key=key).status == 403
    for body in (
        {"role": "member"},
        {"role": "member", "domain": "nowhere.example"},
        {"role": "host_app", "domain": "member.example"},
    ):
        answer = api.ask("POST", "/v1/users", {"name": "mia", **body})
        assert [error["pointer"] for error in answer.body["errors"]] == ["/domain"], answer.text


# -- lists


def walk(api: Api, path: str, key: str | None = None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        sign = "&" if "?" in path else "?"
        page: Answer = api.ask("GET", f"{path}{sign}limit=2{cursor}", key=key or api.key)
        assert page.status == 200, page.text
        assert len(page.body["items"]) <= 2
        found += page.body["items"]
        if page.body["next_cursor"] is None:
            return found
        cursor = f"&cursor={page.body['next_cursor']}"


def test_lists_are_read_page_by_page(api: Api) -> None:
    for number in range(5):
        api.ask("POST", "/v1/users", {"name": f"page {number} é", "role": "account_access"})
        api.new_key(name=f"page {number}")
    users, keys, told = walk(api, "/v1/users"), walk(api, "/v1/api-keys"), walk(api, "/v1/audit")
    assert [user["name"] for user in users] == sorted(user["name"] for user in users)
    assert len({user["id"] for user in users}) == len(users) >= 5
    assert len({key["id"] for key in keys}) == len(keys) >= 5
    assert [entry["id"] for entry in told] == sorted({entry["id"] for entry in told}, reverse=True)


@pytest.mark.parametrize("path", ["/v1/users", "/v1/api-keys", "/v1/audit", "/v1/accounts"])
@pytest.mark.parametrize(
    "cursor", ["x", "%00", "é", "W10", "WyJcdTAwMDAiXQ", "WyJcdWQ4MDAiXQ", "WyJuYW4iLCAiXHUwMDAwIl0", "W" * 5000]
)
def test_a_cursor_of_somebody_else_is_told(api: Api, path: str, cursor: str) -> None:
    key = api.new_key(role=Role.OPERATOR, name="o") if path == "/v1/accounts" else api.key
    answer = api.ask("GET", f"{path}?cursor={cursor}", key=key)
    assert answer.status == 422, answer.text
    assert "cursor" in answer.body["errors"][0]["pointer"]


@pytest.mark.parametrize("limit", ["0", "1001", "-1", "x"])
def test_a_limit_is_not_corrected_in_silence(api: Api, limit: str) -> None:
    for path in ("/v1/users", "/v1/api-keys", "/v1/audit"):
        assert api.ask("GET", f"{path}?limit={limit}").status == 422


@pytest.mark.parametrize("wrong", ["0", "key_", "key_%00", "key_a/b", "usr_0", "key_" + "0" * 200, "key_é"])
def test_an_id_of_something_else_is_not_there(api: Api, wrong: str) -> None:
    assert api.ask("GET", f"/v1/api-keys/{wrong}").status in (404, 422)


# -- the audit


def test_it_is_told_who_did_what_with_which_key(api: Api) -> None:
    key = api.new_key(name="sync")
    key_id = f"key_{key.split('_')[2]}"
    user = api.ask("POST", "/v1/users", {"name": "audited", "role": "account_access"}, key=key).body["id"]
    api.ask("DELETE", f"/v1/users/{user}", key=key)

    told = walk(api, f"/v1/audit?api_key={key_id}")

    assert [(entry["type"], entry["subject"], entry["actor"]) for entry in told] == [
        ("user.removed", user, "API key sync"),
        ("user.added", user, "API key sync"),
    ]
    assert {(entry["source"], entry["api_key"]) for entry in told} == {("127.0.0.1", key_id)}
    assert told[0]["data"] == {"role": "account_access", "user": "audited", "keys": 0}
    assert api.ask("GET", f"/v1/audit?api_key={key_id}&type=user.added").body["items"] == told[1:]
    assert walk(api, "/v1/audit?actor=API key sync") == told
    (created,) = [entry for entry in walk(api, "/v1/audit?type=api_key.created") if entry["subject"] == key_id]
    assert created["actor"] == "anna"
    assert key.rsplit("_", 1)[1] not in str(walk(api, "/v1/audit"))


def test_the_audit_is_found_by_time_and_domain(api: Api) -> None:
    api.ask(
        "POST",
        "/v1/domains/audited.example/changes",
        {"settings": {"kind": "exchange", "exchange_url": "https://mail.audited.example/EWS/Exchange.asmx"}},
    )
    found = api.ask("GET", "/v1/audit?domain=AUDITED.example").body["items"]
    assert [entry["type"] for entry in found][-1] == "change.saved"
    assert {entry["domain"] for entry in found} == {"audited.example"}
    at = found[-1]["at"]
    assert api.ask("GET", f"/v1/audit?domain=audited.example&since={soon(60).replace('+', '%2B')}").body["items"] == []
    assert api.ask("GET", f"/v1/audit?domain=audited.example&until={at}").body["items"] == []
    unknown = api.ask("GET", "/v1/audit?domain=nowhere.example")
    assert [error["pointer"] for error in unknown.body["errors"]] == ["query:domain"]
    assert api.ask("GET", "/v1/audit?actor=%00").status == 422
    assert api.ask("GET", "/v1/audit?acter=x").status == 422


# -- operators


def test_an_operator_makes_accounts_and_sees_into_none(api: Api) -> None:
    operator = api.new_key(role=Role.OPERATOR, name="ops")
    made = api.ask("POST", "/v1/accounts", {"name": "north", "first_key": True}, key=operator)
    assert made.status == 201, made.text
    first = made.body["key"]
    assert api.ask("GET", "/v1/me", key=first).body["account"] == "north"
    assert api.ask("GET", "/v1/me", key=operator).body["account"] is None
    for path in ("/v1/users", "/v1/api-keys", "/v1/audit", "/v1/changes/chg_0"):
        assert api.ask("GET", path, key=operator).status == 403
    assert {"default", "north"} <= {account["name"] for account in walk(api, "/v1/accounts", operator)}
    assert api.ask("POST", "/v1/accounts", {"name": "north"}, key=operator).body["errors"][0]["pointer"] == "/name"

    assert api.ask("DELETE", "/v1/accounts/north", key=operator).status == 204
    assert api.ask("GET", "/v1/me", key=first).status == 401
    assert api.ask("DELETE", "/v1/accounts/north", key=operator).status == 404
    assert api.ask("DELETE", "/v1/accounts/default", key=operator).status == 409


def test_an_account_with_domains_stays(api: Api) -> None:
    operator = api.new_key(role=Role.OPERATOR, name="ops 2")
    api.preflight.add_account("full", ANNA)
    key = api.new_key("full")
    body = {"settings": {"kind": "exchange", "exchange_url": "https://mail.full.example/EWS/Exchange.asmx"}}
    assert api.ask("POST", "/v1/domains/full.example/changes", body, key=key).status == 201
    answer = api.ask("DELETE", "/v1/accounts/full", key=operator)
    assert (answer.status, answer.body["code"]) == (409, "conflict")
    assert "mail-preflight" not in answer.text
    assert api.ask("GET", "/v1/me", key=key).status == 200


def test_where_others_are_told_is_audited(api: Api) -> None:
    made = api.ask("POST", "/v1/webhook-endpoints", {"url": "http://127.0.0.1:1/hooks?token=planted"}).body["id"]
    path = f"/v1/webhook-endpoints/{made}"
    assert api.ask("PATCH", path, {"enabled": False}).status == 200
    assert api.ask("PATCH", path, {}).status == 200, "nothing was changed"
    assert api.ask("POST", f"{path}/rotate").status == 200
    assert api.ask("DELETE", path).status == 204
    channel = api.ask("POST", "/v1/alert-channels", {"name": "audited", "url": "json://127.0.0.1:1/planted"}).body["id"]
    assert api.ask("DELETE", f"/v1/alert-channels/{channel}").status == 204
    window = {"domain": None, "starts_at": soon(3600), "ends_at": soon(7200)}
    announced = api.ask("POST", "/v1/maintenance", window).body["id"]
    assert api.ask("DELETE", f"/v1/maintenance/{announced}").status == 204
    api.ask("PUT", "/v1/domains/paused.example")
    for _ in range(2):
        assert api.ask("POST", "/v1/domains/paused.example/pause").status == 200
    assert api.ask("POST", "/v1/domains/paused.example/resume").status == 200

    told = api.ask("GET", "/v1/audit?limit=10").body["items"]
    assert [(entry["type"], entry["subject"]) for entry in reversed(told)] == [
        ("webhook_endpoint.added", made),
        ("webhook_endpoint.changed", made),
        ("webhook_endpoint.rotated", made),
        ("webhook_endpoint.removed", made),
        ("alert_channel.added", channel),
        ("alert_channel.removed", channel),
        ("maintenance.announced", announced),
        ("maintenance.ended", announced),
        ("domain.paused", "paused.example"),
        ("domain.resumed", "paused.example"),
    ]
    assert {entry["actor"] for entry in told} == {"API key test"}
    assert told[-1]["data"] == {"shown": "http://127.0.0.1:1/hooks?..."}
    assert "planted" not in str(told)
    events = api.ask("GET", "/v1/events?types=webhook_endpoint.added").body["items"]
    assert [(event["actor"][:4], event["data"]) for event in events] == [("key_", {})], "no name, and no address"


def test_operators_see_what_they_did_themselves(api: Api) -> None:
    key = api.new_key(name="ops", role=Role.OPERATOR)
    assert api.ask("POST", "/v1/accounts", {"name": "audited"}, key=key).status == 201
    api.preflight.rotate_keys(ANNA)
    told = api.ask("GET", "/v1/operators/audit?limit=3", key=key).body["items"]
    assert [(entry["type"], entry["actor"]) for entry in told] == [
        ("encryption_key.rotated", "anna"),
        ("account.added", "API key ops"),
        ("api_key.created", "anna"),
    ]
    assert "encryption_key.rotated" not in {entry["type"] for entry in walk(api, "/v1/audit")}
    assert api.ask("GET", "/v1/operators/audit").status == 403
