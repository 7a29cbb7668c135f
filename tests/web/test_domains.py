"""Domains by the API."""

import time
from pathlib import Path

import sqlalchemy as sa

from settings_store import schema
from settings_store.access.roles import Right
from tests.web.api import ANNA, Api

IMAP = {
    "kind": "imap",
    "imap": {"host": "imap.example.com", "port": 993},
    "smtp": {"host": "smtp.example.com", "port": 465},
}
NONE = {"total": 0, "connected": 0, "disconnected": 0, "unknown": 0}


def test_a_domain_is_made_known_once(api: Api) -> None:
    first = api.ask("PUT", "/v1/domains/Example.COM.")
    again = api.ask("PUT", "/v1/domains/example.com", {})
    assert (first.status, again.status) == (201, 200)
    assert first.headers["Location"] == "/v1/domains/example.com"
    assert first.body == again.body == api.ask("GET", "/v1/domains/EXAMPLE.com").body
    assert (first.body["kind"], first.body["settings"], first.body["mailboxes"]) == (None, None, NONE)
    assert first.body["links"]["mailboxes"] == "/v1/domains/example.com/mailboxes"


def test_every_spelling_is_the_same_domain(api: Api) -> None:
    assert api.ask("PUT", "/v1/domains/bücher.example").body["name"] == "xn--bcher-kva.example"
    assert api.ask("GET", "/v1/domains/XN--bcher-KVA.example.").status == 200
    assert api.ask("GET", "/v1/domains/BÜCHER.example").status == 200


def test_settings_take_effect_by_a_change_only(api: Api) -> None:
    refused = api.ask("PUT", "/v1/domains/example.com", {"settings": IMAP})
    assert (refused.status, refused.body["errors"][0]["pointer"]) == (422, "/settings")
    assert api.ask("GET", "/v1/domains/example.com").status == 404
    api.ask("POST", "/v1/domains/example.com/changes", {"settings": IMAP})
    assert api.ask("GET", "/v1/domains/example.com").body["settings"] is None


def test_a_name_that_cannot_be_one(api: Api) -> None:
    for name in ("nodots", "a..example", "127.0.0.1", "x" * 301):
        answer = api.ask("PUT", f"/v1/domains/{name}")
        assert (answer.status, [each["pointer"] for each in answer.body["errors"]]) == (422, ["path:domain"]), name
    assert "is not a valid name" in api.ask("GET", "/v1/domains/nodots").body["detail"]


def test_pages_come_in_order_and_end(api: Api) -> None:
    names = [f"d{number}.example" for number in (3, 1, 5, 2, 4)]
    for name in names:
        api.ask("PUT", f"/v1/domains/{name}")
    seen, path = [], "/v1/domains?limit=2"
    while path:
        page = api.ask("GET", path).body
        seen.append([domain["name"] for domain in page["items"]])
        path = page["next_cursor"] and f"/v1/domains?limit=2&cursor={page['next_cursor']}"
    assert seen == [["d1.example", "d2.example"], ["d3.example", "d4.example"], ["d5.example"]]


def test_a_cursor_that_is_none(api: Api) -> None:
    for cursor in ("", "!", "bm90IGpzb24", "WzFd", "WyJhIiwiYiJd", "%F0%9F%90%88", "x" * 5000):
        answer = api.ask("GET", f"/v1/domains?cursor={cursor}")
        assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, "query:cursor"), cursor
    assert api.ask("GET", "/v1/domains?limit=1001").body["errors"][0]["pointer"] == "query:limit"


def test_removal_wants_to_be_confirmed_and_says_what_ended(api: Api, tmp_path: Path) -> None:
    file = tmp_path / "boxes.csv"
    file.write_text("address,password\nada@example.com,secret\n")
    api.preflight.account(actor=ANNA).mailboxes.import_file("example.com", file)
    api.ask("POST", "/v1/domains/example.com/changes", {"settings": IMAP})
    for query in ("", "?confirm=%00", "?confirm=", "?confirm=example.net"):
        refused = api.ask("DELETE", "/v1/domains/example.com" + query)
        assert (refused.status, refused.body["errors"][0]["pointer"]) == (422, "query:confirm")
    assert (refused.body["ends"]["mailboxes"], refused.body["ends"]["verifications_under_way"]) == (1, 1)
    ended = api.ask("DELETE", "/v1/domains/example.com?confirm=Example.com.")
    assert (ended.status, ended.body) == (200, refused.body["ends"])
    assert api.ask("DELETE", "/v1/domains/example.com?confirm=example.com").status == 404


def test_only_an_admin_removes(api: Api) -> None:
    api.ask("PUT", "/v1/domains/example.com")
    key = api.new_key(scopes=[Right.READ, Right.CHANGE])
    answer = api.ask("DELETE", "/v1/domains/example.com?confirm=example.com", key=key)
    assert (answer.status, answer.body["required_scope"]) == (403, "admin")
    assert api.ask("GET", "/v1/domains/example.com", key=key).status == 200


def test_another_accounts_domain_is_none(api: Api) -> None:
    api.ask("PUT", "/v1/domains/example.com")
    api.preflight.add_account("north", ANNA)
    key = api.new_key("north")
    assert api.ask("GET", "/v1/domains", key=key).body == {"items": [], "next_cursor": None}
    for method, path in (("GET", ""), ("DELETE", "?confirm=example.com"), ("POST", "/pause"), ("POST", "/resume")):
        assert api.ask(method, f"/v1/domains/example.com{path}", key=key).status == 404
    assert api.ask("GET", "/v1/domains/example.com").body["paused_since"] is None


def test_watching_is_paused_and_resumed(api: Api) -> None:
    api.ask("PUT", "/v1/domains/example.com")
    paused = api.ask("POST", "/v1/domains/example.com/pause").body["paused_since"]
    assert paused is not None
    assert api.ask("POST", "/v1/domains/example.com/pause").body["paused_since"] == paused
    assert api.ask("POST", "/v1/domains/example.com/resume").body["paused_since"] is None
    assert api.ask("POST", "/v1/domains/example.com/resume").status == 200


def test_thousands_of_domains_are_listed_without_a_stall(api: Api) -> None:
    """Every page costs the same, wherever it is: the last one not more than a few times the first."""
    with api.preflight.database.begin() as conn:
        account = conn.execute(sa.select(schema.accounts.c.id)).scalar_one()
        rows = [{"account_id": account, "name": f"d{number:05}.example"} for number in range(5000)]
        conn.execute(schema.domains.insert(), rows)
        ids = list(conn.execute(sa.select(schema.domains.c.id)).scalars())
        boxes = [{"domain_id": of, "address": f"{number}@x", "username": "u"} for of in ids for number in range(2)]
        conn.execute(schema.mailboxes.insert(), boxes)
    times, count, path = [], 0, "/v1/domains?limit=1000"
    while path:
        begun = time.perf_counter()
        page = api.ask("GET", path).body
        times.append(time.perf_counter() - begun)
        count += sum(domain["mailboxes"]["unknown"] for domain in page["items"])
        path = page["next_cursor"] and f"/v1/domains?limit=1000&cursor={page['next_cursor']}"
    assert (count, len(times)) == (10_000, 5)
    assert min(times[1:]) < 3 * times[0]
