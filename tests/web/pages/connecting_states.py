"""Pending entries, proposals, connecting, connection IPs and approval, to be looked at: see `screenshots`."""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import replace

from playwright.sync_api import Page

from checks.codes import Code, Verdict
from checks.model import Admission, Endpoint, EndpointResult, Outcome, Protocol
from checks.serialize import dump_endpoint_result
from checks.settings import ImapSettings, Settings
from settings_store.runs import endpoints, runs
from tests.settings_store.in_force import exchange_settings, put_in_force
from tests.web.api import ANNA
from tests.web.pages.scene import DOMAIN, Scene
from tests.web.planted_changes import SETTINGS, Box, plant

Show = Callable[[Page], object]
_GOOGLE = ImapSettings(Endpoint(Protocol.IMAP, "imap.gmail.com", 993), Endpoint(Protocol.SMTP, "smtp.gmail.com", 465))
_numbers = itertools.count()
_CLOSED = ImapSettings(Endpoint(Protocol.IMAP, "127.0.0.1", 1), Endpoint(Protocol.SMTP, "127.0.0.1", 1))


def connecting_states(scene: Scene) -> Mapping[str, Show]:
    """The pages, of a service that has static addresses."""
    connecting = scene.api.preflight.connecting(scene.account.events.account_id, actor=ANNA, member_of=None)
    login = {"address": "ada@waiting.example", "password": "x"}
    connecting.connect("waiting.example", login, SETTINGS)
    connecting.connect("another-waiting.example", {"address": "bela@another-waiting.example", "password": "x"})
    in_force: Mapping[str, Settings] = {
        "goog.example": _GOOGLE,
        "office.example": exchange_settings(),
        "closed.example": _CLOSED,
    }
    with scene.api.preflight.database.begin() as conn:
        for name, settings in in_force.items():
            put_in_force(conn, name, settings)
        put_in_force(conn, "static.example", replace(SETTINGS, static_addresses=True))
    waits = plant(scene.api, "awaiting", (Box("works@x"),))
    met = (
        Admission("203.0.113.8", Outcome.ADMITTED),
        Admission("203.0.113.9", Outcome.DROPPED, seen="nothing came within 5 s"),
        Admission("198.51.100.1", Outcome.ADMITTED, shared=True),
    )
    with scene.api.preflight.database.begin() as conn:
        run = runs.of_change(conn, waits.id)
        assert run is not None
        found = EndpointResult(SETTINGS.imap, Verdict.OK, Code.OK, admissions=met)
        endpoints.save_again(conn, run.id, runs.CANDIDATE, Protocol.IMAP, dump_endpoint_result(found))
    (entry,) = scene.account.pending.page(1, domain="waiting.example")
    return {
        "pending": lambda page: page.goto("/admin/domains"),
        "pending-settings": lambda page: page.goto(f"/admin/domains/waiting.example/settings?pending=con_{entry.id}"),
        "find-empty": lambda page: page.goto("/admin/domains/waiting.example/find"),
        "find-proposals": _proposals,
        "connect-imap": lambda page: page.goto(f"/admin/domains/{DOMAIN}/connect"),
        "connect-hint": lambda page: page.goto("/admin/domains/goog.example/connect"),
        "connect-exchange": lambda page: page.goto("/admin/domains/office.example/connect"),
        "connect-typed": _typed,
        "connect-failed": lambda page: _connect(page, DOMAIN),
        "connect-cannot-tell": lambda page: _connect(page, "closed.example"),
        "connect-pending": lambda page: _connect(page, "another-waiting.example"),
        "connection-ips": lambda page: page.goto("/admin/connection-ips"),
        "connection-ips-request": lambda page: page.goto("/admin/domains/static.example/firewall"),
        "settings-static": lambda page: page.goto("/admin/domains/static.example/settings"),
        "report-approval": lambda page: page.goto(f"/admin/changes/chg_{waits.id}/report"),
        "domain-approval": lambda page: page.goto(f"/admin/domains/{waits.domain}"),
    }


def _proposals(page: Page) -> None:
    """In a sandbox's stead: what is typed is checked, and nobody else is there to be asked."""
    page.goto("/admin/domains/waiting.example/find")
    page.click("main form button")
    page.wait_for_selector("details.card", timeout=40_000)


def _typed(page: Page) -> None:
    page.goto("/admin/domains/another-waiting.example/connect")
    page.check("[name='kind'][value='imap']")


def _connect(page: Page, domain: str) -> None:
    page.goto(f"/admin/domains/{domain}/connect")
    page.fill("#address", f"cem{next(_numbers)}@{domain}")  # of whom too much was rejected nothing is tried
    page.fill("#password", "not it")
    page.click("form.connect button")
    page.wait_for_selector("#result")
