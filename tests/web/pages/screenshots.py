"""Pictures of every state, to be looked at: `python -m tests.web.pages.screenshots FOLDER [PART OF A NAME]`.

In both schemes and languages, at 1280 and 390 pixels. Without arguments it takes the pictures of the README.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import product
from pathlib import Path

from playwright.sync_api import Page

from checks.network.static_addresses import parse_networks, parse_ranges
from settings_store.alerts.channels import Subscription
from tests.web.api import ANNA
from tests.web.pages.connecting_states import connecting_states
from tests.web.pages.report_states import report_states
from tests.web.pages.scene import DOMAIN, Scene, chromium, playing, reader, sign_in
from worker.service.webhooks import EndpointRequest

_WIDTHS = (1280, 390)
_README = Path(__file__).parents[3] / "docs" / "images"
_ADDRESSES = {
    "static_addresses": parse_ranges("203.0.113.8/30 2001:db8::8/126"),
    "shared_addresses": parse_networks("198.51.100.0/28"),
}
Show = Callable[[Page], object]


def states(scene: Scene) -> Mapping[str, Show]:
    """What is shown, by name, once somebody has signed in."""
    account = scene.api.preflight.account(actor=ANNA)
    saved = account.changes.save(DOMAIN, scene.new_settings)
    for _ in account.runs.follow(saved.run_id):
        pass
    cancelled = account.changes.save("cancelled.example", scene.new_settings)
    account.changes.cancel(cancelled.change_id)
    failing = account.changes.save("failing.example", replace(scene.new_settings, allow_insecure_certificate=False))
    for _ in account.runs.follow(failing.run_id):
        pass
    account.alerts.add("admins", "json://127.0.0.1:1/alerts", Subscription())
    account.maintenance.announce(DOMAIN, time.time() + 3600, time.time() + 7200, "The new server is set up")
    webhook = account.webhooks.add(EndpointRequest("http://127.0.0.1:1/hooks", description="CRM"))
    for number in range(60):
        account.domains.make_known(f"{number:02}-customer.example")
    return {
        "domains": lambda page: page.goto("/admin/domains"),
        "domain": lambda page: page.goto(f"/admin/domains/{DOMAIN}"),
        "new-domain": lambda page: page.goto("/admin/new-domain"),
        "settings": lambda page: page.goto(f"/admin/domains/{DOMAIN}/settings"),
        "settings-of-change": lambda page: page.goto(f"/admin/domains/{DOMAIN}/settings?change=chg_{saved.change_id}"),
        "settings-wrong": _wrong_settings,
        "settings-exchange": _exchange,
        "remove": lambda page: page.goto(f"/admin/domains/{DOMAIN}/remove"),
        "live": lambda page: _live(page, scene),
        "failing": lambda page: _failing(page, f"chg_{failing.change_id}"),
        "settings-failing": lambda page: page.goto(
            f"/admin/domains/failing.example/settings?change=chg_{failing.change_id}"
        ),
        "mailboxes": lambda page: page.goto(f"/admin/domains/{DOMAIN}/mailboxes?state=disconnected"),
        "alerts": lambda page: page.goto("/admin/alerts"),
        "maintenance": lambda page: page.goto("/admin/maintenance"),
        "webhooks": lambda page: page.goto("/admin/webhooks"),
        "webhook": lambda page: _webhook(page, f"whe_{webhook.endpoint.id}"),
        "api-keys": lambda page: page.goto("/admin/api-keys"),
        "users": _users,
        "audit": lambda page: page.goto("/admin/audit"),
        "me": lambda page: page.goto("/admin/me"),
        "cancelled": lambda page: page.goto(f"/admin/changes/chg_{cancelled.change_id}"),
        **report_states(scene, saved.change_id),
        **connecting_states(scene),
        "not-found": lambda page: page.goto("/admin/domains/nowhere.example"),
    }


def _users(page: Page) -> None:
    page.goto("/admin/users")
    page.click("main table form button >> nth=0")


def _webhook(page: Page, key: str) -> None:
    page.goto(f"/admin/webhooks/{key}")
    for part in page.locator("main details").all():
        part.locator("summary").click()


def _wrong_settings(page: Page) -> None:
    page.goto(f"/admin/domains/{DOMAIN}/settings")
    page.fill("[name='imap.host']", "mail server")
    page.fill("[name='smtp.port']", "99999")
    page.click(".verify button")
    page.wait_for_selector(".field.wrong")


def _exchange(page: Page) -> None:
    page.goto(f"/admin/domains/{DOMAIN}/settings")
    page.check("[name='kind'][value='exchange']")


def _failing(page: Page, change: str) -> None:
    page.route("**/report", lambda route: route.fulfill(status=204))  # the reader would be sent on at once
    page.goto(f"/admin/domains/failing.example/settings?change={change}")
    page.click(".verify button")
    page.locator("#steps-1 li.fail").wait_for()


def _live(page: Page, scene: Scene) -> None:
    """In a domain of its own: a new change would take the place of the one that the report is of."""
    rows = [
        {"address": f"{user.partition('@')[0]}@live.example", "username": user, "password": password}
        for user, password in scene.cast.passwords.items()
    ]
    saved = scene.api.preflight.account(actor=ANNA).changes.save("live.example", scene.new_settings, rows)
    page.route("**/report", lambda route: route.fulfill(status=204))  # the reader would be sent on in the middle
    page.goto(f"/admin/changes/chg_{saved.change_id}")
    time.sleep(0.6)


def main(folder: Path, part: str) -> None:
    """Writes them, NAME-LANGUAGE-SCHEME-WIDTH.png."""
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as store,
        playing(Path(store), **_ADDRESSES) as scene,
        scene.working(),
        chromium() as browser,
    ):
        shown = {name: show for name, show in states(scene).items() if part in name}
        for language, scheme, width in product(("en", "ja"), ("light", "dark"), _WIDTHS):
            options = {
                "viewport": {"width": width, "height": 844 if width < 600 else 800},
                "color_scheme": scheme,
                "locale": language,
                "timezone_id": "Europe/Berlin",
                "reduced_motion": "reduce",
            }
            with reader(browser, scene.api, **options) as context:
                page = context.new_page()
                page.on("console", lambda message: print(message.text))  # noqa: T201 -- for whoever runs it
                page.goto("/admin/sign-in")
                name = f"{language}-{scheme}-{width}.png"
                page.screenshot(path=folder / f"sign-in-{name}", full_page=True)
                sign_in(page)
                for state, show in shown.items():
                    page.goto("about:blank")
                    page.unroute_all()  # what a state before this one has held back
                    show(page)
                    page.screenshot(path=folder / f"{state}-{name}", full_page=True)


def for_the_readme() -> None:
    """The top of the report, in both schemes."""
    with tempfile.TemporaryDirectory() as store, playing(Path(store)) as scene, scene.working(), chromium() as browser:
        show = states(scene)["report"]
        for scheme in ("light", "dark"):
            size = {"width": 1280, "height": 800}
            with reader(browser, scene.api, viewport=size, color_scheme=scheme, locale="en") as context:
                page = context.new_page()
                page.goto("/admin/sign-in")
                sign_in(page)
                show(page)
                page.screenshot(path=_README / f"report-{scheme}.png")


if __name__ == "__main__":
    if sys.argv[1:]:
        main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "")
    else:
        for_the_readme()
