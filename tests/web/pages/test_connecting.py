"""A member connects, an admin completes what they have begun with settings that were found: the story in Chromium."""

import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from checks.model import Endpoint, Protocol
from checks.settings import ImapSettings
from tests.servers.certificates import CertificateLab
from tests.servers.internet import Internet, autoconfig
from tests.settings_store.in_force import exchange_settings, put_in_force
from tests.web.api import Api
from tests.web.pages.reading import PASSWORD, Reader, make_user
from tests.web.pages.scene import DOMAIN, Scene, reader
from tests.web.pages.test_story import accessible, quiet_page

CORP = "corp.example"
NAMES = tuple(prefix + CORP for prefix in ("", "autoconfig.", "imap.", "smtp."))
SECRET = "a mailbox password of hers"
CLOSED = ImapSettings(Endpoint(Protocol.IMAP, "127.0.0.1", 1), Endpoint(Protocol.SMTP, "127.0.0.1", 1))


@pytest.fixture
def internet(certificates: CertificateLab, monkeypatch: pytest.MonkeyPatch) -> Iterator[Internet]:
    made = Internet(certificates, NAMES, hosts=set(NAMES))
    made.serve_mail(f"imap.{CORP}:993", f"smtp.{CORP}:465")
    xml = autoconfig([(f"imap.{CORP}", 993, "SSL")], [(f"smtp.{CORP}", 465, "SSL")], "%EMAILADDRESS%")
    made.pages = {f"http://autoconfig.{CORP}/mail/config-v1.1.xml": (200, {}, xml)}
    with made.running():
        made.stand_in(monkeypatch)
        yield made


def in_force(api: Api, domain: str, settings: object) -> None:
    with api.preflight.database.begin() as conn:
        put_in_force(conn, domain, settings)  # type: ignore[arg-type] # either kind


@pytest.mark.usefixtures("internet")
def test_who_waits_is_found_completed_and_verified(browser: Browser, scene: Scene) -> None:
    scene.account.domains.make_known(CORP)
    make_user(scene.api, f"ada@{CORP}", "member", CORP)
    with reader(browser, scene.api, viewport={"width": 390, "height": 844}) as context:
        page = context.new_page()
        page.goto("/admin/sign-in")
        page.fill("#name", f"ada@{CORP}")
        page.fill("#password", PASSWORD)
        page.click("main button")
        page.wait_for_url(f"**/domains/{CORP}/connect")
        expect(page.locator("#address")).to_have_value(f"ada@{CORP}")
        expect(page.locator("[name='imap.host']")).to_be_hidden()
        accessible(page)
        page.fill("#password", SECRET)
        page.click("main form.connect button")
        expect(page.locator("#result")).to_contain_text("Waiting for an administrator")
        accessible(page)
        assert SECRET not in page.content()
    with quiet_page(browser, scene) as page:
        entry = page.locator("#pending-entries li")
        expect(entry).to_contain_text(f"ada@{CORP}")
        expect(entry).to_contain_text("Nothing was tried")
        accessible(page)
        entry.locator("text=Complete the settings").click()
        expect(page.locator(".verify")).to_contain_text("1 person waits")
        page.click("text=Find settings")
        best = page.locator(".proposal").first
        expect(best).to_contain_text("Not trusted. This host was found over plain HTTP")
        expect(best).to_contain_text("Confidence: unsure")
        accessible(page)
        best.locator("text=Take over").click()
        assert page.url.endswith("/find"), "each host has to be accepted first"
        for host in ("imap", "smtp"):
            best.locator(f"text=I know {host}.{CORP}").click()
        best.locator("text=Take over").click()
        page.wait_for_url("**/settings?**")
        expect(page.locator("[name='smtp.host']")).to_have_value(f"smtp.{CORP}")
        page.press("[name='imap.host']", "Enter")
        page.wait_for_url("**/admin/changes/chg_*")
        scene.account.changes.cancel(page.url.partition("chg_")[2].partition("?")[0])
    scene.account.domains.remove(CORP)


@pytest.mark.usefixtures("internet")
def test_a_host_that_nothing_vouches_for_is_not_taken_over_unaccepted(scene: Scene) -> None:
    anna = Reader(scene.api)
    anna.send("/admin/sign-in", {"name": "anna", "password": PASSWORD})
    scene.account.domains.make_known(CORP)
    path = f"/admin/domains/{CORP}/find"
    wrong = anna.send(path, {"target": "not a name"})
    assert (wrong.status, 'aria-invalid="true"' in wrong.html) == (422, True)
    fields = {"to_accept": f"imap.{CORP}", "kind": "imap", "imap.host": f"imap.{CORP}"}
    refused = anna.send(f"{path}/take", fields)
    assert (refused.status, f"Nothing vouches for imap.{CORP}" in refused.text) == (422, True)
    taken = anna.send(f"{path}/take", {**fields, "accepted": f"imap.{CORP}"})
    assert f'value="imap.{CORP}"' in taken.html
    scene.account.domains.remove(CORP)


def test_each_source_is_on_the_page_as_it_ends(scene: Scene, internet: Internet) -> None:
    """Given a web server that keeps one source waiting, then the others are there, and nothing of the result.

    In a frame: what is made while it goes on leads to where it began, too.
    """
    scene.account.domains.make_known(CORP)
    scene.api.ask("PUT", "/v1/embed-origins", {"origins": ["https://crm.example.com"]})
    link = scene.api.ask("POST", "/v1/embed-sessions", {"domain": CORP}).body["url"]
    inside = Reader(scene.api)
    inside.get(link.removeprefix(scene.api.url))
    answers = threading.Event()
    internet.before_answering = lambda: bool(answers.wait(20))
    sent = {"target": CORP}, {"Sec-Fetch-Site": "same-origin"}
    url = f"{scene.api.url}/embedded/domains/{CORP}/find"
    with inside.session.post(url, data=sent[0], headers=sent[1], stream=True, timeout=30) as answer:
        pieces = map(str, answer.iter_content(None, decode_unicode=True))
        shown = ""
        while "SRV" not in shown:
            shown += next(pieces)
        assert ("so-far" in shown, "results" in shown) == (True, False)
        answers.set()
        shown += "".join(pieces)
    assert shown.count("so-far") == shown.count('<li><span class="state') > 4
    assert "Take over" in shown and shown.rstrip().endswith("</html>")
    assert f'action="/embedded/domains/{CORP}/find/take"' in shown and "/admin/domains" not in shown
    scene.account.domains.remove(CORP)


class TestMember:
    def test_the_login_is_tried_with_the_settings_of_the_domain(self, scene: Scene) -> None:
        address = next(name for name, word in scene.cast.passwords.items() if _works(scene, name, word))
        member = Reader(scene.api).sign_in(address, "member", DOMAIN)
        path = f"/admin/domains/{DOMAIN}/connect"
        shown = member.get(path)
        port = scene.sandbox.old.imap_port
        assert (f"127.0.0.1:{port}" in shown.text, "ca_pem" in shown.html) == (True, False)
        wrong = member.send(path, {"address": address, "password": SECRET})
        assert "Not connected" in wrong.text and "rejected the user name or the password" in wrong.text
        assert SECRET not in wrong.html
        other = member.send(path, {"address": f"somebody.else@{DOMAIN}", "password": SECRET})
        assert (other.status, "their own mailbox" in other.text) == (422, True)
        good = member.send(path, {"address": address, "password": scene.cast.passwords[address]})
        assert "The login works. From now on the mailbox has the settings of the domain." in good.text
        assert member.get("/admin/domains/elsewhere.example/connect").status == 404

    def test_what_cannot_be_told_is_stored_by_who_insists(self, scene: Scene) -> None:
        in_force(scene.api, "closed.example", CLOSED)
        member = Reader(scene.api, language="ja").sign_in("cem@closed.example", "member", "closed.example")
        path, login = "/admin/domains/closed.example/connect", {"address": "cem@closed.example", "password": SECRET}
        first = member.send(path, login)
        assert "判定できません" in first.text and 'name="insist"' in first.html and SECRET not in first.html
        assert "保存しました" in member.send(path, {**login, "insist": "true"}).text
        stored = scene.account.mailboxes.of_domain("closed.example")
        assert [(box.address, box.state) for box in stored] == [("cem@closed.example", "unknown")]

    def test_exchange_is_filled_in_for_mail_and_calendar(self, scene: Scene) -> None:
        in_force(scene.api, "office.example", exchange_settings())
        member = Reader(scene.api).sign_in("eva", "member", "office.example")
        shown = member.get("/admin/domains/office.example/connect")
        assert "Exchange, for mail and calendar https://exchange.example.com/EWS/Exchange.asmx" in shown.text

    def test_the_hint_comes_before_the_password(self, scene: Scene) -> None:
        google = ImapSettings(
            Endpoint(Protocol.IMAP, "imap.gmail.com", 993), Endpoint(Protocol.SMTP, "smtp.gmail.com", 465)
        )
        in_force(scene.api, "goog.example", google)
        html = (
            Reader(scene.api).sign_in("gus", "member", "goog.example").get("/admin/domains/goog.example/connect").html
        )
        hint = html.index("Google does not take the password of your account here.")
        assert hint < html.index('name="password"')
        assert "https://myaccount.google.com/apppasswords" in html

    def test_by_an_embed_link(self, scene: Scene) -> None:
        scene.api.ask("PUT", "/v1/embed-origins", {"origins": ["https://crm.example.com"]})
        wanted = {"domain": DOMAIN, "role": "member", "name": f"fay@{DOMAIN}"}
        url = scene.api.ask("POST", "/v1/embed-sessions", wanted).body["url"]
        inside = Reader(scene.api)
        shown = inside.get(url.removeprefix(scene.api.url))
        assert (shown.status, shown.url) == (200, f"/embedded/domains/{DOMAIN}/connect")
        assert f'value="fay@{DOMAIN}"' in shown.html
        assert inside.get(f"/embedded/domains/{DOMAIN}").status == 403
        url = scene.api.ask("POST", "/v1/embed-sessions", {**wanted, "role": "account_access"}).body["url"]
        inside.get(url.removeprefix(scene.api.url))
        other = inside.send(f"/embedded/domains/{DOMAIN}/find", {"target": "other.example"})
        assert (other.status, f"only the settings of {DOMAIN}" in other.text) == (422, True)


def test_who_waits_with_what_was_typed_is_completed_or_dismissed(scene: Scene) -> None:
    scene.account.domains.make_known("wait.example")
    member = Reader(scene.api).sign_in("joe@wait.example", "member", "wait.example")
    path = "/admin/domains/wait.example"
    old = scene.sandbox.old
    typed = {"kind": "imap", "imap.host": "127.0.0.1", "imap.port": str(old.imap_port), "imap.security": "starttls"}
    typed |= {"smtp.host": "127.0.0.1", "smtp.port": "99999"}
    login = {"address": "joe@wait.example", "password": SECRET}
    wrong = member.send(f"{path}/connect", typed | login)
    assert (wrong.status, "A port is a number" in wrong.text, 'value="127.0.0.1"' in wrong.html) == (422, True, True)
    waits = member.send(f"{path}/connect", typed | login | {"smtp.port": str(old.smtp_port)})
    assert "Waiting for an administrator" in waits.text
    admin = Reader(scene.api)
    admin.send("/admin/sign-in", {"name": "anna", "password": PASSWORD})
    (entry,) = scene.account.pending.page(10, domain="wait.example")
    for place in ("/admin/domains", path):
        found = admin.get(place).text
        assert "joe@wait.example" in found and f"127.0.0.1:{old.imap_port}" in found, place
    form = admin.get(f"{path}/settings?pending=con_{entry.id}").html
    assert f'name="imap.port" type="text" value="{old.imap_port}"' in form
    assert admin.send(f"/admin/domains/{DOMAIN}/pending/con_{entry.id}/dismiss").status == 404
    assert "The entry was dismissed" in admin.send(f"{path}/pending/con_{entry.id}/dismiss").text
    assert scene.account.pending.page(10) == []


def _works(scene: Scene, address: str, password: str) -> bool:
    directory = scene.cast.old_directory()
    return directory.passwords.get(address) == password and address not in directory.refusals
