"""Chromium in front of the page: what it is sent, and what is on its screen when."""

import contextlib
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, sync_playwright
from playwright.sync_api import TimeoutError as TooLate

from bench.plan import Void
from settings_store.access.passwords import SHORTEST
from worker.service.access.sign_in import Browser as Who
from worker.service.preflight import Preflight

_USER, _PASSWORD = "bench", "x" * SHORTEST
_PATIENCE, _REST = 30_000.0, 1_000.0  # Playwright's milliseconds
_SCRIPT = (Path(__file__).parent / "page_watch.js").read_text("utf-8")


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's. Raises `Void` where there is none."""
    path = shutil.which("chromium")
    if path is None:
        raise Void("Chromium is not installed (run scripts/install-test-servers.sh)")
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=path, args=["--no-sandbox"]) as it:
        yield it


def make_user(preflight: Preflight) -> None:
    """The one who signs in. Raises `Void` where somebody can already."""
    link = preflight.sign_in.first_link()
    if link is None:
        raise Void("somebody can sign in already")
    preflight.sign_in.set_up(link, _USER, _PASSWORD, Who("127.0.0.1"))


@contextlib.contextmanager
def signed_in(browser: Browser, address: str) -> Iterator[Page]:
    """A tab of the user, at the list of domains. `page_watch.js` runs in each of its pages."""
    with browser.new_context(base_url=address) as context:
        context.set_default_timeout(_PATIENCE)
        context.add_init_script(_SCRIPT)
        page = context.new_page()
        page.goto("/admin/sign-in")
        page.fill("#name", _USER)
        page.fill("#password", _PASSWORD)
        page.click("main button")
        page.wait_for_url("**/admin/domains")
        yield page


def transferred(page: Page, path: str) -> tuple[int, int]:
    """Bytes that a page takes with an empty cache, heads and compression as they are sent; the number of requests."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    sizes: list[float] = []
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    page.goto(path, wait_until="networkidle")
    session.detach()
    return int(sum(sizes)), len(sizes)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was on the screen first, so many seconds after *Verify* was pressed: that of the endpoint with a number."""

    seconds: float
    server: int
    change_id: str


def first_verdict(page: Page, domain: str) -> Verdict:
    """Presses *Verify*, with the settings as they are. The run may go on afterwards; the next one takes its place."""
    page.goto(f"/admin/domains/{domain}/settings")
    page.evaluate("sessionStorage.removeItem('verdict')")
    page.click(".verify button")
    page.wait_for_selector(".server-check .state:is(.good, .bad, .warn)")
    found = _evaluated(page, "JSON.parse(sessionStorage.getItem('verdict'))")
    change_id = urlsplit(page.url).path.split("/changes/chg_")[1].split("/")[0]
    with contextlib.suppress(TooLate):
        page.wait_for_url("**/report", timeout=_REST)
    return Verdict(found["seconds"], found["server"], change_id)


def painted(page: Page) -> float:
    """Seconds from the beginning of the navigation to the first paint of what the tab shows (W3C Paint Timing)."""
    entry = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
    return float(_evaluated(page, entry)) / 1000


def _evaluated(page: Page, expression: str) -> Any:
    """Its value once there is one. The page's policy lets nobody wait for it within the page."""
    until = time.monotonic() + _PATIENCE / 1000
    while time.monotonic() < until:
        found = page.evaluate(expression)
        if found is not None:
            return found
        time.sleep(0.02)
    raise Void("the page does not show what is measured")
