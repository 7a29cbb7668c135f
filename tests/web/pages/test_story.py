"""What an admin does, in Chromium: settings entered wrongly, then rightly, and a verification seen live."""

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Error, Page, expect

from tests.web.api import ANNA
from tests.web.pages.reading import Reader
from tests.web.pages.scene import DOMAIN, Scene, enter_new_server, reader, sign_in
from web.server import answering_at, listening

ANSWERED = "Failed to load resource: the server responded with a status of"
"""What Chromium says of every page that is answered with 422, as a form with a mistake is."""
SETTINGS = f"/admin/domains/{DOMAIN}/settings"


@contextmanager
def quiet_page(browser: Browser, scene: Scene, **options: Any) -> Iterator[Page]:
    """A tab of somebody who has signed in. Nothing may be written to its console."""
    said: list[str] = []
    with reader(browser, scene.api, **options) as context:
        page = context.new_page()
        page.on("console", lambda message: said.append(f"{message.text} at {message.location}"))
        page.on("pageerror", lambda error: said.append(str(error)))
        sign_in(page)
        yield page
    assert [line for line in said if not line.startswith(ANSWERED)] == []


def accessible(page: Page) -> None:
    """axe-core finds nothing."""
    found = Axe().run(page)
    assert found.violations_count == 0, f"{page.url}\n{found.generate_report()}"


def test_settings_are_entered_and_verified_live(browser: Browser, scene: Scene) -> None:
    with quiet_page(browser, scene) as page:
        accessible(page)
        page.click(f"text={DOMAIN}")
        accessible(page)
        page.click(".head .button")
        expect(page.locator(".verify")).to_contain_text("60 mailboxes")
        enter_new_server(page, scene)
        page.fill("[name='imap.port']", "99999")
        page.click(".verify button")
        expect(page.locator("[name='imap.port']")).to_have_attribute("aria-invalid", "true")
        expect(page.locator("#main")).to_contain_text("A port is a number from 1 to 65535.")
        assert page.locator(".was").count() >= 3, "what differs from the settings in force is marked"
        accessible(page)
        enter_new_server(page, scene)
        page.click(".verify button")
        page.wait_for_url("**/admin/changes/chg_*")
        expect(page.locator("#server-1 .state")).to_have_text("being checked")
        accessible(page)
        page.route("**/report", lambda route: route.fulfill(status=204))  # the reader would be sent on at once
        with scene.working():
            expect(page.locator("#server-1 .state.bad")).to_be_visible()
            expect(page.locator("#steps-1 li.fail")).to_be_visible()
            expect(page.locator("text=Read the report")).to_be_visible()
        accessible(page)
        page.unroute("**/report")
        with contextlib.suppress(Error):  # the reader may be sent on just now
            page.click("text=Read the report", timeout=5_000)
        page.wait_for_url("**/report")


def test_it_goes_on_after_a_reload_in_a_second_tab_and_when_the_server_was_away(browser: Browser, scene: Scene) -> None:
    account = scene.api.preflight.account(actor=ANNA)
    saved = account.changes.save(DOMAIN, scene.new_settings)
    with listening("127.0.0.1", 0) as first, reader(browser, scene.api) as context:
        place = first.getsockname()
        url = f"http://{place[0]}:{place[1]}/admin/changes/chg_{saved.change_id}"
        tabs = [context.new_page(), context.new_page()]
        with answering_at(scene.api.preflight, first):
            sign_in(tabs[0])
            for tab in tabs:
                tab.goto(url)
                expect(tab.locator("#main")).to_contain_text("Waiting for a worker")
            tabs[0].reload()
        first.close()
        expect(tabs[0].locator("[data-offline]")).to_be_visible()
        with listening(*place) as second, answering_at(scene.api.preflight, second):
            for tab in tabs:
                expect(tab.locator("[data-offline]")).to_be_hidden()
            with scene.working():
                for tab in tabs:
                    tab.wait_for_url("**/report")


def test_without_javascript_the_page_looks_again_by_itself(browser: Browser, scene: Scene) -> None:
    with quiet_page(browser, scene, java_script_enabled=False, locale="ja") as page, scene.working():
        page.goto(SETTINGS)
        expect(page.locator("h1")).to_have_text(f"{DOMAIN} の設定")
        page.click(".verify button")
        page.wait_for_url("**/report")


def test_a_verification_is_cancelled(browser: Browser, scene: Scene) -> None:
    with quiet_page(browser, scene) as page:
        page.goto(SETTINGS)
        page.click(".verify button")
        page.click("text=Cancel")
        expect(page.locator(".notice.good")).to_contain_text("cancelled")
        expect(page.locator("text=Verify again")).to_be_visible()


def test_who_is_signed_out_elsewhere_is_asked_to_sign_in(browser: Browser, scene: Scene) -> None:
    account = scene.api.preflight.account(actor=ANNA)
    saved = account.changes.save(DOMAIN, scene.new_settings)
    with reader(browser, scene.api) as context:
        page = context.new_page()
        sign_in(page)
        page.goto(f"/admin/changes/chg_{saved.change_id}")
        expect(page.locator("#main")).to_contain_text("Waiting for a worker")
        signed_in = scene.api.preflight.signed_in(account.events.account_id, ANNA)
        for session in signed_in.sessions():
            signed_in.end(session.id)
        page.wait_for_url("**/admin/sign-in**")
    account.changes.cancel(saved.change_id)


@pytest.mark.parametrize(("scheme", "locale", "width"), [("light", "en", 1280), ("dark", "ja", 390)])
def test_every_page_is_accessible(browser: Browser, scene: Scene, scheme: str, locale: str, width: int) -> None:
    rooms = [
        "new-domain",
        "alerts",
        "maintenance",
        "webhooks",
        "api-keys",
        "users",
        "audit",
        "me",
        "connection-ips",
        "no-such-page",
    ]
    rests = ("", "/settings", "/mailboxes", "/remove", "/find", "/connect", "/firewall")
    paths = [f"/admin/{room}" for room in rooms] + [f"/admin/domains/{DOMAIN}{rest}" for rest in rests]
    viewport = {"width": width, "height": 800}
    with quiet_page(browser, scene, color_scheme=scheme, locale=locale, viewport=viewport) as page:
        for path in paths:
            page.goto(path)
            accessible(page)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{path} is cut off"


@pytest.mark.parametrize("path", ["/admin/domains", SETTINGS, f"/admin/domains/{DOMAIN}"])
def test_a_member_may_not(scene: Scene, path: str) -> None:
    member = Reader(scene.api).sign_in(f"member of {path.count('/')} {len(path)}", "member", DOMAIN)
    shown = member.get(path)
    assert (shown.status, "This is not for you to do" in shown.text) == (403, True)


def test_nothing_is_loaded_from_elsewhere_and_little_at_all(browser: Browser, scene: Scene) -> None:
    with reader(browser, scene.api) as context:
        page = context.new_page()
        session = context.new_cdp_session(page)
        session.send("Network.enable")
        sizes: list[float] = []
        asked: list[str] = []
        session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
        page.on("request", lambda request: asked.append(request.url))
        page.goto("/admin/sign-in", wait_until="networkidle")
        assert all(url.startswith(scene.api.url) for url in asked)
        assert len(asked) >= 4 and sum(sizes) <= 60_000
