"""From a certificate that is refused to settings in force and back, in Chromium and without its JavaScript."""

import io
import json
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from checks.settings import ExchangeSettings
from tests.servers.certificates import CertificateLab
from tests.servers.exchange.server import ExchangeServer
from tests.web.api import ANNA
from tests.web.pages.report_states import report_states
from tests.web.pages.scene import DOMAIN, Scene, enter_new_server
from tests.web.pages.test_story import accessible, quiet_page
from worker.service.mailboxes import Form as MailboxForm

SETTINGS = f"/admin/domains/{DOMAIN}/settings"


def to_a_report_with_disconnects(page: Page, scene: Scene) -> None:
    """The certificate is refused; the button that allows it verifies anew."""
    page.goto(SETTINGS)
    enter_new_server(page, scene)
    page.click(".verify button")
    page.wait_for_url("**/report")
    expect(page.locator(".option form").first).to_be_visible()


def test_a_repair_is_a_button_and_applying_takes_the_number_typed(browser: Browser, scene: Scene) -> None:
    with quiet_page(browser, scene, color_scheme="dark") as page, scene.working():
        to_a_report_with_disconnects(page, scene)
        expect(page.locator("h1")).to_contain_text("would disconnect: the certificate for 127.0.0.1")
        accessible(page)
        refused = page.url
        page.click(".option form >> nth=0 >> button")
        page.wait_for_url(lambda url: url.endswith("/report") and url != refused)
        expect(page.locator("h1")).to_contain_text("9 of 60 mailboxes would disconnect")
        accessible(page)
        page.click("text=Show these 5 mailboxes")
        expect(page.locator(".boxes tbody tr")).to_have_count(5)
        page.click("text=Letters ready to send")
        assert "Enter your current password again" in page.input_value("#body-1")
        accessible(page)
        page.go_back()
        page.click("text=Apply …")
        accessible(page)
        page.fill("#accept", "8")
        page.click(".apply button")
        expect(page.locator(".field.wrong .error")).to_contain_text("That is not the number")
        accessible(page)
        page.fill("#accept", "9")
        page.select_option("#minutes", "60")
        page.check("[value='roll_back']")
        page.click(".apply button")
        page.wait_for_url("**/watch")
        expect(page.locator(".countdown")).to_contain_text(":", timeout=5000)
        accessible(page)
        page.click(".back button")
        expect(page.locator(".watch .state")).to_contain_text("Rolled back")
        page.click("text=History of the domain")
        expect(page.locator(".timeline")).to_contain_text("anna rolled the change back")
        accessible(page)
        account = scene.api.preflight.account(actor=ANNA)
        assert account.domains.summary(DOMAIN).settings != scene.new_settings


def test_a_domain_changes_to_exchange(
    browser: Browser, scene: Scene, server_folder: Path, certificates: CertificateLab
) -> None:
    domain, passwords = "exchange.example", {f"{name}@exchange.example": f"password of {name}" for name in "abc"}
    given = passwords | {"c@exchange.example": "another one"}
    rows = json.dumps({"items": [{"address": each, "password": word} for each, word in given.items()]}).encode()
    account = scene.account
    account.domains.make_known(domain)
    account.mailboxes.import_rows(domain, io.BytesIO(rows), MailboxForm.JSON)
    with (
        ExchangeServer(server_folder / "exchange-page", certificates.issue(), passwords) as server,
        quiet_page(browser, scene) as page,
        scene.working(),
    ):
        page.goto(f"/admin/domains/{domain}/settings")
        page.check("[name='kind'][value='exchange']")
        expect(page.locator("[name='imap.host']")).to_be_hidden()
        page.fill("[name='exchange_url']", "ftp://localhost/")
        page.click(".verify button")
        expect(page.locator("[name='exchange_url']")).to_have_attribute("aria-invalid", "true")
        assert server.logons().total() == 0, "nothing was sent to anybody"
        page.fill("[name='exchange_url']", server.url)
        page.click("#certificates summary")
        page.fill("[name='ca_pem']", certificates.ca_pem)
        page.click(".verify button")
        page.wait_for_url("**/report")
        expect(page.locator("#server-1 h3")).to_contain_text("Exchange")
        expect(page.locator("#server-1 .state").first).to_have_class("state good")
        expect(page.locator(".boxes tbody tr")).to_have_count(3)
        expect(page.locator(".cause .lead").first).to_contain_text("rejected")
        accessible(page)
        page.click("text=Apply …")
        page.fill("#accept", "1")
        page.click(".apply button")
        page.wait_for_url("**/watch")
        assert {address[0] for address in server.logons()} == {"a", "b"}
    settings = account.domains.summary(domain).settings
    assert isinstance(settings, ExchangeSettings) and settings.endpoints[0].port == server.port


def test_all_of_it_without_javascript_in_japanese(browser: Browser, scene: Scene) -> None:
    options = {"java_script_enabled": False, "locale": "ja", "viewport": {"width": 390, "height": 844}}
    with quiet_page(browser, scene, **options) as page, scene.working():
        page.goto(SETTINGS)
        enter_new_server(page, scene)
        page.click(".verify button")
        page.wait_for_url("**/report")
        page.click(".option form >> nth=0 >> button")
        page.wait_for_url("**/report")
        expect(page.locator("h1")).to_contain_text("60 件のうち 9 件が切断されます")
        page.click("text=適用へ進む")
        page.fill("#accept", "9")
        page.click(".apply button")
        page.wait_for_url("**/watch")
        expect(page.locator(".countdown")).to_contain_text("残り")
        page.click(".back button")
        expect(page.locator(".watch .state")).to_contain_text("取り消し済み")


def test_every_state_is_accessible_and_nothing_is_cut_off(browser: Browser, scene: Scene) -> None:
    account = scene.api.preflight.account(actor=ANNA)
    with scene.working():
        saved = account.changes.save(DOMAIN, scene.new_settings)
        for _ in account.runs.follow(saved.run_id):
            pass
        shown = report_states(scene, saved.change_id)
    for options in (
        {"color_scheme": "light", "viewport": {"width": 1280, "height": 800}},
        {"color_scheme": "dark", "locale": "ja", "viewport": {"width": 390, "height": 844}},
    ):
        with quiet_page(browser, scene, **options) as page:
            for name, show in shown.items():
                show(page)
                page.evaluate("document.querySelectorAll('details').forEach((each) => each.open = true)")
                accessible(page)
                assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} is cut off"
