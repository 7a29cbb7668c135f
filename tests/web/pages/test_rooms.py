"""What the command and the API can, a page can: users, keys, alerts, maintenance, webhooks, mailboxes, one's own."""

import html
import re
from collections.abc import Iterator

import pytest

from settings_store.events import events
from settings_store.events.administration import UserAdded
from tests.web.api import ANNA, Api, running
from tests.web.pages.reading import PASSWORD, Reader
from worker.service.account import Account

DOMAIN = "rooms.example"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with running(tmp_path_factory.mktemp("rooms"), web_rate_sign_in=0) as api:
        api.preflight.account(actor=ANNA).domains.make_known(DOMAIN)
        yield api


@pytest.fixture(scope="module")
def admin(service: Api) -> Reader:
    return Reader(service).sign_in("rooms")


@pytest.fixture
def account(service: Api) -> Account:
    return service.preflight.account(actor=ANNA)


def test_a_user_gets_a_link_signs_in_and_loses_all_with_the_role(service: Api, admin: Reader, account: Account) -> None:
    shown = admin.send("/admin/users", {"name": "ulla", "role": "account_access"})
    link = re.search(r"/admin/set-up/[\w-]+", shown.html)
    assert link is not None and shown.status == 200
    ulla = Reader(service)
    assert ulla.send(link[0], {"password": PASSWORD, "again": PASSWORD}).url == "/admin/domains"
    assert ulla.get("/admin/users").status == 403
    ulla_id = f"usr_{account.access.user_named('ulla').id}"
    assert admin.send(f"/admin/users/{ulla_id}/role", {"role": "member"}).status == 422, "a member is of a domain"
    assert admin.send(f"/admin/users/{ulla_id}/role", {"role": "member", "domain": DOMAIN}).status == 200
    assert ulla.get("/admin/domains").status == 403
    assert ulla.get("/admin/start").url == f"/admin/domains/{DOMAIN}/connect"
    admin.send(f"/admin/users/{ulla_id}/remove")
    assert ulla.get("/admin/me").url.startswith("/admin/sign-in")


def test_a_key_is_shown_once_works_and_is_revoked(service: Api, admin: Reader) -> None:
    shown = admin.send("/admin/api-keys", {"name": "crm", "scopes": "read"})
    key = re.search(r"mp_live_\w+", shown.html)
    assert key is not None
    assert service.ask("GET", "/v1/domains", key=key[0]).status == 200
    assert service.ask("GET", "/v1/users", key=key[0]).status == 403
    assert key[0] not in admin.get("/admin/api-keys").html
    admin.send(f"/admin/api-keys/key_{key[0].split('_')[2]}/revoke")
    assert service.ask("GET", "/v1/me", key=key[0]).status == 401
    assert "could do nothing" not in admin.send("/admin/api-keys", {"name": ""}).text


def test_origins_that_may_embed_it_are_registered(service: Api, admin: Reader) -> None:
    wrong = admin.send("/admin/embed-origins", {"origins": "https://crm.example.com/path"})
    assert (wrong.status, "https://crm.example.com/path</textarea>" in wrong.html) == (422, True)
    done = admin.send("/admin/embed-origins", {"origins": "https://crm.example.com\r\nhttps://b.example.com"})
    assert "The origins were registered." in done.text
    found = service.ask("GET", "/v1/embed-origins").body["origins"]
    assert found == ["https://b.example.com", "https://crm.example.com"]
    admin.send("/admin/embed-origins", {"origins": ""})
    assert service.ask("GET", "/v1/embed-origins").body["origins"] == []


def test_an_alert_channel_keeps_its_secret(admin: Reader, account: Account) -> None:
    url = "json://user:hunter2@127.0.0.1:1/"
    named = {"name": "admins", "url": url, "severity": "critical", "language": "ja", "time_zone": "Asia/Tokyo"}
    wrong = admin.send("/admin/alerts", named | {"domain": "unknown.example"})
    assert (wrong.status, "unknown.example is not known" in wrong.text, "hunter2" in wrong.html) == (422, True, False)
    shown = admin.send("/admin/alerts", named | {"quiet": "22:00-07:00"})
    (channel,) = account.alerts.channels()
    assert (channel.subscription.language, str(channel.subscription.quiet)) == ("ja", "22:00-07:00 Asia/Tokyo")
    assert "admins" in shown.text and "hunter2" not in shown.html
    assert "was not sent" in admin.send(f"/admin/alerts/alc_{channel.id}/test").text
    admin.send(f"/admin/alerts/alc_{channel.id}/remove")
    assert account.alerts.channels() == []


def test_maintenance_is_announced_in_the_readers_time_zone(admin: Reader, account: Account) -> None:
    admin.session.cookies.set("zone", "Asia/Tokyo")
    times = {"starts_at": "2030-01-01T09:00", "ends_at": "2030-01-01T11:00"}
    assert admin.send("/admin/maintenance", times | {"ends_at": "2030-01-01T08:00"}).status == 422
    shown = admin.send("/admin/maintenance", times | {"domain": DOMAIN, "note": "move"})
    (window,) = account.maintenance.windows()
    assert (window.starts_at, window.ends_at - window.starts_at, window.domain) == (1893456000.0, 7200.0, DOMAIN)
    assert "1 Jan 2030, 09:00" in shown.text
    admin.send(f"/admin/maintenance/mnt_{window.id}/end")
    assert account.maintenance.windows() == []


def test_a_webhook_is_added_tried_rotated_and_removed(admin: Reader, account: Account) -> None:
    wrong = admin.send("/admin/webhooks", {"url": "https://127.0.0.1:1/", "types": "no.such"})
    assert (wrong.status, "no.such" in wrong.text) == (422, True)
    shown = admin.send("/admin/webhooks", {"url": "http://127.0.0.1:1/hook?token=hunter2", "description": "crm"})
    secret = re.search(r"whsec_[\w+/=]+", shown.html)
    assert secret is not None and "hunter2" not in shown.html
    (seen,) = account.webhooks.endpoints(10)
    path = f"/admin/webhooks/whe_{seen.endpoint.id}"
    assert secret[0] not in admin.get(path).html
    assert "was not delivered" in admin.send(f"{path}/test").text
    again = re.search(r"whsec_[\w+/=]+", admin.send(f"{path}/rotate").html)
    assert again is not None and again[0] != secret[0]
    changed = {"types": "change.verified", "description": "billing"}
    assert "hunter2" not in admin.send(f"{path}/change", {**changed, "url": "ftp://127.0.0.1/hunter2"}).html
    assert admin.send(f"{path}/change", {**changed, "types": "no.such"}).status == 422
    assert "Changed." in admin.send(f"{path}/change", changed).text
    kept = account.webhooks.look(seen.endpoint.id).endpoint
    assert (kept.types, kept.description, kept.shown) == (("change.verified",), "billing", seen.endpoint.shown)
    assert admin.send(f"{path}/redeliver", {"since": "yesterday"}).status == 422
    since = {"since": "2020-01-01T00:00", "include_sent": "true"}
    assert "events will be sent again." in admin.send(f"{path}/redeliver", since).text
    assert "switched off" in admin.send(f"{path}/enabled", {"enabled": "no"}).text
    admin.send(f"{path}/remove")
    assert account.webhooks.endpoints(10) == []


def test_mailboxes_are_imported_found_and_removed(admin: Reader, account: Account) -> None:
    path = f"/admin/domains/{DOMAIN}/mailboxes"
    wrong = admin.send(path, {"rows": f"address,password\nada@{DOMAIN},"})
    assert (wrong.status, "nothing was stored" in wrong.text) == (422, True)
    rows = "".join(f"{name}@{DOMAIN},secret of {name}\n" for name in ("ada", "bob"))
    done = admin.send(path, {"rows": "address,password\n" + rows})
    assert "2 added" in done.text and "secret of" not in done.html
    found = admin.get(f"{path}?text=bob&state=unknown").text
    assert f"bob@{DOMAIN}" in found and f"ada@{DOMAIN}" not in found
    admin.send(f"{path}/remove", {"address": f"ada@{DOMAIN}"})
    assert [each.address for each in account.mailboxes.of_domain(DOMAIN)] == [f"bob@{DOMAIN}"]


def test_a_domain_is_added_paused_and_removed_with_its_name(admin: Reader, account: Account) -> None:
    assert "is not a valid name" in admin.send("/admin/new-domain", {"name": "not a name"}).text
    added = admin.send("/admin/new-domain", {"name": "Leaving.Example"})
    assert added.url == "/admin/domains/leaving.example/settings"
    path = "/admin/domains/leaving.example"
    assert "not watched any more" in admin.send(f"{path}/pause").text
    assert "watched again" in admin.send(f"{path}/resume").text
    assert admin.send(f"{path}/remove", {"confirm": "another.example"}).status == 422
    assert "was removed" in admin.send(f"{path}/remove", {"confirm": "leaving.example"}).text
    assert "leaving.example" not in [each.name for each in account.domains.summaries()]


def test_a_search_counts_no_domains(admin: Reader) -> None:
    assert re.search(r"All \(\d+\) With an open incident \(0\)", admin.get("/admin/domains").text)
    found = admin.get("/admin/domains?text=OOMS.ex").text
    assert (DOMAIN in found, "All With an open incident" in found) == (True, True)
    assert "No domain has “nobody” in its name." in admin.get("/admin/domains?text=nobody").text


def test_a_new_password_ends_all_other_sessions(service: Api) -> None:
    first = Reader(service).sign_in("vera")
    second = Reader(service)
    second.send("/admin/sign-in", {"name": "vera", "password": PASSWORD})
    fresh = {"password": "another few words of hers", "again": "another few words of hers"}
    assert "not your password" in first.send("/admin/me/password", fresh | {"old_password": "wrong"}).text
    assert first.send("/admin/me/password", fresh | {"old_password": PASSWORD}).url == "/admin/me"
    assert second.get("/admin/me").url.startswith("/admin/sign-in")


def test_the_audit_is_searched_and_read_page_by_page(service: Api, admin: Reader, account: Account) -> None:
    admin.send("/admin/users", {"name": "xenia", "role": "account_access"})
    user = account.access.user_named("xenia")
    admin.send(f"/admin/users/usr_{user.id}/role", {"role": "super_admin"})
    shown = admin.get("/admin/audit?actor=rooms&type=user.changed").text
    assert "role_before: account_access" in shown and "user: xenia" in shown and "user.added" not in shown
    assert "Nothing was done that fits." in admin.get("/admin/audit?since=2090-01-01T00:00").text
    wrong = admin.get("/admin/audit?domain=unknown.example&since=soon")
    assert (wrong.status, 'aria-invalid="true"' in wrong.html) == (422, True)
    with service.preflight.database.begin() as conn:
        for number in range(101):
            events.record(conn, UserAdded(subject=f"u{number}", at=1.0, account_id=user.account_id, actor=ANNA))
    first = admin.get("/admin/audit?actor=anna&type=user.added")
    further = re.search(r'href="(/admin/audit[^"]*before=\d+[^"]*)"', first.html)
    assert further is not None
    assert admin.get(html.unescape(further[1])).status == 200


def test_the_navigation_says_in_which_room_the_reader_is(admin: Reader) -> None:
    paths = ("users", "audit", "new-domain", f"domains/{DOMAIN}", "me")
    marked = (
        re.findall(r'href="/admin/([\w-]+)" aria-current="(\w+)"', admin.get(f"/admin/{path}").html) for path in paths
    )
    here: tuple[list[tuple[str, str]], ...] = (
        [("users", "page")],
        [("users", "true")],
        [("domains", "true")],
        [("domains", "true")],
        [],
    )
    assert tuple(marked) == here


def test_every_page_is_there_in_japanese(admin: Reader) -> None:
    admin.send("/admin/preferences", {"language": "ja"})
    paths = [
        "domains",
        "new-domain",
        "alerts",
        "maintenance",
        "webhooks",
        "api-keys",
        "users",
        "me",
        "audit",
        "connection-ips",
    ]
    rests = ("", "/settings", "/mailboxes", "/remove", "/find", "/connect", "/firewall")
    paths += [f"domains/{DOMAIN}{rest}" for rest in rests]
    for path in paths:
        shown = admin.get(f"/admin/{path}")
        assert (shown.status, 'lang="ja"' in shown.html) == (200, True), path
