"""Changes by the API."""

from tests.web.api import Api

IMAP = {
    "kind": "imap",
    "imap": {"host": "imap.example.com", "port": 993},
    "smtp": {"host": "smtp.example.com", "port": 465},
}


def test_a_save_is_answered_at_once(api: Api) -> None:
    answer = api.ask("POST", "/v1/domains/example.com/changes", {"settings": IMAP})
    assert answer.status == 201, answer.text
    assert answer.headers["Location"] == f"/v1/changes/{answer.body['id']}"
    assert answer.body["state"] == "verifying"
    assert api.ask("GET", answer.headers["Location"]).body == answer.body


def test_without_a_key_nothing_is_read(api: Api) -> None:
    answer = api.ask("POST", "/v1/domains/example.com/changes", b"{not json", key=None)
    assert answer.status == 401
    assert answer.body["code"] == "no_key"
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["X-Request-Id"] == answer.body["request_id"]


def test_a_wrong_host_is_told_at_its_field(api: Api) -> None:
    wrong = IMAP | {"imap": {"host": "imap example", "port": 993}}
    answer = api.ask("POST", "/v1/domains/example.com/changes", {"settings": wrong})
    assert answer.status == 422
    assert [each["pointer"] for each in answer.body["errors"]] == ["/settings/imap/host"]
