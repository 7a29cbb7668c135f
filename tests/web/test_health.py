"""How domains are, incidents, maintenance and alert channels by the API."""

import json
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import sqlalchemy as sa

from settings_store import schema
from settings_store.access.roles import Role
from settings_store.events import events
from settings_store.events.kinds import IncidentOpened, IncidentReminder
from settings_store.health import endpoints
from tests.servers.receivers import hook
from tests.settings_store.in_force import add_mailboxes, both_ok, put_in_force
from tests.web.api import ANNA, Answer, Api

SCHEMA = Path(__file__).parents[2] / "docs/schema"


def plant_incident(api: Api, *names: str, account: int = 1, **values: Any) -> str:
    """An open incident of domains that are there, with its first two events. Its id as others see it."""
    incident_id = uuid.uuid4().hex
    now = api.preflight.database.now()
    with api.preflight.database.begin() as conn:
        found = conn.execute(sa.select(schema.domains.c.id).where(schema.domains.c.name.in_(names))).scalars().all()
        row = {
            "id": incident_id,
            "account_id": account,
            "scope": "endpoint",
            "subject": incident_id,
            "domain_id": found[0] if len(found) == 1 else None,
            "severity": "critical",
            "code": "tls.expired",
            "facts": {"host": "mail.example.com"},
            "seen": "certificate has expired",
            "since": now,
            "opened_at": now,
        }
        conn.execute(schema.incidents.insert().values(**row | values))
        for domain_id in found:
            conn.execute(schema.incident_domains.insert().values(incident_id=incident_id, domain_id=domain_id))
        about: dict[str, Any] = {"subject": incident_id, "account_id": account, "at": now, "scope": "endpoint"}
        events.record(conn, IncidentOpened(**about), IncidentReminder(**about, number=1))
    return f"inc_{incident_id}"


@pytest.fixture
def three(api: Api) -> None:
    """a.example works, b.example has an incident, nobody has looked at c.example."""
    with api.preflight.database.begin() as conn:
        found = {name: put_in_force(conn, name) for name in ("a.example", "b.example", "c.example")}
        endpoints.record(conn, both_ok(conn, found["a.example"]))
        now = api.preflight.database.now()
        conn.execute(schema.health_endpoints.update().values(checked_at=now))
        add_mailboxes(conn, found["b.example"], 2, state="disconnected", state_code="tls.expired")
    plant_incident(api, "b.example")


def pointers(answer: Answer) -> list[str]:
    return [each["pointer"].lstrip("/") for each in answer.body["errors"]]


def pages(api: Api, path: str) -> list[Any]:
    """All items, one a page."""
    items, cursor = [], ""
    while True:
        answer = api.ask("GET", f"{path}{'&' if '?' in path else '?'}limit=1{cursor}")
        assert answer.status == 200, answer.text
        items += answer.body["items"]
        assert len(answer.body["items"]) <= 1
        if answer.body["next_cursor"] is None:
            return items
        cursor = f"&cursor={answer.body['next_cursor']}"


@pytest.mark.usefixtures("three")
class TestHealth:
    def test_of_a_domain_it_is_the_documented_one(self, api: Api) -> None:
        answer = api.ask("GET", "/v1/domains/b.example/health?days=7&lang=ja")
        assert answer.status == 200, answer.text
        jsonschema.validate(answer.body, json.loads((SCHEMA / "health.schema.json").read_text("utf-8")))
        assert (answer.body["state"], answer.body["incident_count"]) == ("failing", 1)
        assert answer.body["mailboxes"]["disconnected"] == 2
        assert "障害" in answer.body["headline"] or answer.body["headline"].isascii() is False
        assert api.ask("GET", "/v1/domains/none.example/health").status == 404

    def test_of_all_the_worst_first_page_by_page(self, api: Api) -> None:
        whole = api.ask("GET", "/v1/health").body
        jsonschema.validate(whole["items"], json.loads((SCHEMA / "health-list.schema.json").read_text("utf-8")))
        assert [(line["domain"], line["state"]) for line in whole["items"]] == [
            ("b.example", "failing"),
            ("c.example", "unknown"),
            ("a.example", "healthy"),
        ]
        assert pages(api, "/v1/health") == whole["items"]
        assert api.ask("GET", "/v1/health?limit=1").body["total"] == whole["total"]

    @pytest.mark.parametrize("path", ["/v1/health", "/v1/incidents", "/v1/maintenance", "/v1/alert-channels"])
    def test_what_is_no_cursor_is_named(self, api: Api, path: str) -> None:
        for cursor in ("x", "bnVsbA", "WyJuYW4iLCJuYW4iLCJuYW4iXQ", "WyJuYW4iLCJuYW4iXQ", "%F0%9F%92%A9", "W10"):
            answer = api.ask("GET", f"{path}?cursor={cursor}")
            assert (answer.status, pointers(answer)) == (422, ["query:cursor"]), cursor


@pytest.mark.usefixtures("three")
class TestIncidents:
    def test_open_ones_and_all_the_last_first(self, api: Api) -> None:
        now = api.preflight.database.now()
        over = plant_incident(api, "a.example", opened_at=now - 90, closed_at=now - 5, severity="warning")
        shared = plant_incident(api, "a.example", "c.example", opened_at=now - 90, scope="server")
        plant_incident(api, account=None, scope="service")  # type: ignore[arg-type] # the operator's has none

        assert len(pages(api, "/v1/incidents")) == 2
        everything = api.ask("GET", "/v1/incidents?state=all").body["items"]
        assert {item["id"] for item in everything[1:]} == {over, shared}
        assert pages(api, "/v1/incidents?state=all") == everything
        assert [item["id"] for item in pages(api, "/v1/incidents?domain=c.example")] == [shared]
        assert [item["id"] for item in pages(api, "/v1/incidents?state=all&severity=warning&severity=info")] == [over]
        assert [item["id"] for item in pages(api, "/v1/incidents?scope=server")] == [shared]
        assert pointers(api.ask("GET", "/v1/incidents?domain=none.example")) == ["query:domain"]

    def test_one_tells_its_course_and_whom_it_concerns(self, api: Api) -> None:
        (listed,) = api.ask("GET", "/v1/incidents").body["items"]
        answer = api.ask("GET", f"/v1/incidents/{listed['id']}")
        assert answer.status == 200, answer.text
        found = answer.body
        assert {name: found[name] for name in listed} == listed
        assert [event["type"] for event in found["events"]] == ["incident.opened", "incident.reminder"]
        assert found["events"][1]["data"]["number"] == 1
        assert found["disconnected"] == ["box0@x", "box1@x"]
        assert (found["state"], found["seen"], found["domains"]) == ("open", "certificate has expired", ["b.example"])
        japanese = api.ask("GET", f"/v1/incidents/{listed['id']}?lang=ja").body
        assert japanese["message"] != found["message"]
        assert japanese["code"] == found["code"]

    def test_another_accounts_is_not_there(self, api: Api) -> None:
        (listed,) = api.ask("GET", "/v1/incidents").body["items"]
        api.preflight.add_account("north", ANNA)
        key = api.new_key("north")
        assert api.ask("GET", "/v1/incidents?state=all", key=key).body["items"] == []
        for incident in (listed["id"], "inc_0", "chg_1", "inc_"):
            answer = api.ask("GET", f"/v1/incidents/{incident}", key=key)
            assert (answer.status, answer.body["code"]) == (404, "not_found"), incident


@pytest.mark.usefixtures("three")
class TestMaintenance:
    def test_announced_listed_and_taken_back(self, api: Api) -> None:
        wanted = {"domain": "a.example", "starts_at": "2100-03-01T22:00:00+01:00", "ends_at": "2100-03-02T01:00:00Z"}
        made = api.ask("POST", "/v1/maintenance", wanted | {"note": " new\n disks "})
        assert made.status == 201, made.text
        assert made.body["starts_at"] == "2100-03-01T21:00:00.000Z"
        assert made.body["note"] == "new disks"
        assert api.ask("GET", made.headers["Location"]).body == made.body
        later = api.ask("POST", "/v1/maintenance", wanted | {"domain": None, "ends_at": "2100-03-03T00:00:00Z"})
        assert pages(api, "/v1/maintenance") == [made.body, later.body]
        assert api.ask("DELETE", made.headers["Location"]).status == 204
        assert api.ask("DELETE", made.headers["Location"]).status == 404
        assert pages(api, "/v1/maintenance") == [later.body]

    @pytest.mark.parametrize(
        ("wrong", "field"),
        [
            ({"ends_at": "2100-03-01T00:00:00Z"}, "ends_at"),
            ({"ends_at": "2101-03-01T00:00:00Z"}, "ends_at"),
            ({"starts_at": "2000-03-01T00:00:00Z", "ends_at": "2000-03-02T00:00:00Z"}, "ends_at"),
            ({"starts_at": "2100-03-01T00:00:00"}, "starts_at"),
            ({"starts_at": 1e300}, "starts_at"),
            ({"domain": "none.example"}, "domain"),
            ({"note": "x" * 501}, "note"),
            ({"id": "mnt_1"}, "id"),
        ],
    )
    def test_a_wrong_field_is_named(self, api: Api, wrong: Mapping[str, Any], field: str) -> None:
        good = {"starts_at": "2100-03-01T00:00:00Z", "ends_at": "2100-03-02T00:00:00Z"}
        answer = api.ask("POST", "/v1/maintenance", {**good, **wrong})
        assert (answer.status, pointers(answer)) == (422, [field]), answer.text
        assert pages(api, "/v1/maintenance") == []


@pytest.mark.usefixtures("three")
class TestAlertChannels:
    def test_its_url_is_written_and_never_read(self, api: Api) -> None:
        with hook() as receiver:
            url = f"json://planted-user:planted-password@127.0.0.1:{receiver.port}/planted-path"
            made = api.ask(
                "POST",
                "/v1/alert-channels",
                {"name": "admins", "url": url, "domain": "a.example", "quiet": "22:00-07:00", "language": "ja"},
            )
            assert made.status == 201, made.text
            got = api.ask("GET", made.headers["Location"])
            listed = api.ask("GET", "/v1/alert-channels")
            tested = api.ask("POST", made.headers["Location"] + "/test")
            receiver.status = 500
            refused = api.ask("POST", made.headers["Location"] + "/test")
        assert listed.body == {"items": [got.body], "next_cursor": None}
        assert {name: made.body[name] for name in got.body} == got.body
        assert (got.body["quiet"], got.body["domain"], got.body["operator"]) == ("22:00-07:00", "a.example", False)
        assert tested.body == {"sent": True, "reason": ""}
        assert (refused.status, refused.body["sent"]) == (200, False)
        assert "500" in refused.body["reason"]
        for answer in (made, got, listed, tested, refused):
            assert "planted" not in answer.text
        masked = api.ask("POST", "/v1/alert-channels", {"name": "again", "url": got.body["shown"]})
        assert (masked.status, pointers(masked)) == (422, ["url"])
        assert api.ask("DELETE", made.headers["Location"]).status == 204
        assert api.ask("POST", made.headers["Location"] + "/test").status == 404

    @pytest.mark.parametrize(
        ("wrong", "field"),
        [
            ({"url": "file:///etc/planted"}, "url"),
            ({"url": "planted"}, "url"),
            ({"url": "json://a b"}, "url"),
            ({"url": ["planted"]}, "url"),
            ({"url": "json://" + "planted" * 400}, "url"),
            ({"quiet": "planted"}, "quiet"),
            ({"time_zone": "../planted"}, "time_zone"),
            ({"name": " "}, "name"),
            ({"domain": "none.example"}, "domain"),
            ({"operator": True}, "operator"),
        ],
    )
    def test_a_wrong_field_is_named_and_a_url_not_quoted(self, api: Api, wrong: Mapping[str, Any], field: str) -> None:
        answer = api.ask("POST", "/v1/alert-channels", {"name": "admins", "url": "json://127.0.0.1:1/", **wrong})
        assert (answer.status, pointers(answer)) == (422, [field]), answer.text
        assert field != "url" or "planted" not in answer.text

    def test_is_for_administrators(self, api: Api) -> None:
        key = api.new_key(role=Role.ACCOUNT_ACCESS)
        assert api.ask("GET", "/v1/alert-channels", key=key).status == 403
        assert api.ask("GET", "/v1/maintenance", key=key).status == 200
