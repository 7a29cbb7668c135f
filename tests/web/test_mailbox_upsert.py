"""Mailboxes that are put into a domain by the API, in each of the three forms."""

import http.client
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from settings_store.access.roles import Right
from tests.web.api import ANNA, Answer, Api
from web.api.mailboxes import mailbox_upsert
from web.api.mailboxes.spool import Spool

PATH = "/v1/domains/example.com/mailboxes"
NDJSON, CSV, JSON = "application/x-ndjson", "text/csv", "application/json"
PLANTED = "planted-Geheimnis-7"
CLIENT = {"token_url": "https://login.example/token", "client_id": "c", "client_secret": PLANTED, "scope": "s"}


def put(api: Api, body: str | bytes, media: str = NDJSON, path: str = PATH, **options: Any) -> Answer:
    raw = body.encode() if isinstance(body, str) else body
    return api.ask("PUT", path, raw, headers={"Content-Type": media}, **options)


def written(rows: list[Mapping[str, Any]], media: str) -> str:
    if media == JSON:
        return json.dumps({"items": rows})
    if media == NDJSON:
        return "\n".join(json.dumps(row) for row in rows)
    return "address,password\n" + "".join(f"{row['address']},{row['password']}\n" for row in rows)


def boxes(api: Api) -> list[Any]:
    listed = api.ask("GET", PATH)
    return list(listed.body["items"]) if listed.status == 200 else []


def problems(answer: Answer) -> list[tuple[str, str, int]]:
    return [(each["pointer"], each["code"], each["row"]) for each in answer.body["errors"]]


@pytest.mark.parametrize("media", [JSON, NDJSON, CSV, "Text/CSV; charset=UTF-8"])
def test_each_form_adds_updates_and_leaves(api: Api, media: str) -> None:
    kind = CSV if media.startswith("Text") else media
    rows: list[Mapping[str, Any]] = [{"address": f"{name}@Example.com", "password": PLANTED} for name in "abc"]
    first = put(api, written(rows, kind), media)
    assert (first.status, first.body) == (200, {"added": 3, "updated": 0, "unchanged": 0})
    rows[0] = {**rows[0], "password": "another"}
    rows.append({"address": "d@example.com", "password": PLANTED})
    assert put(api, written(rows, kind), media).body == {"added": 1, "updated": 1, "unchanged": 2}
    listed = api.ask("GET", PATH)
    assert [box["address"] for box in listed.body["items"]] == [f"{name}@example.com" for name in "abcd"]
    assert listed.body["items"][0]["credential"] == "password"
    assert PLANTED not in listed.text and "another" not in listed.text


@pytest.mark.parametrize("media", [JSON, NDJSON])
def test_kinds_and_user_names(api: Api, media: str) -> None:
    rows: list[Mapping[str, Any]] = [
        {"address": "a@example.com", "password": CLIENT, "kind": "oauth2_client"},
        {"address": "b@example.com", "password": json.dumps(CLIENT), "kind": "oauth2_client"},
        {"address": "c@example.com", "password": "t", "kind": "oauth2_token", "username": "DOM\\c"},
    ]
    assert put(api, written(rows, media), media).body["added"] == 3
    assert put(api, written(rows, media), media).body["unchanged"] == 3
    found = boxes(api)
    assert [box["credential"] for box in found] == ["oauth2_client", "oauth2_client", "oauth2_token"]
    assert found[2]["username"] == "DOM\\c"


BAD: list[tuple[Any, str, str]] = [
    ({"address": "x@example.com", "password": "***"}, "masked", "/password"),
    ({"address": "x@example.com", "password": "••••••••"}, "masked", "/password"),
    ({"address": "x@example.com", "password": "[redacted]"}, "masked", "/password"),
    ({"address": "x@example.com", "password": ""}, "empty", "/password"),
    ({"address": "x@example.com", "password": 7}, "wrong_type", "/password"),
    ({"address": "x@example.com", "password": None}, "wrong_type", "/password"),
    ({"address": "x@example.com", "password": PLANTED + "\0"}, "control_character", "/password"),
    ({"address": "x@example.com", "password": "\ud800"}, "control_character", "/password"),
    ({"address": "x@example.com"}, "missing", "/password"),
    ({"password": PLANTED}, "missing", "/address"),
    ({"address": PLANTED, "password": "p"}, "not_an_address", "/address"),
    ({"address": "x@example.net", "password": PLANTED}, "other_domain", "/address"),
    ({"address": "A@example.com", "password": PLANTED}, "duplicate", "/address"),
    ({"address": "x@example.com", "password": PLANTED, "kind": "pin"}, "unknown_kind", "/kind"),
    ({"address": "x@example.com", "password": PLANTED, "kind": "oauth2_client"}, "unusable_client_secret", "/password"),
    ({"address": "x@example.com", "password": CLIENT}, "wrong_type", "/password"),
    ({"address": "x@example.com", "password": {}, "kind": "oauth2_client"}, "unusable_client_secret", "/password"),
    ({"address": "x@example.com", "password": PLANTED, "state": "connected"}, "unknown_field", ""),
    ([PLANTED], "malformed", ""),
    (17, "malformed", ""),
]


@pytest.mark.parametrize("media", [JSON, NDJSON])
def test_every_bad_row_is_told_and_nothing_is_stored(api: Api, media: str) -> None:
    good: list[Any] = [{"address": "a@example.com", "password": "p"}]
    answer = put(api, written([*good, *(row for row, _, _ in BAD)], media), media)
    assert answer.status == 422
    head = "/items/{}" if media == JSON else "row:{}"
    first = 1 if media == JSON else 2
    assert problems(answer) == [
        (head.format(number + first) + field, code, number + 2) for number, (_, code, field) in enumerate(BAD)
    ]
    assert answer.body["error_count"] == len(BAD)
    assert PLANTED not in answer.text
    assert boxes(api) == []
    assert api.ask("GET", "/v1/domains/example.com").status == 404


def test_bad_rows_of_csv(api: Api) -> None:
    rows = [
        "a@example.com,p",
        "b@example.com,***",
        "c@example.com",
        "d@example.net,p",
        'e@example.com,"p',
        "a@example.com,q",
    ]
    answer = put(api, "address,password\n" + "\n".join(rows), CSV)
    assert problems(answer) == [
        ("row:3/password", "masked", 3),
        ("row:4", "wrong_field_count", 4),
        ("row:5/address", "other_domain", 5),
        ("row:6", "malformed", 6),
        ("row:7/address", "duplicate", 7),
    ]
    assert problems(put(api, b"address,password\na@example.com,\xff\n", CSV)) == [("row:2", "not_utf8", 2)]
    assert problems(put(api, f"a@example.com,{PLANTED}\n", CSV)) == [("row:1", "no_header", 1)]
    assert boxes(api) == []


def test_the_first_hundred_bad_rows_are_told_with_the_number_of_all(api: Api) -> None:
    rows: list[Mapping[str, Any]] = [{"address": f"b{number}@example.com", "password": "***"} for number in range(250)]
    answer = put(api, written(rows, NDJSON))
    assert (len(answer.body["errors"]), answer.body["error_count"]) == (100, 250)
    assert "and 249 more rows" in answer.body["detail"]


@pytest.mark.parametrize(
    ("body", "media", "status", "code"),
    [
        ("", JSON, 400, "malformed_body"),
        ("{", JSON, 400, "malformed_body"),
        ("[]", JSON, 400, "malformed_body"),
        ('{"items": []} x', JSON, 400, "malformed_body"),
        ('{"items": [{"address": "a@example.com", "password": "p"}], "more": 1}', JSON, 400, "malformed_body"),
        ('{"items": [{"address": "a@example.com", "password": "p"},]}', JSON, 400, "malformed_body"),
        ('{"items": [' + "[" * 50_000, JSON, 400, "malformed_body"),
        ('{"items": ["' + "x" * 20_000 + '"]}', JSON, 400, "malformed_body"),
        ('{"items": [{"address": "a@example.com", "password": "\xff"}]}', JSON, 400, "malformed_body"),
        ('{"items": []}', JSON, 422, "invalid_request"),
        ("", NDJSON, 422, "invalid_request"),
        ("\n \n", NDJSON, 422, "invalid_request"),
        ("[" * 10_000, NDJSON, 422, "invalid_request"),
        ("x" * 20_000, NDJSON, 400, "malformed_body"),
        ("", CSV, 422, "invalid_request"),
        ("address,password\n", CSV, 422, "invalid_request"),
        ("address,password\n" + "x" * 20_000, CSV, 422, "invalid_request"),
        ("{}", "application/xml", 415, "unsupported_media_type"),
        ("{}", "", 415, "unsupported_media_type"),
        ("address,password", "text/csv; charset=iso-8859-1", 415, "unsupported_media_type"),
    ],
)
def test_a_body_that_is_none(api: Api, body: str, media: str, status: int, code: str) -> None:
    answer = put(api, body.encode("latin-1"), media)
    assert (answer.status, answer.body["code"]) == (status, code), answer.text
    assert boxes(api) == []


def test_blanks_and_a_mark_of_utf8_are_no_fault(api: Api) -> None:
    body = '\ufeff {\n "items"\t: [ {"address":"a@example.com","password":"ä "} \n ] }' + " " * 100_000
    assert put(api, body, JSON).body["added"] == 1
    assert put(api, '\ufeff{"address":"a@example.com","password":"ä "}\r\n\r\n').body["unchanged"] == 1
    assert put(api, "\ufeffaddress,password\r\na@example.com,ä \r\n", CSV).body["unchanged"] == 1


def test_a_body_that_is_too_large_is_not_read(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailbox_upsert, "LARGEST_BODY", 1000)
    row = json.dumps({"address": "a@example.com", "password": "p"}) + "\n"
    assert put(api, row).status == 200
    answer = put(api, row * 100)
    assert (answer.status, answer.body["code"]) == (413, "body_too_large")
    chunks = (row.encode() for _ in range(100))
    headers = {"Content-Type": NDJSON, "Authorization": f"Bearer {api.key}"}
    assert api.session.put(api.url + PATH, data=chunks, headers=headers, timeout=30).status_code == 413


def test_too_many_rows(api: Api) -> None:
    rows = "".join(f'{{"address":"b{number}@example.com","password":"p"}}\n' for number in range(100_001))
    for body, media in (
        (rows, NDJSON),
        ('{"items":[' + ",".join(rows.splitlines()) + "]}", JSON),
        ("address,password\n" + "".join(f"b{number}@example.com,p\n" for number in range(100_001)), CSV),
    ):
        answer = put(api, body, media)
        assert (answer.status, answer.body["code"]) == (413, "body_too_large"), media
        assert "more than 100,000 mailboxes" in answer.body["detail"]
    assert boxes(api) == []


def test_a_slow_sender_holds_no_transaction_and_one_that_goes_leaves_nothing(api: Api) -> None:
    place = urlsplit(api.url)
    slow = http.client.HTTPConnection(str(place.hostname), place.port, timeout=30)
    slow.putrequest("PUT", PATH)
    for name, value in (("Authorization", f"Bearer {api.key}"), ("Content-Type", NDJSON), ("Content-Length", "100000")):
        slow.putheader(name, value)
    slow.endheaders(json.dumps({"address": "slow@example.com", "password": PLANTED}).encode() + b"\n")
    begun = time.perf_counter()
    assert put(api, written([{"address": "a@example.com", "password": "p"}], NDJSON)).status == 200
    assert time.perf_counter() - begun < 5  # a transaction that is held makes others wait for ten seconds
    slow.close()
    assert [box["address"] for box in boxes(api)] == ["a@example.com"]


def test_nothing_of_a_body_is_readable_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file has no name, nobody else may open it, and it is not what was sent."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with Spool() as spool:
        spool.write(PLANTED.encode() * 10_000)
        assert list(tmp_path.iterdir()) == []
        number = spool._file.fileno()  # noqa: SLF001 -- what lies on the disk is what is asked for
        spool._file.flush()  # noqa: SLF001 -- as above
        assert os.fstat(number).st_mode & 0o777 == 0o600
        raw = os.pread(number, 10_000_000, 0)
        assert len(raw) == len(PLANTED) * 10_000
        assert PLANTED.encode() not in raw
        for _ in range(2):
            spool.seek(0)
            assert spool.read() == PLANTED.encode() * 10_000


def test_who_may_not_write_credentials_may_not(api: Api) -> None:
    key = api.new_key(scopes=[Right.READ, Right.CHANGE, Right.APPLY, Right.ADMIN])
    answer = put(api, written([{"address": "a@example.com", "password": "p"}], NDJSON), key=key)
    assert (answer.status, answer.body["required_scope"]) == (403, "credentials")
    api.preflight.add_account("north", ANNA)
    put(api, written([{"address": "a@example.com", "password": "p"}], NDJSON))
    assert api.ask("GET", PATH, key=api.new_key("north")).status == 404
