"""Changes by the API: saved, listed, read."""

import pytest

from settings_store.access.roles import Right
from tests.web.api import ANNA, Api

IMAP = {
    "kind": "imap",
    "imap": {"host": "imap.example.com", "port": 993},
    "smtp": {"host": "smtp.example.com", "port": 465},
}
SAVE = "/v1/domains/example.com/changes"
BOX = {"address": "ada@example.com", "password": "correct horse"}


def test_a_save_is_answered_at_once(api: Api) -> None:
    answer = api.ask("POST", SAVE, {"settings": IMAP})
    assert answer.status == 201, answer.text
    assert answer.headers["Location"] == f"/v1/changes/{answer.body['id']}"
    assert answer.body["state"] == "verifying"
    told = {"superseded": None, "proposed": None, "concerned_mailboxes": 0}
    assert api.ask("GET", answer.headers["Location"]).body | told == answer.body


def test_a_new_change_says_how_far_it_is(api: Api) -> None:
    body = api.ask("POST", SAVE, {"settings": IMAP}).body
    assert body["run_id"].startswith("run_")
    assert body["progress"] == {"stage": "queued", "done": 0, "total": 0, "ok": 0, "fail": 0, "inconclusive": 0}
    assert [body[name] for name in ("verdict", "counts", "checksum", "reported_at", "applied_at", "watch")] == [
        None
    ] * 6
    assert body["allowed_actions"] == ["resume", "cancel", "discard"]


def test_without_a_key_nothing_is_read(api: Api) -> None:
    answer = api.ask("POST", SAVE, b"{not json", key=None)
    assert answer.status == 401
    assert answer.body["code"] == "no_key"
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["X-Request-Id"] == answer.body["request_id"]


def test_a_wrong_host_is_told_at_its_field(api: Api) -> None:
    wrong = IMAP | {"imap": {"host": "imap example", "port": 993}}
    answer = api.ask("POST", SAVE, {"settings": wrong})
    assert answer.status == 422
    assert [each["pointer"] for each in answer.body["errors"]] == ["/settings/imap/host"]


def test_whose_change_is_replaced_is_told(api: Api) -> None:
    first = api.ask("POST", SAVE, {"settings": IMAP}).body
    second = api.ask("POST", SAVE, {"settings": IMAP}).body
    assert second["superseded"] == {"id": first["id"], "saved_by": "API key test"}
    assert api.ask("GET", f"/v1/changes/{first['id']}").body["allowed_actions"] == ["reopen"]


class TestMailboxesOfAChange:
    def test_are_proposed_and_counted(self, api: Api) -> None:
        given = [BOX, {"address": "Bob@example.com", "password": "b", "username": "bob"}]
        answer = api.ask("POST", SAVE, {"settings": IMAP, "mailboxes": given})
        assert (answer.status, answer.body["proposed"]) == (201, {"added": 2, "updated": 0, "unchanged": 0})
        assert "correct horse" not in answer.text

    @pytest.mark.parametrize(
        ("wrong", "pointer"),
        [
            ({"address": "ada"}, "/mailboxes/1/address"),
            ({"address": "ada@other.example"}, "/mailboxes/1/address"),
            ({"address": "ADA@example.com"}, "/mailboxes/1/address"),
            ({"address": "bob@example.com", "password": ""}, "/mailboxes/1/password"),
            ({"address": "bob@example.com", "password": "a\nb"}, "/mailboxes/1/password"),
            ({"address": "bob@example.com", "kind": "pin"}, "/mailboxes/1/kind"),
            ({"address": "bob@example.com", "kind": "oauth2_client"}, "/mailboxes/1/password"),
            ({"address": "bob@example.com", "passwort": "x"}, "/mailboxes/1/passwort"),
        ],
    )
    def test_a_wrong_one_is_told_at_its_field_and_nothing_is_saved(
        self, api: Api, wrong: dict[str, str], pointer: str
    ) -> None:
        answer = api.ask("POST", SAVE, {"settings": IMAP, "mailboxes": [BOX, BOX | wrong]})
        assert answer.status == 422, answer.text
        assert [each["pointer"] for each in answer.body["errors"]] == [pointer]
        assert "correct horse" not in answer.text
        assert api.ask("GET", SAVE).status == 404  # there is not even the domain

    def test_there_are_so_many_at_most(self, api: Api) -> None:
        given = [BOX | {"address": f"box{number}@example.com"} for number in range(1001)]
        answer = api.ask("POST", SAVE, {"settings": IMAP, "mailboxes": given})
        assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, "/mailboxes")

    def test_to_give_them_takes_the_right_to_write_credentials(self, api: Api) -> None:
        key = api.new_key(scopes=[Right.READ, Right.CHANGE])
        answer = api.ask("POST", SAVE, {"settings": IMAP, "mailboxes": [BOX]}, key=key)
        assert (answer.status, answer.body["required_scope"]) == (403, "credentials")
        assert api.ask("POST", SAVE, {"settings": IMAP}, key=key).status == 201


class TestList:
    def test_pages_lead_through_all_of_them_the_newest_first(self, api: Api) -> None:
        saved = [api.ask("POST", SAVE, {"settings": IMAP}).body["id"] for _ in range(5)]
        found, path = [], f"{SAVE}?limit=2"
        pages = 0
        while path:
            page = api.ask("GET", path).body
            found += [change["id"] for change in page["items"]]
            path = page["next_cursor"] and f"{SAVE}?limit=2&cursor={page['next_cursor']}"
            pages += 1
        assert (found, pages) == (saved[::-1], 3)

    def test_what_is_listed_is_what_is_read(self, api: Api) -> None:
        saved = api.ask("POST", SAVE, {"settings": IMAP}).body
        (listed,) = api.ask("GET", SAVE).body["items"]
        assert listed == api.ask("GET", f"/v1/changes/{saved['id']}").body

    @pytest.mark.parametrize("cursor", ["", "x", "AAAA", "WzFd", "WyJ4IiwgInkiXQ", "é"])
    def test_a_cursor_of_something_else_is_refused(self, api: Api, cursor: str) -> None:
        api.ask("POST", SAVE, {"settings": IMAP})
        answer = api.ask("GET", SAVE, params={"cursor": cursor})
        assert answer.status == 422, answer.text
        assert [each["pointer"] for each in answer.body["errors"]] == ["query:cursor"]

    def test_of_a_domain_that_there_is_not(self, api: Api) -> None:
        assert api.ask("GET", "/v1/domains/unknown.example/changes").status == 404


@pytest.mark.parametrize("given", ["chg_0123", "run_" + "0" * 32, "chg_" + "0" * 32, "0" * 32, "chg_" + "g" * 32])
def test_an_id_of_no_change(api: Api, given: str) -> None:
    answer = api.ask("GET", f"/v1/changes/{given}")
    assert (answer.status, answer.body["code"]) == (404, "not_found")
    assert "mail-preflight" not in answer.text


def test_the_beginning_of_an_id_is_none(api: Api) -> None:
    saved = api.ask("POST", SAVE, {"settings": IMAP}).body["id"]
    assert api.ask("GET", f"/v1/changes/{saved[:12]}").status == 404


def test_another_accounts_change_is_one_that_there_is_not(api: Api) -> None:
    saved = api.ask("POST", SAVE, {"settings": IMAP}).body["id"]
    api.preflight.add_account("north", ANNA)
    answer = api.ask("GET", f"/v1/changes/{saved}", key=api.new_key("north"))
    assert (answer.status, answer.body["detail"]) == (404, f"there is no change '{saved}'")


def test_an_answer_does_not_grow_with_what_was_sent(api: Api) -> None:
    """Given many fields that there are not, one with a long name: a hundred are told, and how many they are."""
    unknown = {f"field{number}": 1 for number in range(5_000)} | {"a" * 50_000: 1}
    answer = api.ask("POST", SAVE, unknown)
    assert (answer.status, len(answer.body["errors"])) == (422, 100)
    assert "(and 5001 more)" in answer.body["detail"]  # `settings` is missing, too
    assert len(answer.text) < 20_000
