"""What can be done with a change: all that is listed is accepted, and what is refused says what is possible instead."""

from dataclasses import replace
from typing import Any

import pytest

from checks.codes import Code, Verdict
from settings_store.access.roles import Role
from settings_store.changes.actions import Action
from settings_store.changes.lifecycle import Reason
from tests.web.api import ANNA, Answer, Api
from tests.web.planted_changes import STATES, Box, Planted, plant
from web.problems.refusals import WORDS

NO_CHECKSUM = "0" * 64


def act(change: Planted, action: str, body: Any = None, checksum: str | None = "its own", **options: Any) -> Answer:
    if action in (Action.APPLY, Action.APPROVE) and checksum is not None:
        own = change.api.ask("GET", change.path).body["checksum"] or NO_CHECKSUM
        options.setdefault("headers", {"If-Match": f'"{own if checksum == "its own" else checksum}"'})
    return change.api.ask("POST", f"{change.path}/{action}", body, **options)


@pytest.fixture(scope="module")
def person(shared_api: Api) -> Api:
    """The API, asked by a person: a program does not approve anything."""
    user = shared_api.preflight.account(actor=ANNA).access.add_user("bob", Role.SUPER_ADMIN)
    return replace(shared_api, key=shared_api.new_key(user_id=user.id))


@pytest.mark.parametrize("state", STATES)
def test_an_action_is_accepted_if_and_only_if_it_is_listed(person: Api, state: str) -> None:
    accepted, listed = set(), set()
    for action in Action:
        change = plant(person, state)
        listed = set(person.ask("GET", change.path).body["allowed_actions"])
        answer = act(change, action)
        if answer.status < 300:
            accepted.add(action.value)
            assert answer.body == person.ask("GET", change.path).body
        else:
            assert answer.status == 409, answer.text
            assert set(answer.body["allowed_actions"]) == listed
            assert answer.body["reason"] in set(Reason)
            assert "mail-preflight" not in answer.text
    assert accepted == listed


def test_every_action_is_listed_somewhere(person: Api) -> None:
    """Or the walk would prove nothing of it."""
    paths = [plant(person, state).path for state in STATES]
    found = {action for path in paths for action in person.ask("GET", path).body["allowed_actions"]}
    assert found == set(Action)


def test_every_reason_has_words() -> None:
    assert set(WORDS) == set(Reason)


@pytest.mark.parametrize(
    ("state", "action", "reason", "detail"),
    [
        ("verified", "roll_back", "wrong_state", "the change is verified and cannot be rolled back"),
        ("draft", "apply", "wrong_state", "the change is not verified and cannot be applied"),
        ("stale", "apply", "report_old", "the report is 30 minutes old"),
        ("ahead", "apply", "report_ahead", "the report is 30 minutes ahead"),
        ("stale", "resume", "report_old", "the report is 30 minutes old"),
        ("awaiting", "apply", "awaits_approval", "a second person has to approve"),
        ("awaiting", "approve", "not_a_person", "by a person, not by a program"),
        ("verified", "approve", "no_approval_needed", "need no approval"),
        ("moved", "apply", "settings_changed", "the settings of the domain were changed"),
        ("added", "apply", "mailboxes_changed", "1 mailboxes were added or changed"),
        ("untried", "apply", "incomplete", "1 mailboxes were not tried"),
        ("verified", "resume", "nothing_left", "no mailbox left untried"),
        ("followed", "roll_back", "not_in_force", "not in force any more"),
    ],
)
def test_a_refusal_names_its_reason(shared_api: Api, state: str, action: str, reason: str, detail: str) -> None:
    change = plant(shared_api, state)
    before = shared_api.ask("GET", change.path).body
    answer = act(change, action)
    assert (answer.status, answer.body["code"], answer.body["reason"]) == (409, "wrong_state", reason)
    assert detail in answer.body["detail"]
    assert change.id not in answer.body["detail"]
    assert shared_api.ask("GET", change.path).body == before


class TestApply:
    LOST = (Box("ada@x", Verdict.FAIL, Code.AUTH_REJECTED, "imap"), Box("bob@x"))

    def test_takes_the_number_of_disconnects(self, shared_api: Api) -> None:
        change = plant(shared_api, "verified", self.LOST)
        for wrong in ({}, {"accept_disconnects": 0}, {"accept_disconnects": 2}):
            answer = act(change, "apply", wrong)
            assert (answer.status, answer.body["code"]) == (422, "wrong_accept_disconnects")
            assert answer.body["accept_disconnects"] == 1
            assert answer.body["allowed_actions"] == ["apply", "verify", "discard"]
            assert [each["pointer"] for each in answer.body["errors"]] == ["/accept_disconnects"]
        done = act(change, "apply", {"accept_disconnects": answer.body["accept_disconnects"]})
        assert (done.status, done.body["state"]) == (200, "applied")
        assert done.body["allowed_actions"] == ["roll_back"]

    def test_a_failing_server_is_accepted_by_the_number_too(self, shared_api: Api) -> None:
        change = plant(shared_api, "verified", fails=Code.CONNECT_REFUSED)
        answer = act(change, "apply")
        assert (answer.status, answer.body["reason"], answer.body["accept_disconnects"]) == (422, "server_fails", 0)
        assert act(change, "apply", {"accept_disconnects": 0}).status == 200

    def test_is_about_the_report_that_was_reviewed(self, shared_api: Api) -> None:
        change = plant(shared_api, "verified")
        answer = act(change, "apply", checksum=NO_CHECKSUM)
        assert (answer.status, answer.body["code"], answer.body["reason"]) == (412, "report_moved", "other_report")
        assert answer.body["allowed_actions"] == ["apply", "verify", "discard"]

    @pytest.mark.parametrize("headers", [{}, {"If-Match": "*"}])
    def test_without_a_checksum_it_is_refused(self, shared_api: Api, headers: dict[str, str]) -> None:
        answer = act(plant(shared_api, "verified"), "apply", checksum=None, headers=headers)
        assert (answer.status, answer.body["code"]) == (428, "precondition_required")

    @pytest.mark.parametrize("form", ["{}", 'W/"{}"', '"{}", "{}"', '"{:.8}"', '""'])
    def test_a_checksum_in_another_form_is_told_at_its_header(self, shared_api: Api, form: str) -> None:
        change = plant(shared_api, "verified")
        checksum = shared_api.ask("GET", change.path).body["checksum"]
        answer = act(change, "apply", headers={"If-Match": form.format(checksum, checksum)})
        assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, "header:If-Match")
        assert shared_api.ask("GET", change.path).body["state"] == "verified"

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ({"accept_disconnects": True}, "/accept_disconnects"),
            ({"accept_disconnects": -1}, "/accept_disconnects"),
            ({"accept_disconnects": "1"}, "/accept_disconnects"),
            ({"watch_minutes": -1}, "/watch_minutes"),
            ({"watch_minutes": 1e9}, "/watch_minutes"),
            ({"watch_minutes": 0, "roll_back_by_itself": True}, "/roll_back_by_itself"),
            ({"force": True}, "/force"),
        ],
    )
    def test_a_wrong_body_is_told_at_its_field(self, shared_api: Api, body: dict[str, Any], pointer: str) -> None:
        answer = act(plant(shared_api, "verified"), "apply", body)
        assert (answer.status, [each["pointer"] for each in answer.body["errors"]]) == (422, [pointer])

    def test_the_watch_is_shown(self, shared_api: Api) -> None:
        change = plant(shared_api, "verified")
        done = act(change, "apply", {"watch_minutes": 5, "roll_back_by_itself": True}).body
        assert done["watch"] | {"until": None} == {
            "until": None,
            "roll_back_by_itself": True,
            "rounds": 0,
            "trouble": "",
        }
        assert done["watch"]["until"] > done["applied_at"]
        unwatched = plant(shared_api, "verified")
        assert act(unwatched, "apply", {"watch_minutes": 0}).body["watch"] is None


class TestHistory:
    def test_says_who_did_what(self, shared_api: Api) -> None:
        change = plant(shared_api, "applied")
        act(change, "roll_back")
        items = shared_api.ask("GET", f"{change.path}/history").body["items"]
        assert [item["event"] for item in items] == ["save", "verify", "finish", "apply", "roll_back"]
        assert [item["actor"] for item in items] == ["anna", "anna", "mail-preflight", "anna", "API key test"]
        assert items[0]["before"] is None
        assert items[-1]["source"] == "127.0.0.1"

    def test_comes_in_pages(self, shared_api: Api) -> None:
        path = f"{plant(shared_api, 'rolled_back').path}/history?limit=2"
        first = shared_api.ask("GET", path).body
        second = shared_api.ask("GET", f"{path}&cursor={first['next_cursor']}").body
        third = shared_api.ask("GET", f"{path}&cursor={second['next_cursor']}").body
        found = [item["event"] for page in (first, second, third) for item in page["items"]]
        assert (found, third["next_cursor"]) == (["save", "verify", "finish", "apply", "roll_back"], None)


@pytest.mark.parametrize("action", [*Action, "report", "history"])
def test_of_a_change_that_there_is_not(shared_api: Api, action: str) -> None:
    path = f"/v1/changes/chg_{NO_CHECKSUM[:32]}/{action}"
    headers = {"If-Match": f'"{NO_CHECKSUM}"'}
    answer = shared_api.ask("GET" if action in ("report", "history") else "POST", path, headers=headers)
    assert (answer.status, answer.body["code"]) == (404, "not_found")
