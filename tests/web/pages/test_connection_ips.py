"""Connection IPs, the switch, approval, and credentials that come along when a draft is edited: without JavaScript."""

import html
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, expect

from checks.codes import Code, Verdict
from checks.model import Admission, EndpointResult, Outcome, Protocol
from checks.network.static_addresses import parse_networks, parse_ranges
from checks.serialize import dump_endpoint_result
from settings_store import schema
from settings_store.runs import endpoints, runs
from tests.settings_store.in_force import exchange_settings, mail_settings, put_in_force
from tests.web.api import ANNA, Api, running
from tests.web.pages.reading import Reader, Shown
from tests.web.pages.scene import reader as browsing
from tests.web.planted_changes import SETTINGS, Box, plant
from web.pages.connection_ips import connection_ips

IN_USE, UNUSED = "static.example", "shared.example"
FORM = {
    "kind": "imap",
    "imap.host": "imap.example.com",
    "imap.port": "993",
    "imap.security": "auto",
    "smtp.host": "smtp.example.com",
    "smtp.port": "465",
    "smtp.security": "auto",
    "smtp.authentication": "login",
}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    addresses: dict[str, Any] = {
        "static_addresses": parse_ranges("203.0.113.8/30 2001:db8::8/127"),
        "shared_addresses": parse_networks("198.51.100.0/28"),
    }
    with running(tmp_path_factory.mktemp("ips"), web_rate_expensive=0, web_rate_sign_in=0, **addresses) as api:
        with api.preflight.database.begin() as conn:
            put_in_force(conn, IN_USE, replace(mail_settings(), static_addresses=True))
            put_in_force(conn, UNUSED, mail_settings())
        yield api


@pytest.fixture(scope="module")
def anna(service: Api) -> Reader:
    return Reader(service).sign_in("anna")


@pytest.fixture(scope="module")
def bert(service: Api) -> Reader:
    return Reader(service, language="ja").sign_in("bert", "account_access")


def test_the_ranges_are_shown_as_texts_to_copy(anna: Reader) -> None:
    shown = anna.get("/admin/connection-ips")
    texts = dict(re.findall(r'<textarea id="([\w-]+)"[^>]*>(.*?)</textarea>', shown.html, re.DOTALL))
    assert texts["shared-addresses"] == "198.51.100.0/28"
    assert texts["static-addresses"].split() == ["203.0.113.8/30", "2001:db8::8/127"]
    assert "固定アドレス" in texts["explanation-ja"] and IN_USE in shown.text
    assert 'data-copy="static-addresses"' in shown.html
    assert anna.get("/admin/connection-ips?domain=unknown.example").status == 422


def test_the_ranges_are_copied(browser: Browser, service: Api, anna: Reader) -> None:
    with browsing(browser, service, permissions=["clipboard-read", "clipboard-write"]) as context:
        for cookie in anna.session.cookies:
            context.add_cookies([{"name": cookie.name, "value": cookie.value or "", "url": service.url}])
        page = context.new_page()
        page.goto("/admin/connection-ips")
        page.click("[data-copy='static-addresses']")
        expect(page.locator("[data-copy='static-addresses'][data-done]")).to_be_visible()
        copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.split() == ["203.0.113.8/30", "2001:db8::8/127"]


def test_the_request_to_the_firewall_in_both_languages(anna: Reader, bert: Reader) -> None:
    for reader in (anna, bert):
        shown = reader.get(f"/admin/connection-ips?domain={IN_USE}")
        assert shown.url == f"/admin/domains/{IN_USE}/firewall"
        texts = dict(re.findall(r'<textarea id="([\w-]+)"[^>]*>(.*?)</textarea>', shown.html, re.DOTALL))
        for language, port in (
            ("en", "mail.example.com, port 993 (IMAP)"),
            ("ja", "mail.example.com ポート 993 (IMAP)"),
        ):
            assert port in texts[f"text-{language}"] and "203.0.113.8/30" in texts[f"text-{language}"]
    assert "198.51.100.0/28" in anna.get(f"/admin/domains/{UNUSED}/firewall").text
    anna.send("/admin/new-domain", {"name": "empty.example"})
    assert "has no settings yet" in anna.get("/admin/domains/empty.example/firewall").text


def test_static_addresses_are_switched_by_a_change(service: Api, anna: Reader) -> None:
    on, off = (anna.get(f"/admin/domains/{name}/settings").html for name in (IN_USE, UNUSED))
    assert re.search(r'name="static_addresses" value="true" checked', on)
    assert re.search(r'name="static_addresses" value="true">', off)
    saved = anna.send(f"/admin/domains/{UNUSED}/settings", {**FORM, "static_addresses": "true"})
    assert "/admin/changes/chg_" in saved.url
    account = service.preflight.account(actor=ANNA)
    assert account.changes.page(UNUSED, 1)[0].settings.static_addresses is True
    assert account.domains.summary(UNUSED).settings == mail_settings(), "nothing is in force before it is applied"


def test_exchange_is_added_and_edited(service: Api, anna: Reader) -> None:
    path, account = f"/admin/domains/{UNUSED}/settings", service.preflight.account(actor=ANNA)
    assert "A domain has either." in anna.get(path).text
    for given in ("mail.corp.example", "https://other.corp.example/EWS/Exchange.asmx"):
        sent = {"kind": "exchange", "exchange_url": given, "imap.host": "is left out"}
        assert "/admin/changes/chg_" in anna.send(path, sent).url
        saved = account.changes.page(UNUSED, 1)[0].settings
        assert (saved.kind, "corp.example/EWS/Exchange.asmx" in saved.endpoints[0].url) == ("exchange", True)
    wrong = anna.send(path, {"kind": "exchange", "exchange_url": "not an address"})
    assert (wrong.status, 'aria-invalid="true"' in wrong.html) == (422, True)


def test_a_domain_has_either_and_changes_both_ways(service: Api, anna: Reader) -> None:
    path, account = "/admin/domains/office.example/settings", service.preflight.account(actor=ANNA)
    with service.preflight.database.begin() as conn:
        put_in_force(conn, "office.example", exchange_settings())
    shown = anna.get(path)
    assert "the calendar by Exchange ends" in shown.text
    assert re.search(r'value="exchange" checked', shown.html)
    assert "/admin/changes/chg_" in anna.send(path, {**FORM, "exchange_url": "is left out"}).url
    assert account.changes.page("office.example", 1)[0].settings == SETTINGS
    assert account.domains.summary("office.example").kind == "exchange", "before it is applied"


def test_the_insecure_option_is_ticked_in_the_form(service: Api, anna: Reader) -> None:
    path, account = f"/admin/domains/{UNUSED}/settings", service.preflight.account(actor=ANNA)
    for ticked in ("true", ""):
        anna.send(path, {**FORM, "allow_insecure_certificate": ticked})
        assert account.changes.page(UNUSED, 1)[0].settings.allow_insecure_certificate is bool(ticked)


def test_the_report_tells_which_addresses_are_let_in(service: Api, anna: Reader) -> None:
    change = plant(service, "verified", (Box("ada@x"),))
    met = (Admission("203.0.113.8", Outcome.ADMITTED), Admission("203.0.113.9", Outcome.DROPPED))
    with service.preflight.database.begin() as conn:
        run = runs.of_change(conn, change.id)
        assert run is not None
        result = EndpointResult(SETTINGS.imap, Verdict.FAIL, Code.CONNECT_NOT_ADMITTED, admissions=met)
        endpoints.save_again(conn, run.id, runs.CANDIDATE, Protocol.IMAP, dump_endpoint_result(result))
    shown = anna.get(f"/admin/changes/chg_{change.id}/report").html
    rows = re.findall(r'<th scope="row" class="mono">([\d.]+)</th><td><span class="state (\w+)"', shown)
    assert rows == [("203.0.113.8", "good"), ("203.0.113.9", "bad")]


def test_a_second_person_approves_what_a_person_has_saved(service: Api, anna: Reader, bert: Reader) -> None:
    path = "/admin/domains/approved.example"
    anna.send("/admin/new-domain", {"name": "approved.example"})
    assert bert.send(f"{path}/approval", {"needed": "yes"}).status == 403
    assert "a second person approves every change" in anna.send(f"{path}/approval", {"needed": "yes"}).text
    assert "a second person has approved it" in anna.get(path).text
    url = anna.send(f"{path}/settings", FORM).url.partition("?")[0]
    report = _reported(service, anna, url)
    assert "Awaits approval." in report.text and f'{url}/approve"' not in report.html
    assert anna.get(f"{url}/apply").url == f"{url}/report"
    checksum = re.search(r'name="checksum" value="(\w+)"', bert.get(f"{url}/report").html)
    assert checksum is not None
    assert anna.send(f"{url}/approve", {"checksum": checksum[1]}).status == 409
    assert "変更を承認しました。" in bert.send(f"{url}/approve", {"checksum": checksum[1]}).text
    shown = anna.get(f"{url}/report")
    assert "Approved by bert," in shown.text and f'{url}/apply"' in shown.html
    told = anna.get(f"{path}/history").text
    assert "asked for a second person’s approval of every change" in told and "approved the change" in told
    assert "no approval any more" in anna.send(f"{path}/approval", {"needed": "no"}).text


def _reported(service: Api, reader: Reader, url: str) -> Shown:
    account = service.preflight.account(actor=ANNA)
    with service.preflight.processes.working():
        for _ in account.runs.follow(account.changes.look(url.rpartition("chg_")[2]).run_id or ""):
            pass
    return reader.get(f"{url}/report")


def test_who_approved_what_a_program_saved_does_not_apply_it(service: Api, bert: Reader) -> None:
    change = plant(service, "awaiting")
    url = f"/admin/changes/chg_{change.id}"
    checksum = re.search(r'name="checksum" value="(\w+)"', bert.get(f"{url}/report").html)
    assert checksum is not None
    shown = bert.send(f"{url}/approve", {"checksum": checksum[1]})
    assert "承認した人とは別の人が適用してください" in shown.text and f'{url}/apply"' not in shown.html


def test_the_mailboxes_of_a_draft_come_along_when_it_is_edited(service: Api, anna: Reader) -> None:
    account = service.preflight.account(actor=ANNA)
    first = account.changes.save("draft.example", SETTINGS, [{"address": "ada@draft.example", "password": "hunter2"}])
    path = "/admin/domains/draft.example/settings"
    form = anna.get(f"{path}?change=chg_{first.change_id}").html
    hidden = re.search(r'name="change" value="(chg_\w+)"', form)
    assert hidden is not None
    edited = anna.send(path, {**FORM, "change": hidden[1], "imap.host": "imap2.example.com"})
    second = re.search(r"chg_(\w+)", edited.url)
    assert second is not None and second[1] != first.change_id
    assert _proposed(service, second[1]) == 1
    moved = anna.send(path, {**FORM, "change": hidden[1]})
    assert (moved.status, "has moved on meanwhile" in moved.text) == (409, True)
    assert 'name="change"' not in moved.html


def _proposed(service: Api, change_id: str) -> int:
    table = schema.mailboxes  # a new one that comes with a change is none of the domain yet
    with service.preflight.database.read() as conn:
        mine = sa.select(sa.func.count()).select_from(table).where(table.c.change_id == change_id)
        return int(conn.execute(mine).scalar_one())


def test_what_is_typed_wrongly_keeps_the_change_that_is_corrected(anna: Reader) -> None:
    sent = {**FORM, "imap.port": "0", "change": f"chg_{'0' * 32}"}
    shown = anna.send("/admin/domains/draft.example/settings", sent)
    assert (shown.status, f'value="chg_{"0" * 32}"' in html.unescape(shown.html)) == (422, True)


def test_domains_are_named_a_page_at_a_time(service: Api, anna: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    with service.preflight.database.begin() as conn:
        put_in_force(conn, "zone.example", replace(mail_settings(), static_addresses=True))
    monkeypatch.setattr(connection_ips, "PAGE", 1)
    names = []
    path: str | None = "/admin/connection-ips"
    while path:
        shown = anna.get(path).html
        names += re.findall(r'/admin/domains/([\w.]+)/firewall"', shown)
        further = re.search(r'href="([^"]+)" rel="next"', shown)
        path = html.unescape(further[1]) if further else None
    assert (names[0], names[-1], len(names)) == (min(names), "zone.example", len(set(names)))
    assert len(names) > 1 and 'href="/admin/connection-ips">To the beginning' in shown
