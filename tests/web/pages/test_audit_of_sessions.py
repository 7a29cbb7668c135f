"""The audit of who signed in and out, whose session others ended, who set a password, and where the page may be."""

import re
from collections.abc import Iterator

import pytest

from settings_store.access.roles import Role
from tests.web.api import ANNA, Api, running
from tests.web.pages.reading import PASSWORD, Reader


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with running(tmp_path_factory.mktemp("audit"), web_rate_sign_in=0) as api:
        yield api


def test_the_audit_tells_who_signed_in_and_out_and_set_a_password(service: Api) -> None:
    reader = Reader(service).sign_in("emma")
    another = "some other words that nobody guesses"
    changed = reader.send("/admin/me/password", {"old_password": PASSWORD, "password": another, "again": another})
    assert changed.status == 200
    reader.send("/admin/sign-out")

    found = service.ask("GET", "/v1/audit?actor=emma").body["items"][::-1]
    assert [(each["type"], each["data"].get("reason", "")) for each in found] == [
        ("password.set", ""),
        ("session.started", ""),
        ("session.started", ""),
        ("password.set", ""),
        ("session.ended", "password_set"),
        ("session.ended", "password_set"),
        ("session.started", ""),
        ("session.ended", "signed_out"),
    ]
    assert found[-1]["data"] == {"role": "super_admin", "embedded": False, "reason": "signed_out", "user": "emma"}
    assert found[-1]["subject"] == found[-2]["subject"]
    assert found[-1]["source"] == "127.0.0.1"
    assert not [each for each in found if another in str(each) or PASSWORD in str(each)]


def test_the_audit_tells_who_made_a_link_for_whom(service: Api) -> None:
    reader = Reader(service).sign_in("gina")
    user = service.preflight.account(actor=ANNA).access.add_user("hugo", Role.ACCOUNT_ACCESS)
    shown = reader.send(f"/admin/users/usr_{user.id}/link")
    link = re.search(r"/admin/set-up/([\w-]+)", shown.html)
    assert link is not None
    (told,) = service.ask("GET", "/v1/audit?type=password.link_made&actor=gina").body["items"]
    assert (told["data"], told["subject"], told["source"]) == ({"user": "hugo"}, f"usr_{user.id}", "127.0.0.1")
    assert link[1] not in str(service.ask("GET", "/v1/audit").body)


def test_the_audit_tells_of_sessions_that_others_ended_and_of_frames(service: Api) -> None:
    account = service.preflight.account(actor=ANNA)
    account.domains.make_known("framed.example")
    Reader(service).sign_in("finn")
    signed_in = service.preflight.signed_in(account.events.account_id, ANNA)
    for session in signed_in.sessions():
        if session.user_name == "finn":
            signed_in.end(session.id)
    found = service.ask("GET", "/v1/audit?type=session.ended&actor=anna").body["items"]
    assert [(each["data"]["user"], each["data"]["reason"]) for each in found] == [("finn", "ended")] * 2

    origins = {"origins": ["https://crm.example.com"]}
    for _ in range(2):  # the second time changes nothing
        service.ask("PUT", "/v1/embed-origins", origins)
    (registered,) = service.ask("GET", "/v1/audit?type=embed_origins.registered").body["items"]
    assert registered["data"] == {**origins, "count": 1}
    wanted = {"domain": "framed.example", "name": "crm user"}
    link = service.ask("POST", "/v1/embed-sessions", wanted).body["url"]
    assert Reader(service).get(link.removeprefix(service.url)).status == 200
    (opened,) = service.ask("GET", "/v1/audit?type=session.started&actor=crm user").body["items"]
    assert (opened["data"]["embedded"], opened["data"]["user"]) == (True, "crm user")
    assert opened["api_key"] is not None
    assert link.rsplit("/", 1)[1] not in str(service.ask("GET", "/v1/audit").body)
