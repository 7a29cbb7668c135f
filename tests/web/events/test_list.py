"""`GET /v1/events`: what happened, in portions, and what is said to whoever asks for too much."""

import dataclasses
from typing import Any

import pytest

from settings_store.domains import ensure_account, ensure_domain, find_domain
from settings_store.events.kinds import IncidentOpened, MailboxesDisconnected
from settings_store.removal import remove_domain
from tests.web.api import ANNA, Api
from tests.web.events.telling import saved, tell
from tests.web.test_changes import IMAP

DAY = 86400.0


def subjects(body: Any) -> list[str]:
    return [event["subject"] for event in body["items"]]


def test_one_page_leads_to_the_next_without_loss_or_repeat(api: Api) -> None:
    saved(api, *(f"c{number}" for number in range(5)))
    first = api.ask("GET", "/v1/events?limit=3")
    assert first.status == 200, first.text
    second = api.ask("GET", f"/v1/events?cursor={first.body['next_cursor']}&limit=3")
    assert subjects(first.body) + subjects(second.body) == [f"chg_c{number}" for number in range(5)]
    assert second.body["next_cursor"] is None
    saved(api, "later")
    third = api.ask("GET", f"/v1/events?after={second.body['next_after']}")
    assert subjects(third.body) == ["chg_later"]


def test_an_event_is_one_document(api: Api) -> None:
    api.ask("POST", "/v1/domains/example.com/changes", {"settings": IMAP})
    event = api.ask("GET", "/v1/events?types=change.saved").body["items"][0]
    assert event.keys() == {"id", "type", "time", "domain", "subject", "actor", "data"}
    assert (event["type"], event["domain"], event["actor"][:4]) == ("change.saved", "example.com", "key_")
    assert event["time"].endswith("Z") and event["subject"].startswith("chg_")


def test_types_are_those_of_the_outside(api: Api) -> None:
    with api.preflight.database.begin() as conn:
        account = ensure_account(conn)
        domain_id = ensure_domain(conn, account, "example.com")
    lost = MailboxesDisconnected(subject=f"domain:{domain_id}", at=api.preflight.database.now(), domain_id=domain_id)
    incident = IncidentOpened(subject="i1", at=lost.at, account_id=account, scope="server")
    tell(api, lost, incident, dataclasses.replace(incident, subject="n1", scope="notice"))
    asked = {
        types: subjects(api.ask("GET", f"/v1/events?types={types}").body)
        for types in ("mailbox.disconnected", "incident.opened", "notice.raised", "notice.raised,incident.opened")
    }
    assert asked == {
        "mailbox.disconnected": ["example.com"],
        "incident.opened": ["inc_i1"],
        "notice.raised": ["inc_n1"],
        "notice.raised,incident.opened": ["inc_i1", "inc_n1"],
    }
    assert subjects(api.ask("GET", "/v1/events?types=notice.raised,mailbox.disconnected").body) == [
        "example.com",
        "inc_n1",
    ]
    assert subjects(api.ask("GET", "/v1/events?domain=example.com").body) == ["example.com"]
    assert api.ask("GET", "/v1/events?domain=other.example").status == 404


def test_a_filter_that_finds_nothing_leads_on_too(api: Api) -> None:
    saved(api, "one")
    nothing = api.ask("GET", "/v1/events?types=change.applied").body
    assert nothing["items"] == [] and nothing["next_after"] == api.ask("GET", "/v1/events").body["items"][0]["id"]


def test_another_accounts_events_are_not_there(api: Api) -> None:
    saved(api, "mine")
    api.preflight.add_account("other", ANNA)
    found = api.ask("GET", "/v1/events", key=api.new_key("other")).body["items"]
    assert [event["type"] for event in found] == ["account.added", "api_key.created"]


def test_what_is_older_than_thirty_days_is_not_shown_and_said_so(api: Api) -> None:
    now = api.preflight.database.now()
    saved(api, "old", "older", at=now - 31 * DAY)
    saved(api, "new", "newer")
    assert subjects(api.ask("GET", "/v1/events").body) == ["chg_new", "chg_newer"]
    assert subjects(api.ask("GET", "/v1/events?after=evt_000000000002").body) == ["chg_new", "chg_newer"]
    gone = api.ask("GET", "/v1/events?after=evt_000000000001")
    assert (gone.status, gone.body["code"], gone.body["latest_id"]) == (410, "resync", "evt_000000000004")
    assert subjects(api.ask("GET", f"/v1/events?after={gone.body['latest_id']}").body) == []


def test_an_id_that_was_never_given_wants_a_resync(api: Api) -> None:
    saved(api, "one")
    assert api.ask("GET", "/v1/events?after=evt_000000000099").body["code"] == "resync"


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("after=17", "query:after"),
        ("after=chg_17", "query:after"),
        ("cursor=evt_", "query:cursor"),
        ("cursor=evt_1&after=evt_1", "query:cursor"),
        ("types=change.applauded", "query:types"),
        ("limit=0", "query:limit"),
        ("limit=1001", "query:limit"),
    ],
)
def test_what_cannot_be_read_is_told_at_its_field(api: Api, query: str, pointer: str) -> None:
    answer = api.ask("GET", f"/v1/events?{query}")
    assert (answer.status, [each["pointer"] for each in answer.body["errors"]]) == (422, [pointer])


def test_the_next_domain_with_a_number_does_not_inherit_events(api: Api) -> None:
    """Given SQLite, which gives the number of the last domain to the next one, when it is removed."""
    api.ask("POST", "/v1/domains/gone.example/changes", {"settings": IMAP})
    with api.preflight.database.begin() as conn:
        remove_domain(conn, find_domain(conn, ensure_account(conn), "gone.example"), api.preflight.database.now(), ANNA)
    api.ask("POST", "/v1/domains/next.example/changes", {"settings": IMAP})
    found = api.ask("GET", "/v1/events").body["items"]
    saves = [event["domain"] for event in found if event["type"] == "change.saved"]
    assert saves == ["gone.example", "next.example"]
    assert [event["domain"] for event in found if event["type"] == "domain.removed"] == ["gone.example"]
