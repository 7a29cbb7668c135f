"""The sandbox domain of the demo behind a running service, and Debian's Chromium in front of it."""

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from checks.settings import ImapSettings
from cli.demo import prepare, settings_of
from cli.demo.cast import DOMAIN, Cast, make_cast
from cli.demo.sandbox import Sandbox, running_sandbox
from tests.web.api import ANNA, Api, running
from tests.web.pages.reading import PASSWORD, make_user
from worker.service.account import Account

SECONDS = 20_000  # Playwright's milliseconds


@dataclass
class Scene:
    """A service with `DOMAIN`, whose old server's settings are in force. `cast` are its people.

    Nobody works on verifications but within `working`.
    """

    api: Api
    sandbox: Sandbox
    cast: Cast

    @property
    def account(self) -> Account:
        """The use cases of whoever prepared it."""
        return self.api.preflight.account(actor=ANNA)

    def working(self) -> contextlib.AbstractContextManager[None]:
        """Somebody works on verifications meanwhile."""
        return self.api.preflight.processes.working()

    @property
    def new_settings(self) -> ImapSettings:
        """Those of the new server, where some would disconnect. Its certificate is one of nobody's."""
        return settings_of(self.sandbox.new, allow_insecure_certificate=True)


@contextlib.contextmanager
def playing(folder: Path, **config: Any) -> Iterator[Scene]:
    """The scene, with a super admin "anna" who has `PASSWORD`."""
    cast = make_cast()
    with (
        running_sandbox(cast.old_directory(), cast.new_directory()) as sandbox,
        running(folder, allow_networks=None, web_rate_expensive=0, web_rate_sign_in=0, **config) as api,
    ):
        with api.preflight.processes.working():
            prepare(api.preflight.account(actor=ANNA), cast, sandbox.old, folder)
        make_user(api, "anna")
        yield Scene(api, sandbox, cast)


def enter_new_server(page: Page, scene: Scene) -> None:
    """Fills in the form of settings, but for the certificate's option."""
    imap, smtp = scene.new_settings.endpoints
    for name, endpoint in (("imap", imap), ("smtp", smtp)):
        page.fill(f"[name='{name}.host']", endpoint.host)
        page.fill(f"[name='{name}.port']", str(endpoint.port))
        page.select_option(f"[name='{name}.security']", endpoint.security.value)
    if (authority := page.locator("[name='ca_pem']")).is_visible():  # the old server's own
        authority.fill("")


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's. What a page writes to its console is a failure: see `tab`."""
    path = shutil.which("chromium")
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=path, args=["--no-sandbox"]) as it:
        yield it


@contextlib.contextmanager
def reader(browser: Browser, api: Api, **options: Any) -> Iterator[BrowserContext]:
    """A browser of its own for one person."""
    with browser.new_context(base_url=api.url, **options) as context:
        context.set_default_timeout(SECONDS)
        yield context


def sign_in(page: Page, user: str = "anna", password: str = PASSWORD) -> None:
    """By the form."""
    page.goto("/admin/sign-in")
    page.fill("#name", user)
    page.fill("#password", password)
    page.click("main button")
    page.wait_for_url("**/admin/domains")


__all__ = ["DOMAIN", "Scene", "chromium", "enter_new_server", "playing", "reader", "sign_in"]
