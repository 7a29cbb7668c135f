"""Who may do what: every route, by hand. A route without a line fails, and a line without a route.

To add a route, add its line to `TABLE`. A failing test prints the line. What a path names for the first time, such as
`{endpoint_id}`, is made by a line in `MAKE`.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from checks.model import Endpoint, Protocol
from checks.settings import ImapSettings
from settings_store import schema
from settings_store.access.api_keys import KeyRequest
from settings_store.access.roles import Role
from settings_store.alerts.channels import Subscription
from tests.web.api import ANNA, SECONDS, Api, running
from web.access.authentication import PUBLIC, PUBLIC_BELOW
from web.access.granted import Needs
from web.app import make_app
from worker.service.account import Account
from worker.service.domains.connecting import Connecting
from worker.service.webhooks import EndpointRequest

SETTINGS = ImapSettings(
    Endpoint(Protocol.IMAP, "mail.example.com", 993), Endpoint(Protocol.SMTP, "mail.example.com", 465)
)
CHANNEL = "json://127.0.0.1:1/"
TABLE = """
GET     /v1/openapi.json                        public       -
GET     /v1/me                                  any          -
POST    /v1/domains/{domain}/changes            change       makes
GET     /v1/changes/{change_id}                 read         404
POST    /v1/api-keys                            admin        -
GET     /v1/api-keys                            admin        -
GET     /v1/api-keys/{key_id}                   admin        404
DELETE  /v1/api-keys/{key_id}                   admin        404
POST    /v1/users                               admin        -
GET     /v1/users                               admin        -
GET     /v1/users/{user_id}                     admin        404
PUT     /v1/users/{user_id}/role                admin        404
DELETE  /v1/users/{user_id}                     admin        404
GET     /v1/audit                               admin        -
GET     /v1/operators/audit                     operate      -
POST    /v1/accounts                            operate      -
GET     /v1/accounts                            operate      -
DELETE  /v1/accounts/{account}                  operate      -
GET     /v1/alert-channels                      admin        -
POST    /v1/alert-channels                      admin        -
GET     /v1/alert-channels/{channel_id}         admin        404
DELETE  /v1/alert-channels/{channel_id}         admin        404
POST    /v1/alert-channels/{channel_id}/test    admin        404
POST    /v1/changes/{change_id}/verify          change       404
POST    /v1/changes/{change_id}/resume          change       404
POST    /v1/changes/{change_id}/cancel          change       404
POST    /v1/changes/{change_id}/discard         change       404
POST    /v1/changes/{change_id}/reopen          change       404
POST    /v1/changes/{change_id}/roll_back       apply        404
POST    /v1/changes/{change_id}/apply           apply        404
GET     /v1/changes/{change_id}/history         read         404
GET     /v1/domains/{domain}/changes            read         404
POST    /v1/checks                              change       -
POST    /v1/discoveries                         change       -
GET     /v1/codes                               public       -
GET     /v1/connection-ips                      read         -
GET     /v1/domains/{domain}/firewall-request   read         404
GET     /v1/domains                             read         -
GET     /v1/domains/{domain}                    read         404
PUT     /v1/domains/{domain}                    change       makes
DELETE  /v1/domains/{domain}                    admin        404
POST    /v1/domains/{domain}/pause              change       404
POST    /v1/domains/{domain}/resume             change       404
GET     /v1/events/stream                       read         -
GET     /v1/changes/{change_id}/events          read         404
GET     /v1/events                              read         -
GET     /v1/domains/{domain}/health             read         404
GET     /v1/health                              read         -
GET     /v1/incidents                           read         -
GET     /v1/incidents/{incident_id}             read         404
PUT     /v1/domains/{domain}/mailboxes          credentials  makes
GET     /v1/domains/{domain}/mailboxes          read         404
POST    /v1/domains/{domain}/mailboxes/remove   credentials  404
POST    /v1/domains/{domain}/mailboxes/retry    credentials  404
GET     /v1/domains/{domain}/mailboxes/{address:path} read         404
DELETE  /v1/domains/{domain}/mailboxes/{address:path} credentials  404
GET     /v1/maintenance                         read         -
POST    /v1/maintenance                         change       -
GET     /v1/maintenance/{maintenance_id}        read         404
DELETE  /v1/maintenance/{maintenance_id}        change       404
GET     /healthz                                public       -
GET     /readyz                                 public       -
GET     /problems/{code}                        public       -
GET     /v1/changes/{change_id}/report          read         404
GET     /v1/changes/{change_id}/report/mailboxes read         404
GET     /v1/changes/{change_id}/letters         read         404
POST    /v1/webhook-endpoints                   admin        -
GET     /v1/webhook-endpoints                   admin        -
GET     /v1/webhook-endpoints/{endpoint_id}     admin        404
PATCH   /v1/webhook-endpoints/{endpoint_id}     admin        404
DELETE  /v1/webhook-endpoints/{endpoint_id}     admin        404
POST    /v1/webhook-endpoints/{endpoint_id}/rotate admin        404
POST    /v1/webhook-endpoints/{endpoint_id}/test admin        404
GET     /v1/webhook-endpoints/{endpoint_id}/deliveries admin        404
GET     /v1/webhook-endpoints/{endpoint_id}/deliveries/{delivery_id} admin        404
POST    /v1/webhook-endpoints/{endpoint_id}/deliveries/{delivery_id}/redeliver admin        404
POST    /v1/webhook-endpoints/{endpoint_id}/redeliver admin        404
PUT     /v1/domains/{domain}/approval           admin        404
POST    /v1/changes/{change_id}/approve         apply        404
GET     /v1/domains/{domain}/prefill            connect      makes
POST    /v1/domains/{domain}/connections        connect      makes
GET     /v1/connections/{connection_id}         connect      404
GET     /v1/pending-entries                     read         -
GET     /v1/pending-entries/{pending_id}        read         404
POST    /v1/pending-entries/{pending_id}/complete change       404
DELETE  /v1/pending-entries/{pending_id}        change       404
GET     /v1/test/clock                          read         -
POST    /v1/test/clock                          change       -
POST    /v1/embed-sessions                      read         -
GET     /v1/embed-origins                       admin        -
PUT     /v1/embed-origins                       admin        -
"""
"""Method, path, right, and the answer where the path names what is another account's.

Rights: `public` needs no key, `any` needs one. Answers: 404; `makes`, for the caller's own gets what is named; `-`
where the path names nothing of an account.
"""

SANDBOX = "/v1/test/"
"""Paths for test keys, whose sandbox is nobody's but their account's."""

HOLDS = {
    "any": "super_admin account_access member host_app operator",
    "read": "super_admin account_access host_app",
    "change": "super_admin account_access host_app",
    "apply": "super_admin account_access host_app",
    "credentials": "super_admin account_access host_app",
    "connect": "super_admin account_access host_app member",
    "admin": "super_admin host_app",
    "operate": "operator",
}
"""Which roles have a right. Whoever is not named gets 403."""

MAKE: dict[str, Callable[[Account, int], str]] = {
    "domain": lambda account, number: _domain(account, number),
    "change_id": lambda account, number: f"chg_{account.changes.save(f'c{number}.example', SETTINGS).change_id}",
    "key_id": lambda account, number: f"key_{_key(account, number)}",
    "user_id": lambda account, number: f"usr_{account.access.add_user(f'u{number}', Role.HOST_APP).id}",
    "account": lambda _, number: f"unknown-{number}",
    "address:path": lambda _, number: f"a{number}@example.com",
    "channel_id": lambda account, number: f"alc_{account.alerts.add(f'c{number}', CHANNEL, Subscription()).channel.id}",
    "code": lambda _account, _number: "not-found",
    "endpoint_id": lambda account, _: f"whe_{account.webhooks.add(EndpointRequest('http://127.0.0.1:1/')).endpoint.id}",
    "delivery_id": lambda _, number: f"whd_{number:032x}",
    "connection_id": lambda account, number: f"con_{_pending(account, number)}",
    "pending_id": lambda account, number: f"con_{_pending(account, number)}",
    "incident_id": lambda _, number: f"inc_{number:032x}",
    "maintenance_id": lambda account, number: f"mnt_{_maintenance(account, number)}",
}
"""How what a path names is made in an account; `number` is another one at each call."""

Row = tuple[str, str, str, str]
ROWS: list[Row] = [tuple(line.split()) for line in TABLE.strip().splitlines()]  # type: ignore[misc] # four words each
BODIES: dict[tuple[str, str], Any] = {
    ("PUT", "/v1/users/{user_id}/role"): {"role": "account_access"},
    ("PATCH", "/v1/webhook-endpoints/{endpoint_id}"): {"description": "another"},
    ("POST", "/v1/webhook-endpoints/{endpoint_id}/redeliver"): {"since": "2026-01-01T00:00:00Z"},
    ("PUT", "/v1/domains/{domain}/approval"): {"needed": False},
    ("POST", "/v1/domains/{domain}/connections"): {"address": "a@other.example", "password": "x"},
    ("POST", "/v1/domains/{domain}/mailboxes/remove"): {"addresses": ["a@example.com"]},
}
"""Bodies where without one it is not looked for what the path names."""
IDS = [f"{row[0]} {row[1]}" for row in ROWS]


NOT_MADE = ("account", "address:path", "delivery_id", "incident_id")
"""What a path names that is not there for anybody."""


def _domain(account: Account, number: int) -> str:
    account.changes.save(f"d{number}.example", SETTINGS)
    return f"d{number}.example"


def _pending(account: Account, number: int) -> str:
    """Somebody who waits in a domain without settings, and has typed none."""
    login = {"address": f"ada@p{number}.example", "password": "not tried"}
    return Connecting(account.pending._to, None).connect(f"p{number}.example", login).attempt.id  # noqa: SLF001


def _key(account: Account, number: int) -> str:
    return account.access.create_key(KeyRequest(f"k{number}"))[0].id


def _maintenance(account: Account, number: int) -> int:
    begin = time.time() + 3600 * number
    return account.maintenance.announce(None, begin, begin + 60).id


def routes(found: Any) -> Iterator[tuple[str, str, Any]]:
    """Method, path and route of everything that an app answers to, nested or not."""
    for route in found.routes:
        inner = getattr(route, "original_router", route)  # what FastAPI keeps of a router that was included
        if hasattr(inner, "routes"):
            yield from routes(inner)
        else:
            methods = getattr(route, "methods", None) or {"ALL"}
            yield from ((method, route.path, route) for method in sorted(set(methods) - {"HEAD", "OPTIONS"}))


class House:
    """The API with two accounts, and a key of each role in one of them."""

    def __init__(self, api: Api) -> None:
        self.api, self._number = api, 0
        api.preflight.add_account("theirs", ANNA)
        self.keys = {role.value: api.new_key(role=role) for role in Role}
        self.test_keys = {role.value: api.new_key(role=role, live=False) for role in Role if role is not Role.OPERATOR}
        self.expired = api.new_key(name="expired")
        with api.preflight.database.begin() as conn:
            mine = schema.api_keys.c.name == "expired"
            conn.execute(schema.api_keys.update().where(mine).values(expires_at=1.0))

    def key(self, row: Row, role: str) -> str:
        """Of the kind that the path is for."""
        return self.test_keys[role] if row[1].startswith(SANDBOX) else self.keys[role]

    def status(self, row: Row, key: str | None, account: str = "default") -> int:
        """What is answered where the path names what is there in an account. The body of a stream is not waited for."""
        method, path, _, _ = row
        headers = {"If-Match": f'"{0:064x}"'} | ({"Authorization": f"Bearer {key}"} if key else {})
        url = self.api.url + self._named(path, account)
        with requests.request(
            method, url, headers=headers, json=BODIES.get((method, path)), timeout=SECONDS, stream=True
        ) as answer:
            return answer.status_code

    def _named(self, path: str, account: str) -> str:
        found = self.api.preflight.account(account, actor=ANNA)
        for name, make in MAKE.items():
            if f"{{{name}}}" in path:
                self._number += 1
                path = path.replace(f"{{{name}}}", make(found, self._number))
        return path


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    rates: dict[str, Any] = dict.fromkeys(
        ("web_rate_failures", "web_rate_read", "web_rate_write", "web_rate_expensive"), 0
    )
    with running(tmp_path_factory.mktemp("routes"), **rates) as api:
        yield House(api)


def test_every_route_has_a_line(house: House) -> None:
    known = {(method, path) for method, path, _, _ in ROWS}
    missing = [
        f"{method:7} {path:39} {_right(route):12} {'404' if '{' in path else '-'}"
        for method, path, route in routes(make_app(house.api.preflight))
        if (method, path) not in known
    ]
    assert not missing, "add to TABLE in tests/web/test_routes.py:\n" + "\n".join(missing)


def test_every_line_has_a_route_and_the_right_that_it_asks_for(house: House) -> None:
    there = {(method, path): _right(route) for method, path, route in routes(make_app(house.api.preflight))}
    assert len(ROWS) == len({row[:2] for row in ROWS}), "a route has two lines"
    assert {(method, path): right for method, path, right, _ in ROWS} == there


def test_what_a_path_names_can_be_made() -> None:
    names = {part[1:-1] for row in ROWS for part in row[1].split("/") if part.startswith("{")}
    missing = [f'    "{name}": lambda account, number: ...,' for name in sorted(names - set(MAKE))]
    assert not missing, "add to MAKE in tests/web/test_routes.py:\n" + "\n".join(missing)


def test_public_are_exactly_those_that_are_let_through() -> None:
    public = {path for _, path, right, _ in ROWS if right == "public"}
    assert {path for path in public if not path.startswith(PUBLIC_BELOW)} <= PUBLIC


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_without_a_usable_key(house: House, row: Row) -> None:
    if row[2] == "public":
        assert house.status(row, None) == 200
        return
    assert house.status(row, None) == 401
    assert house.status(row, house.expired) == 401


@pytest.mark.parametrize("row", [row for row in ROWS if row[2] != "public"], ids=lambda row: " ".join(row[:2]))
def test_each_role_in_its_own_account(house: House, row: Row) -> None:
    """Whoever has the right is not refused: what is answered depends on what was sent, and nothing was."""
    holders = HOLDS[row[2]].split()
    for role in house.test_keys if row[1].startswith(SANDBOX) else house.keys:
        status = house.status(row, house.key(row, role))
        if role not in holders:
            assert status == 403, role
        elif role == "member" and "{" in row[1]:
            assert status == 404, "a member reaches their own domain and what they did themselves"
        else:
            assert status < 500, role
            refused = (401, 403, 405) if any(f"{{{name}}}" in row[1] for name in NOT_MADE) else (401, 403, 404, 405)
            assert status not in refused, (role, status)


@pytest.mark.parametrize("row", [row for row in ROWS if row[1].startswith(SANDBOX)], ids=lambda row: " ".join(row[:2]))
def test_what_is_in_the_sandbox_is_for_no_live_key(house: House, row: Row) -> None:
    assert {house.status(row, key) for key in house.keys.values()} == {403}


@pytest.mark.parametrize("row", [row for row in ROWS if row[3] != "-"], ids=lambda row: " ".join(row[:2]))
def test_what_is_another_accounts_is_not_there(house: House, row: Row) -> None:
    """404 and not 403: that it exists is nobody else's business. And nothing is done to it."""
    theirs = house.api.preflight.account("theirs", actor=ANNA)
    for role in HOLDS[row[2]].split():
        status = house.status(row, house.keys[role], "theirs")
        assert (status == 404) if row[3] == "404" or role == "member" else (status not in (401, 403, 404)), role
    assert not [key for key in theirs.access.keys() if key.revoked_at is not None]  # noqa: SIM118 -- no mapping
    assert {user.role for user in theirs.access.users()} <= {Role.HOST_APP}


def _right(route: Any) -> str:
    needs: Needs | None = getattr(route, "needs", None)
    return "public" if needs is None else needs.right.value if needs.right else "any"
