"""The page of one domain in a frame of a host app: what it shows, what it tells, and where it refuses to be."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from settings_store.access.roles import Right
from tests.web.api import Api
from tests.web.pages.reading import Reader
from tests.web.pages.scene import DOMAIN, Scene, reader

_HOST_PAGE = """<!doctype html><html lang="en"><title>A CRM</title><h1>A CRM</h1>
<iframe id="frame" title="Mail settings" src="{url}" width="900" height="300"></iframe>
<script>
  const frame = document.getElementById("frame");
  addEventListener("message", (event) => {{
    if (event.origin !== "{origin}" || event.data.type !== "mail-preflight") return;
    frame.height = event.data.height;
    document.title = event.data.state || "told";
    const colours = {{accent: "rgb(1, 2, 3)"}};
    frame.contentWindow.postMessage({{type: "mail-preflight-colours", colours}}, "{origin}");
  }});
</script></html>"""
CRM = "https://crm.example.com"


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Nothing."""


@contextmanager
def host_app(folder: Path) -> Iterator[str]:
    """A host app that serves a folder. Yields its origin."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def registered(api: Api, *origins: str) -> list[str]:
    """What is registered once these were."""
    answer = api.ask("PUT", "/v1/embed-origins", {"origins": origins})
    assert answer.status == 200, answer.text
    return list(answer.body["origins"])


def offered(api: Api, **wanted: Any) -> str:
    """A link to embed the domain."""
    answer = api.ask("POST", "/v1/embed-sessions", {"domain": DOMAIN, **wanted})
    assert answer.status == 201, answer.text
    return str(answer.body["url"])


def test_a_host_app_shows_a_domain_in_its_own_page(browser: Browser, scene: Scene, tmp_path: Path) -> None:
    with host_app(tmp_path) as ours, host_app(tmp_path) as another:
        assert registered(scene.api, ours + "/") == [ours]
        for origin, is_shown in ((ours, True), (another, False)):
            page_text = _HOST_PAGE.format(url=offered(scene.api, name="crm user"), origin=scene.api.url)
            (tmp_path / "index.html").write_text(page_text, "utf-8")
            with reader(browser, scene.api) as context:
                page = context.new_page()
                page.goto(origin)
                inside = page.frame_locator("#frame")
                if not is_shown:
                    page.wait_for_load_state("networkidle")
                    expect(inside.locator(".head")).to_have_count(0)
                    continue
                expect(inside.locator("h1")).to_have_text(DOMAIN)
                expect(inside.locator("header")).to_have_count(0)
                expect(page.locator("#frame")).not_to_have_attribute("height", "300")
                expect(inside.locator("a:not(.button, .skip)").first).to_have_css("color", "rgb(1, 2, 3)")
                inside.locator(".head .button").click()
                inside.locator(".verify button").click()
                expect(page).to_have_title("verifying")
                inside.locator("text=Cancel").click()
                expect(page).to_have_title("draft")


def test_a_link_is_followed_once_and_shows_one_domain_alone(scene: Scene) -> None:
    registered(scene.api, CRM)
    path = offered(scene.api, name="crm user", language="ja").removeprefix(scene.api.url)
    inside = Reader(scene.api)
    shown = inside.get(path)
    assert (shown.status, shown.url, 'lang="ja"' in shown.html) == (200, f"/embedded/domains/{DOMAIN}", True)
    assert f"frame-ancestors {CRM}" in shown.headers["Content-Security-Policy"]
    assert Reader(scene.api).get(path).status == 404, "somebody else follows it, too"
    scene.account.domains.make_known("other.example")
    for elsewhere in ("domains", "domains/other.example", "domains/other.example/settings", "users", "me"):
        assert inside.get(f"/embedded/{elsewhere}").status in (403, 404), elsewhere
    assert inside.get("/admin/domains").url.startswith("/admin/sign-in"), "it is no session outside of the frame"


def test_it_ends_with_the_key_that_asked_for_it(scene: Scene) -> None:
    registered(scene.api, CRM)
    key = scene.api.new_key()
    answer = scene.api.ask("POST", "/v1/embed-sessions", {"domain": DOMAIN}, key=key)
    inside = Reader(scene.api)
    assert inside.get(answer.body["url"].removeprefix(scene.api.url)).status == 200
    scene.account.access.revoke_key(key.split("_")[2])
    assert inside.get(f"/embedded/domains/{DOMAIN}").status == 401


@pytest.mark.parametrize("wanted", [{"role": "super_admin"}, {"domain": "unknown.example"}, {"minutes": 61}])
def test_what_no_link_is_given_for(scene: Scene, wanted: dict[str, Any]) -> None:
    registered(scene.api, CRM)
    assert scene.api.ask("POST", "/v1/embed-sessions", {"domain": DOMAIN, **wanted}).status == 422


def test_a_key_gives_no_more_than_it_has(scene: Scene) -> None:
    reads_only = scene.api.new_key(scopes=[Right.READ])
    assert scene.api.ask("POST", "/v1/embed-sessions", {"domain": DOMAIN}, key=reads_only).status == 403


@pytest.mark.parametrize("origin", ["crm.example", "http://crm.example", "https://a@b.example", "https://a.example/x"])
def test_what_is_no_origin(scene: Scene, origin: str) -> None:
    answer = scene.api.ask("PUT", "/v1/embed-origins", {"origins": [origin]})
    assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, "/origins")
