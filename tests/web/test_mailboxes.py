"""Mailboxes that are listed, taken out and tried again by the API."""

import json
from typing import Any

import pytest
import sqlalchemy as sa

from settings_store import schema
from settings_store.access.roles import Right
from tests.web.api import Api

PATH = "/v1/domains/example.com/mailboxes"


@pytest.fixture
def filled(api: Api) -> Api:
    """Five mailboxes, `a` to `e`; `b` is disconnected with its rejection, `c` has another user name."""
    rows = [{"address": f"{name}@example.com", "password": "p"} for name in "abde"]
    rows.append({"address": "c@example.com", "password": "p", "username": r"DOM\Carl_100%"})
    body = "\n".join(json.dumps(row) for row in rows).encode()
    assert api.ask("PUT", PATH, body, headers={"Content-Type": "application/x-ndjson"}).status == 200
    box = schema.mailboxes
    with api.preflight.database.begin() as conn:
        state = {"state": "disconnected", "state_code": "auth.rejected", "state_since": 1_700_000_000.0}
        mine = box.c.address == "b@example.com"
        conn.execute(box.update().where(mine).values(state))
        mailbox_id = conn.execute(sa.select(box.c.id).where(mine)).scalar_one()
        known = {"mailbox_id": mailbox_id, "server": "imap.example.com:993", "code": "auth.rejected"}
        conn.execute(schema.rejections.insert().values(**known, seen="no", at=1.0))
    return api


def names(answer: Any) -> list[str]:
    return [box["address"].partition("@")[0] for box in answer.body["items"]]


def test_one_mailbox_and_how_it_is(filled: Api) -> None:
    found = filled.ask("GET", f"{PATH}/B@EXAMPLE.com")
    assert found.body == {
        "address": "b@example.com",
        "username": "b@example.com",
        "credential": "password",
        "state": "disconnected",
        "code": "auth.rejected",
        "since": "2023-11-14T22:13:20.000Z",
    }
    assert filled.ask("GET", f"{PATH}/z@example.com").status == 404
    assert filled.ask("GET", f"{PATH}/none").status == 404
    assert filled.ask("POST", f"{PATH}/b@example.com").status == 405


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "abcde"),
        ("?state=disconnected", "b"),
        ("?state=unknown", "acde"),
        ("?state=connected", ""),
        ("?code=auth.rejected", "b"),
        ("?code=auth.locked", ""),
        ("?text=CARL", "c"),
        ("?text=_100%25", "c"),
        ("?text=%25", "c"),
        ("?text=a@", "a"),
        ("?text=example&state=disconnected", "b"),
    ],
)
def test_filters(filled: Api, query: str, expected: str) -> None:
    assert "".join(names(filled.ask("GET", PATH + query))) == expected


def test_pages(filled: Api) -> None:
    first = filled.ask("GET", PATH + "?limit=2&state=unknown")
    second = filled.ask("GET", PATH + f"?limit=2&state=unknown&cursor={first.body['next_cursor']}")
    assert (names(first), names(second), second.body["next_cursor"]) == (["a", "c"], ["d", "e"], None)
    for query, pointer in (
        ("?cursor=x", "query:cursor"),
        ("?state=fine", "query:state"),
        ("?code=none", "query:code"),
        ("?limit=0", "query:limit"),
    ):
        answer = filled.ask("GET", PATH + query)
        assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, pointer)


def test_removal_is_all_or_none(filled: Api) -> None:
    unknown = filled.ask("POST", f"{PATH}/remove", {"addresses": ["a@example.com", "z@example.com"]})
    assert (unknown.status, unknown.body["errors"][0]["pointer"]) == (422, "/addresses")
    assert filled.ask("POST", f"{PATH}/remove", {"addresses": []}).status == 422
    assert names(filled.ask("GET", PATH)) == list("abcde")
    gone = filled.ask("POST", f"{PATH}/remove", {"addresses": ["A@Example.com.", "b@example.com", "b@example.com"]})
    assert gone.body == {"removed": 2}
    assert filled.ask("DELETE", f"{PATH}/C@example.com").body == {"removed": 1}
    assert filled.ask("DELETE", f"{PATH}/c@example.com").status == 404
    assert names(filled.ask("GET", PATH)) == ["d", "e"]


def test_an_address_with_a_slash(api: Api) -> None:
    body = b'{"address": "s/p+x@example.com", "password": "p"}'
    api.ask("PUT", PATH, body, headers={"Content-Type": "application/x-ndjson"})
    for spelled in ("s/p+x@example.com", "s%2Fp%2Bx%40example.com"):
        assert api.ask("GET", f"{PATH}/{spelled}").body["address"] == "s/p+x@example.com"
    assert api.ask("DELETE", f"{PATH}/s/p+x@example.com").body == {"removed": 1}


def test_rejections_are_forgotten_once(filled: Api) -> None:
    assert filled.ask("POST", f"{PATH}/retry").body == {"forgotten": 1}
    assert filled.ask("POST", f"{PATH}/retry").body == {"forgotten": 0}


def test_who_may_only_read_changes_nothing(filled: Api) -> None:
    key = filled.new_key(scopes=[Right.READ])
    for method, path in (("DELETE", "/a@example.com"), ("POST", "/retry"), ("POST", "/remove")):
        assert filled.ask(method, PATH + path, key=key).status == 403
    assert names(filled.ask("GET", PATH, key=key)) == list("abcde")
