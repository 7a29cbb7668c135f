"""The pages of a report, of a watch and of a history, to be looked at: see `screenshots`."""

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import product

from playwright.sync_api import Page

from settings_store import domains, schema
from settings_store.changes.watches import Watch
from tests.web.api import ANNA
from tests.web.pages.scene import Scene
from worker.service.mailboxes import Form as MailboxForm

Show = Callable[[Page], object]


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
