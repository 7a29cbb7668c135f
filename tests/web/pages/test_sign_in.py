"""Signing in and out: with the first link, with a password, as nobody, and from another site."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.web.api import ANNA, SECONDS, Api, running
from tests.web.pages.reading import PASSWORD, Reader, make_user

_ELSEWHERE = ("none", "cross-site", "same-site")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with running(tmp_path_factory.mktemp("sign_in"), web_rate_sign_in=8) as api:
        yield api


def test_the_first_link_makes_the_first_user_once(service: Api) -> None:
    link = service.preflight.sign_in.first_link()
    assert link is not None
    reader = Reader(service)
    assert "Set your password" in reader.get(f"/admin/set-up/{link}").text
    short = reader.send(f"/admin/set-up/{link}", {"name": "berta", "password": "short", "again": "short"})
    assert (short.status, "12 characters or more" in short.text) == (422, True)
    done = reader.send(f"/admin/set-up/{link}", {"name": "berta", "password": PASSWORD, "again": PASSWORD})
    assert (done.status, done.url) == (200, "/admin/domains")
    assert "your password is set" in done.text.lower()
    assert Reader(service).get(f"/admin/set-up/{link}").status == 404
    assert service.preflight.sign_in.first_link() is None


def test_who_is_not_signed_in_is_asked_to_and_then_gets_what_they_wanted(service: Api) -> None:
    reader = Reader(service)
    asked = reader.get("/admin/domains?text=exam")
    assert asked.url == "/admin/sign-in?next=%2Fadmin%2Fdomains%3Ftext%3Dexam"
    reader.sign_in("carla")
    assert reader.get("/admin/sign-in?next=/admin/domains%3Ftext%3Dexam").url == "/admin/domains?text=exam"
    assert reader.get("/admin/sign-in?next=https://evil.example/").url == "/admin/domains"
    assert reader.send("/admin/sign-out").url == "/admin/sign-in"
    assert reader.get("/admin/domains").url.startswith("/admin/sign-in")


def test_a_wrong_password_and_an_unknown_name_are_told_alike_and_slowly(service: Api) -> None:
    Reader(service).sign_in("dora")
    answers = {
        Reader(service).send("/admin/sign-in", {"name": name, "password": "not the right one"}).text.replace(name, "")
        for name in ("dora", "nobody")
    }
    assert len(answers) == 1
    for _ in range(8):
        Reader(service).send("/admin/sign-in", {"name": "dora", "password": "another wrong one"})
    late = Reader(service).send("/admin/sign-in", {"name": "dora", "password": PASSWORD})
    assert late.status == 422, "after so many attempts, the right one is not even tried"
    assert late.text.replace("dora", "") in answers, "and that is not told either"


class _From(requests.adapters.HTTPAdapter):
    """Connections from another address of this machine."""

    def __init__(self, address: str) -> None:
        self._address = address
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options, source_address=(self._address, 0))


def test_an_address_that_guesses_keeps_nobody_else_out(tmp_path: Path) -> None:
    """Given far more attempts of one address than all addresses have, then the user signs in from another one."""
    with running(tmp_path, web_rate_sign_in=2) as service:
        Reader(service).sign_in("emma")
        guesser = Reader(service)
        guesser.session.mount("http://", _From("127.0.0.9"))

        def guess(number: int) -> int:
            return guesser.send("/admin/sign-in", {"name": "emma", "password": f"a wrong one {number}"}).status

        with ThreadPoolExecutor(8) as pool:
            assert set(pool.map(guess, range(24))) == {422}
        assert Reader(service).send("/admin/sign-in", {"name": "emma", "password": PASSWORD}).status == 200


def test_a_link_from_elsewhere_fills_in_no_settings(tmp_path: Path) -> None:
    link = "/admin/domains/linked.example/settings?imap.host=mail.evil.example"
    with running(tmp_path) as service:
        service.preflight.account(actor=ANNA).domains.make_known("linked.example")
        reader = Reader(service).sign_in("fiona")
        shown = [reader.get(link, **how) for how in ({}, *({"Sec-Fetch-Site": site} for site in _ELSEWHERE))]
        assert [page.status for page in shown] == [200] * 4
        assert not any("mail.evil.example" in page.html for page in shown)
        assert "mail.evil.example" in reader.get(link, **{"Sec-Fetch-Site": "same-origin"}).html


def test_nothing_is_done_for_another_site(service: Api) -> None:
    reader = Reader(service)
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}):
        assert reader.send("/admin/preferences", {"language": "ja"}, **headers).status == 403
    foreign = reader.session.post(service.url + "/admin/preferences", headers={"Origin": "http://evil.example"})
    unnamed = reader.session.post(service.url + "/admin/preferences")
    assert (foreign.status_code, unnamed.status_code) == (403, 403)
    assert reader.send("/admin/preferences", {"language": "ja"}).status == 200
    assert "サインイン" in reader.get("/admin/sign-in").text


def test_what_every_page_tells_the_browser(service: Api) -> None:
    headers = Reader(service).get("/admin/sign-in").headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-store"


def test_by_plain_http_from_elsewhere_no_password_is_asked_for(service: Api) -> None:
    """Its proxy is none that we trust: what the browser speaks, nobody knows."""
    shown = Reader(service).get("/admin/sign-in", Host="preflight.example.com")
    assert "unencrypted" in shown.text
    assert 'type="password"' not in shown.html


def test_behind_a_proxy_with_tls_the_cookies_go_by_tls_alone(tmp_path: Path) -> None:
    by_tls = {"X-Forwarded-Proto": "https", "Host": "preflight.example.com", "X-Forwarded-For": "192.0.2.7"}
    with running(tmp_path, web_trusted_proxies=(ip_network("127.0.0.0/8"),)) as api:
        make_user(api, "anna")
        api.preflight.account(actor=ANNA).domains.make_known("a.example")
        fields = {"name": "anna", "password": PASSWORD}
        headers = {"Sec-Fetch-Site": "same-origin", **by_tls}
        asked = partial(requests.request, allow_redirects=False, timeout=SECONDS)
        answer = asked("POST", f"{api.url}/admin/sign-in", data=fields, headers=headers)
        name, *attributes = answer.headers["Set-Cookie"].split("; ")
        assert name.startswith("__Host-mail-preflight=")
        assert {"Secure", "HttpOnly", "SameSite=lax", "Path=/"} <= set(attributes)

        api.ask("PUT", "/v1/embed-origins", {"origins": ["https://crm.example.com"]})
        url = api.ask("POST", "/v1/embed-sessions", {"domain": "a.example"}, headers=by_tls).body["url"]
        assert url.startswith("https://preflight.example.com/embedded/open/")
        path = url.removeprefix("https://preflight.example.com")
        answer = asked("GET", api.url + path, headers=by_tls)
        name, *attributes = answer.headers["Set-Cookie"].split("; ")
        assert name.startswith("__Host-mail-preflight-embedded=")
        assert {"Secure", "HttpOnly", "SameSite=none", "Path=/", "Partitioned"} <= set(attributes)
