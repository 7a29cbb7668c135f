"""Pictures of every state, to be looked at: `python -m tests.web.pages.screenshots FOLDER [PART OF A NAME]`.

In both schemes and languages, at 1280 and 390 pixels.
"""

import io
import json
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import product
from pathlib import Path

from playwright.sync_api import Page

from settings_store import domains, schema
from settings_store.changes.watches import Watch
from tests.web.api import ANNA
from tests.web.pages.scene import DOMAIN, Scene, chromium, playing, reader, sign_in
from worker.service.mailboxes import Form as MailboxForm

_WIDTHS = (1280, 390)
Show = Callable[[Page], object]


def states(scene: Scene) -> Mapping[str, Show]:
    """What is shown, by name, once somebody has signed in."""
    account = scene.api.preflight.account(actor=ANNA)
    saved = account.changes.save(DOMAIN, scene.new_settings)
    for _ in account.runs.follow(saved.run_id):
        pass
    for number in range(60):
        account.domains.make_known(f"{number:02}-customer.example")
    change = f"/admin/changes/chg_{saved.change_id}"
    return {
        "domains": lambda page: page.goto("/admin/domains"),
        "domain": lambda page: page.goto(f"/admin/domains/{DOMAIN}"),
        "new-domain": lambda page: page.goto("/admin/new-domain"),
        "settings": lambda page: page.goto(f"/admin/domains/{DOMAIN}/settings"),
        "settings-of-change": lambda page: page.goto(f"/admin/domains/{DOMAIN}/settings?change=chg_{saved.change_id}"),
        "settings-wrong": _wrong_settings,
        "settings-exchange": _exchange,
        "remove": lambda page: page.goto(f"/admin/domains/{DOMAIN}/remove"),
        "live": _live,
        "change": lambda page: page.goto(change),
        **report_states(scene, saved.change_id),
        "not-found": lambda page: page.goto("/admin/domains/nowhere.example"),
    }


def report_states(scene: Scene, change_id: str) -> Mapping[str, Show]:
    """The pages of a report, of an applied change that is watched, and of a history with a past."""
    account = scene.api.preflight.account(actor=ANNA)
    change = f"/admin/changes/chg_{change_id}"
    plain = replace(scene.new_settings, allow_insecure_certificate=False)
    refused = account.changes.save("refused.example", plain, [{"address": "a@refused.example", "password": "x"}])
    stale = account.changes.save("stale.example", scene.new_settings)
    for run_id in (refused.run_id, stale.run_id):
        for _ in account.runs.follow(run_id):
            pass
    rows = [{"address": f"new{number}@stale.example", "password": "y"} for number in range(3)]
    body = json.dumps({"items": rows}).encode()
    account.mailboxes.import_rows("stale.example", io.BytesIO(body), MailboxForm.JSON)
    watched = account.changes.save("watched.example", scene.new_settings)
    for _ in account.runs.follow(watched.run_id):
        pass
    account.changes.apply(watched.change_id, watch=Watch(1800.0))
    _past(scene, "watched.example")
    return {
        "report": lambda page: page.goto(f"{change}/report"),
        "report-filtered": lambda page: page.goto(f"{change}/report?impact=will_disconnect#mailboxes"),
        "report-refused": lambda page: page.goto(f"/admin/changes/chg_{refused.change_id}/report"),
        "report-stale": lambda page: page.goto(f"/admin/changes/chg_{stale.change_id}/report"),
        "apply": lambda page: page.goto(f"{change}/apply"),
        "apply-wrong": lambda page: _wrong_number(page, change),
        "letters": lambda page: page.goto(f"{change}/letters"),
        "watch": lambda page: page.goto(f"/admin/changes/chg_{watched.change_id}/watch"),
        "history": lambda page: page.goto("/admin/domains/watched.example/history"),
    }


def _wrong_number(page: Page, change: str) -> None:
    page.goto(f"{change}/apply")
    page.fill("#accept", "1")
    page.click(".apply button")
    page.wait_for_selector(".field.wrong")


def _past(scene: Scene, domain: str) -> None:
    """Thirty days of health checks, with a bad one, and with days on which nobody looked."""
    now = scene.api.preflight.database.now()
    with scene.api.preflight.database.begin() as conn:
        domain_id = domains.find_domain(conn, domains.find_account(conn, "default"), domain).id
        for protocol, day in product(("imap", "smtp"), range(28)):
            fail = {3: 40, 4: 288}.get(day, 0) if protocol == "imap" else 0
            ok = 0 if day in (11, 12) else 288 - fail
            row = {"domain_id": domain_id, "protocol": protocol, "hour": int(now // 3600) - 24 * day, "ok": ok}
            row |= {"fail": fail, "inconclusive": day % 3, "ms_sum": ok * (40.0 + 7 * (day % 5)), "ms_max": 140.0}
            conn.execute(schema.health_hours.insert().values(row))


def _wrong_settings(page: Page) -> None:
    page.goto(f"/admin/domains/{DOMAIN}/settings")
    page.fill("[name='imap.host']", "mail server")
    page.fill("[name='smtp.port']", "99999")
    page.click(".verify button")
    page.wait_for_selector(".field.wrong")


def _exchange(page: Page) -> None:
    page.goto(f"/admin/domains/{DOMAIN}/settings")
    page.check("[name='kind'][value='exchange']")


def _live(page: Page) -> None:
    page.goto(f"/admin/domains/{DOMAIN}/settings")
    page.click(".verify button")
    page.wait_for_url("**/admin/changes/**")
    time.sleep(1.2)


def main(folder: Path, part: str) -> None:
    """Writes them, NAME-LANGUAGE-SCHEME-WIDTH.png."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as store, playing(Path(store)) as scene, chromium() as browser:
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
                    show(page)
                    page.screenshot(path=folder / f"{state}-{name}", full_page=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "")
