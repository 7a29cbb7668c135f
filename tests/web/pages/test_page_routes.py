"""Who may see and do what on the page: every route, by hand. A route without a line fails, and a line without a route.

To add a route, add its line to `TABLE`; a failing test prints it.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from settings_store.access.roles import RIGHTS, Right, Role
from tests.web.api import ANNA, Api, running
from tests.web.pages.reading import Reader
from web.events.hub import Hub
from web.limits.rates import Rates
from web.pages.app import make_pages
from web.pages.frame.page import ROOMS
from web.pages.frame.routing import PageNeeds

TABLE = """
GET  /admin/sign-in                          public
POST /admin/sign-in                          public
POST /admin/sign-out                         any
GET  /admin/start                            any
GET  /admin/set-up/{secret}                  public
POST /admin/set-up/{secret}                  public
GET  /admin/open/{secret}                    public
POST /admin/preferences                      public
GET  /admin/domains                          read
GET  /admin/new-domain                       change
POST /admin/new-domain                       change
GET  /admin/domains/{domain}                 read
POST /admin/domains/{domain}/pause           change
POST /admin/domains/{domain}/resume          change
GET  /admin/domains/{domain}/remove          admin
POST /admin/domains/{domain}/remove          admin
GET  /admin/domains/{domain}/settings        change
POST /admin/domains/{domain}/settings        change
GET  /admin/domains/{domain}/find            change
POST /admin/domains/{domain}/find            change
POST /admin/domains/{domain}/find/take       change
POST /admin/domains/{domain}/pending/{pending_id}/dismiss change
POST /admin/domains/{domain}/approval        admin
GET  /admin/domains/{domain}/connect         connect
POST /admin/domains/{domain}/connect         connect
GET  /admin/connection-ips                   read
GET  /admin/domains/{domain}/firewall        read
GET  /admin/domains/{domain}/mailboxes       read
POST /admin/domains/{domain}/mailboxes       credentials
POST /admin/domains/{domain}/mailboxes/remove credentials
POST /admin/domains/{domain}/mailboxes/retry credentials
GET  /admin/changes/{change_id}              read
GET  /admin/changes/{change_id}/events       read
POST /admin/changes/{change_id}/cancel       change
POST /admin/changes/{change_id}/verify       change
POST /admin/changes/{change_id}/resume       change
GET  /admin/changes/{change_id}/report       read
GET  /admin/changes/{change_id}/report.json  read
GET  /admin/changes/{change_id}/report/mailboxes.csv read
GET  /admin/changes/{change_id}/letters      read
GET  /admin/changes/{change_id}/apply        apply
POST /admin/changes/{change_id}/apply        apply
GET  /admin/changes/{change_id}/watch        read
POST /admin/changes/{change_id}/approve      apply
POST /admin/changes/{change_id}/roll-back    apply
POST /admin/changes/{change_id}/repair       change
POST /admin/changes/{change_id}/discard      change
POST /admin/changes/{change_id}/reopen       change
GET  /admin/domains/{domain}/history         read
GET  /admin/alerts                           admin
POST /admin/alerts                           admin
POST /admin/alerts/{channel_id}/test         admin
POST /admin/alerts/{channel_id}/remove       admin
GET  /admin/maintenance                      read
POST /admin/maintenance                      change
POST /admin/maintenance/{maintenance_id}/end change
GET  /admin/webhooks                         admin
POST /admin/webhooks                         admin
GET  /admin/webhooks/{endpoint_id}           admin
POST /admin/webhooks/{endpoint_id}/test      admin
POST /admin/webhooks/{endpoint_id}/rotate    admin
POST /admin/webhooks/{endpoint_id}/enabled   admin
POST /admin/webhooks/{endpoint_id}/change    admin
POST /admin/webhooks/{endpoint_id}/redeliver admin
POST /admin/webhooks/{endpoint_id}/remove    admin
POST /admin/webhooks/{endpoint_id}/deliveries/{delivery_id}/redeliver admin
GET  /admin/api-keys                         admin
POST /admin/api-keys                         admin
POST /admin/api-keys/{key_id}/revoke         admin
POST /admin/embed-origins                    admin
GET  /admin/users                            admin
POST /admin/users                            admin
POST /admin/users/{user_id}/link             admin
POST /admin/users/{user_id}/role             admin
POST /admin/users/{user_id}/remove           admin
GET  /admin/audit                            admin
GET  /admin/me                               any
POST /admin/me/password                      any
POST /admin/sessions/{session_id}/end        any
"""
"""Method, path and right: `public` is for everybody, `any` for whoever has signed in."""

Row = tuple[str, str, str]
ROWS: list[Row] = [tuple(line.split()) for line in TABLE.strip().splitlines()]  # type: ignore[misc] # three words each
IDS = [f"{row[0]} {row[1]}" for row in ROWS]
DOMAIN = "routes.example"


class House:
    """The service, and a reader of each role of the page."""

    def __init__(self, api: Api) -> None:
        self.api, self.stranger = api, Reader(api)
        theirs = api.preflight.account(actor=ANNA)
        theirs.domains.make_known(DOMAIN)
        self.readers = {
            role: Reader(api).sign_in(role.value, role.value, DOMAIN if role is Role.MEMBER else None)
            for role in (Role.SUPER_ADMIN, Role.ACCOUNT_ACCESS, Role.MEMBER)
        }

    def ask(self, row: Row, reader: Reader, **headers: str) -> tuple[int, str]:
        """Status and address of what is answered, where the path names what is not there."""
        path = row[1].replace("{domain}", DOMAIN)
        for name in (
            "secret",
            "change_id",
            "pending_id",
            "channel_id",
            "maintenance_id",
            "endpoint_id",
            "delivery_id",
            "key_id",
        ):
            path = path.replace(f"{{{name}}}", "none")
        path = path.replace("{user_id}", "none").replace("{session_id}", "none")
        shown = reader.get(path) if row[0] == "GET" else reader.send(path, {}, **headers)
        return shown.status, shown.url


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    rates: dict[str, Any] = dict.fromkeys(
        ("web_rate_read", "web_rate_write", "web_rate_expensive", "web_rate_sign_in"), 0
    )
    with running(tmp_path_factory.mktemp("routes"), **rates) as api:
        yield House(api)


def test_the_table_has_every_route_with_its_right(house: House) -> None:
    preflight = house.api.preflight
    pages = make_pages(preflight, Rates(preflight.config), Hub(preflight))
    there = {(method, route.path): _right(route.needs) for route, method in _routes(pages.routes)}
    assert {(method, path): right for method, path, right in ROWS} == there


def test_every_page_that_takes_a_right_is_in_one_room_of_the_navigation() -> None:
    for _, path, right in ROWS:
        if right in set(Right):
            assert len([room for room in ROOMS if room.has(path)]) == 1, path


@pytest.mark.parametrize("row", [row for row in ROWS if row[2] != "public"], ids=lambda row: " ".join(row[:2]))
def test_who_is_not_signed_in_gets_the_form_to_do_it(house: House, row: Row) -> None:
    assert house.ask(row, house.stranger)[1].startswith("/admin/sign-in")


@pytest.mark.parametrize("row", [row for row in ROWS if row[2] in set(Right)], ids=lambda row: " ".join(row[:2]))
def test_each_role(house: House, row: Row) -> None:
    """Whoever has the right is not refused: what is answered depends on what was sent, and nothing was."""
    for role, reader in house.readers.items():
        status, _ = house.ask(row, reader)
        assert (status == 403) is (Right(row[2]) not in RIGHTS[role]), (role, status)
        assert status < 500


@pytest.mark.parametrize("row", [row for row in ROWS if row[0] == "POST"], ids=lambda row: " ".join(row[:2]))
def test_nothing_is_done_that_another_site_asks_for(house: House, row: Row) -> None:
    reader = house.readers[Role.SUPER_ADMIN]
    assert house.ask(row, reader, **{"Sec-Fetch-Site": "cross-site"})[0] == 403
    assert reader.get("/admin/me").status == 200, "nobody was signed out"


def _routes(routes: Any) -> Iterator[tuple[Any, str]]:
    for route in routes:
        inner = getattr(route, "original_router", route)  # what FastAPI keeps of a router that was included
        if hasattr(inner, "routes"):
            yield from _routes(inner.routes)
        elif hasattr(route, "needs"):
            yield from ((route, method) for method in route.methods)


def _right(needs: PageNeeds) -> str:
    return "public" if needs.public else needs.right.value if needs.right else "any"
