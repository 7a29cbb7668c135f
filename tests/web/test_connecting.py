"""Connecting by the API, in the sandbox: what is filled in, what is stored, who waits, and who may what."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from settings_store import schema
from settings_store.access.api_keys import KeyRequest
from settings_store.access.roles import Role
from tests.web.api import ANNA, Answer, Api, running

PASSWORD = "correct-horse-pl4nted"
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """One API at work for all that have domains of their own."""
    with running(tmp_path_factory.mktemp("connecting"), working=True, web_rate_expensive=0) as api:
        yield api


@pytest.fixture(scope="module")
def sandbox(live: Api) -> Api:
    """The same, asked with a test key of a host app."""
    return replace(live, key=live.new_key(live=False))


@pytest.fixture
def domain() -> str:
    return f"d{next(_numbers)}.example"


def imap(host: str = "ok.test", smtp: str = "ok.test") -> dict[str, Any]:
    return {"kind": "imap", "imap": {"host": host, "port": 993}, "smtp": {"host": smtp, "port": 465}}


EXCHANGE = {"kind": "exchange", "exchange_url": "https://ok.test/EWS/Exchange.asmx"}


def verified(api: Api, answer: Answer) -> dict[str, Any]:
    assert answer.status == 201, answer.text
    change_id = answer.body.get("change_id") or answer.body["id"]
    found = api.ask("GET", f"/v1/changes/{change_id}?wait=30")
    assert found.body["state"] == "verified", found.text
    return dict(found.body)


def save(api: Api, domain: str, settings: dict[str, Any]) -> dict[str, Any]:
    return verified(api, api.ask("POST", f"/v1/domains/{domain}/changes", {"settings": settings}))


def apply(api: Api, change: dict[str, Any], accept: int | None = None) -> Answer:
    headers = {"If-Match": f'"{change["checksum"]}"'}
    wanted = {"watch_minutes": 0, "accept_disconnects": accept}
    return api.ask("POST", f"/v1/changes/{change['id']}/apply", wanted, headers=headers)


def put_in_force(api: Api, domain: str, settings: dict[str, Any]) -> None:
    change = save(api, domain, settings)
    done = apply(api, change, change["counts"]["will_disconnect"])
    assert done.status == 200, done.text


def connect(api: Api, domain: str, local: str, **more: Any) -> Answer:
    wanted = {"address": f"{local}@{domain}", "password": PASSWORD, **more}
    return api.ask("POST", f"/v1/domains/{domain}/connections", wanted)


def state_of(answer: Answer) -> str:
    assert answer.status == 200, answer.text
    return str(answer.body["state"])


def mailboxes(api: Api, domain: str) -> dict[str, str]:
    items = api.ask("GET", f"/v1/domains/{domain}/mailboxes").body["items"]
    return {item["address"].partition("@")[0]: item["state"] for item in items}


def member(api: Api, domain: str, name: str) -> Api:
    """The sandbox, asked with a key of a new member of a domain."""
    account = api.preflight.account(actor=ANNA)
    account.domains.make_known(domain)
    user = account.access.add_user(name, Role.MEMBER, domain)
    return replace(api, key=account.access.create_key(KeyRequest("own", user_id=user.id, live=False))[1].text)


def events(api: Api, domain: str) -> list[str]:
    items = api.ask("GET", f"/v1/events?domain={domain}&limit=1000").body["items"]
    return [item["type"] for item in items]


# -- prefill


def test_imap_is_filled_in_without_what_an_admin_has_accepted(sandbox: Api, domain: str) -> None:
    put_in_force(sandbox, domain, {**imap(), "allow_insecure_certificate": True})
    ada = member(sandbox, domain, f"ada@{domain}")

    found = ada.ask("GET", f"/v1/domains/{domain}/prefill").body

    assert found == {
        "domain": domain,
        "kind": "imap",
        "serves": ["mail"],
        "imap": {"host": "ok.test", "port": 993, "security": "auto"},
        "smtp": {"host": "ok.test", "port": 465, "security": "auto", "authentication": "login"},
        "exchange_url": None,
        "address": f"ada@{domain}",
        "hint": None,
    }


def test_exchange_is_filled_in_for_mail_and_calendar(sandbox: Api, domain: str) -> None:
    put_in_force(sandbox, domain, EXCHANGE)

    found = sandbox.ask("GET", f"/v1/domains/{domain}/prefill").body

    assert (found["kind"], found["serves"]) == ("exchange", ["mail", "calendar"])
    assert (found["exchange_url"], found["imap"]) == (EXCHANGE["exchange_url"], None)
    connected = connect(sandbox, domain, "ada").body
    assert (connected["state"], connected["services"]) == ("connected", {"mail": "ok", "calendar": "ok"})


def test_what_the_provider_wants_is_said_before_the_password_is_typed(sandbox: Api, domain: str) -> None:
    put_in_force(sandbox, domain, imap("imap.gmail.com", "smtp.gmail.com"))

    hints = {
        lang: sandbox.ask("GET", f"/v1/domains/{domain}/prefill?lang={lang}").body["hint"] for lang in ("en", "ja")
    }

    assert {hint["wants"] for hint in hints.values()} == {"app_password"}
    assert all("https://myaccount.google.com/apppasswords" in hint["message"] for hint in hints.values())
    assert "アプリパスワード" in hints["ja"]["message"]
    by_domain = sandbox.ask("GET", "/v1/domains/outlook.com/prefill").body
    assert (by_domain["kind"], by_domain["hint"]["wants"], by_domain["hint"]["url"]) == (None, "no_password", None)


# -- a domain with settings


def test_a_login_that_works_is_stored_and_inherits_what_comes_later(sandbox: Api, domain: str) -> None:
    put_in_force(sandbox, domain, imap())

    first = connect(sandbox, domain, "ada")

    assert (state_of(first), first.body["code"], first.body["hint"]) == ("connected", "ok", None)
    assert mailboxes(sandbox, domain) == {"ada": "connected"}
    assert sandbox.ask("GET", f"/v1/connections/{first.body['id']}").body["state"] == "connected"
    change = save(sandbox, domain, imap("ok.test", "self-signed.test"))
    assert change["counts"]["will_disconnect"] == 1, "it is tried with what the domain is to have"
    assert apply(sandbox, change, 1).status == 200
    assert mailboxes(sandbox, domain) == {"ada": "disconnected"}


def test_a_login_that_is_rejected_stores_nothing_and_is_not_tried_on_and_on(sandbox: Api, domain: str) -> None:
    put_in_force(sandbox, domain, imap())

    answers = [connect(sandbox, domain, "rejected", insist=True) for _ in range(4)]

    assert [state_of(each) for each in answers[:3]] == ["failed"] * 3
    assert (answers[0].body["code"], answers[0].body["field"]) == ("auth.rejected", "mailbox.password")
    assert (answers[3].status, answers[3].body["code"]) == (429, "too_many_requests")
    assert 0 < int(answers[3].headers["Retry-After"]) <= 3600
    assert mailboxes(sandbox, domain) == {}
    assert state_of(connect(sandbox, domain, "ada")) == "connected", "nobody else has to wait"


def test_who_insists_is_stored_where_nobody_can_tell(sandbox: Api, domain: str) -> None:
    put_in_force(sandbox, domain, imap())

    assert state_of(connect(sandbox, domain, "temporary")) == "cannot_tell"
    assert mailboxes(sandbox, domain) == {}
    assert state_of(connect(sandbox, domain, "temporary", insist=True)) == "stored"
    assert mailboxes(sandbox, domain) == {"temporary": "unknown"}
    other = connect(sandbox, domain, "temporary", insist=True, password="another")
    assert state_of(other) == "cannot_tell", "it would replace what is stored"


def test_a_server_that_fails_is_sent_no_password_and_blames_nobody(sandbox: Api, domain: str) -> None:
    put_in_force(sandbox, domain, imap("refused.test"))

    found = connect(sandbox, domain, "ada").body

    assert (found["state"], found["verdict"], found["code"]) == ("cannot_tell", "inconclusive", "connect.refused")


def test_a_domain_with_settings_takes_no_others(sandbox: Api, domain: str) -> None:
    put_in_force(sandbox, domain, imap())
    refused = connect(sandbox, domain, "ada", settings=imap())
    assert (refused.status, refused.body["errors"][0]["pointer"]) == (422, "/settings")


def test_one_key_makes_one_attempt(sandbox: Api, domain: str) -> None:
    put_in_force(sandbox, domain, imap())
    wanted = {"address": f"rejected@{domain}", "password": PASSWORD}
    first, second = (
        sandbox.ask("POST", f"/v1/domains/{domain}/connections", wanted, headers={"Idempotency-Key": domain})
        for _ in range(2)
    )
    assert first.text == second.text
    assert second.headers["Idempotency-Replayed"] == "true"
    assert events(sandbox, domain).count("connection.failed") == 1


# -- a domain without


def test_who_waits_is_connected_when_an_admin_has_completed_the_settings(sandbox: Api, domain: str) -> None:
    answers = {local: connect(sandbox, domain, local, settings=imap()) for local in ("ada", "rejected", "temporary")}
    nothing = connect(sandbox, domain, "bela")
    again = connect(sandbox, domain, "rejected", settings=imap())

    assert {state_of(each) for each in (*answers.values(), nothing, again)} == {"pending"}
    assert [answers[local].body["login_kept"] for local in ("ada", "rejected", "temporary")] == [True, False, False]
    assert (nothing.body["verdict"], nothing.body["settings"]) == (None, None)
    entries = sandbox.ask("GET", f"/v1/pending-entries?domain={domain}&limit=3").body
    rest = sandbox.ask("GET", f"/v1/pending-entries?domain={domain}&cursor={entries['next_cursor']}").body
    told = [item["address"].partition("@")[0] for item in (*entries["items"], *rest["items"])]
    assert told == ["rejected", "bela", "temporary", "ada"], "the newest first, each once"
    assert sandbox.ask("GET", f"/v1/domains/{domain}").body["pending_entries"] == 4

    entry = answers["ada"].body["id"]
    change = verified(sandbox, sandbox.ask("POST", f"/v1/pending-entries/{entry}/complete"))
    assert (change["counts"]["keeps_working"], sum(change["counts"].values())) == (1, 1)
    assert mailboxes(sandbox, domain) == {}, "nothing is in force yet"
    late = [connect(sandbox, domain, "late", settings=imap()), connect(sandbox, domain, "other", settings=EXCHANGE)]
    assert [each.body["login_kept"] for each in late] == [True, True]
    assert apply(sandbox, change).status == 200

    assert mailboxes(sandbox, domain) == {"ada": "connected", "late": "connected", "other": "unknown"}
    now = {
        name: sandbox.ask("GET", f"/v1/connections/{answer.body['id']}").body["state"]
        for name, answer in {**answers, "bela": nothing, "late": late[0], "other": late[1], "again": again}.items()
    }
    assert now == {
        "ada": "connected",
        "late": "connected",
        "other": "stored",
        "rejected": "failed",
        "again": "login_needed",
        "temporary": "login_needed",
        "bela": "login_needed",
    }
    kinds = events(sandbox, domain)
    assert [kinds.count(kind) for kind in ("connection.pending", "mailbox.connected", "mailbox.stored")] == [7, 2, 1]
    assert kinds.count("connection.login_needed") == 3
    assert sandbox.ask("GET", f"/v1/pending-entries?domain={domain}").body["items"] == []
    assert state_of(connect(sandbox, domain, "bela")) == "connected"


def test_a_wrong_password_later_takes_nothing_from_who_waits(sandbox: Api, domain: str) -> None:
    first = connect(sandbox, domain, "ada", settings=imap())
    assert state_of(connect(sandbox, domain, "ada", settings=imap("self-signed.test"))) == "cannot_tell"

    (entry,) = sandbox.ask("GET", f"/v1/pending-entries?domain={domain}").body["items"]

    assert (entry["id"], entry["login_kept"]) == (first.body["id"], True)
    assert sandbox.ask("DELETE", f"/v1/pending-entries/{entry['id']}").status == 204
    assert sandbox.ask("GET", f"/v1/pending-entries/{entry['id']}").status == 404
    assert events(sandbox, domain)[-1] == "connection.dismissed"


def test_whoever_waits_comes_with_any_change_and_goes_back_with_it(sandbox: Api, domain: str) -> None:
    waiting = connect(
        sandbox,
        domain,
        "ada",
        settings=imap("self-signed.test", "ok.test") | {"imap": {"host": "ok.test", "port": 143}},
    )
    assert waiting.body["login_kept"]
    change = save(sandbox, domain, imap())
    assert apply(sandbox, change).status == 200
    assert mailboxes(sandbox, domain) == {"ada": "connected"}

    assert sandbox.ask("POST", f"/v1/changes/{change['id']}/roll_back").status == 200

    assert mailboxes(sandbox, domain) == {}
    assert sandbox.ask("GET", f"/v1/connections/{waiting.body['id']}").body["state"] == "login_needed"


def test_no_member_decides_which_certificates_are_accepted(sandbox: Api, domain: str) -> None:
    refused = connect(sandbox, domain, "ada", settings={**imap(), "allow_insecure_certificate": True})
    assert refused.body["errors"][0]["pointer"] == "/settings/allow_insecure_certificate"


# -- who may what


def test_a_member_reaches_their_own(sandbox: Api, domain: str) -> None:
    put_in_force(sandbox, domain, imap())
    ada, bela = member(sandbox, domain, f"Ada@{domain.upper()}"), member(sandbox, domain, f"bela, {domain}")
    own = connect(ada, domain, "ada")

    assert state_of(own) == "connected"
    assert ada.ask("GET", f"/v1/connections/{own.body['id']}").status == 200
    assert bela.ask("GET", f"/v1/connections/{own.body['id']}").status == 404
    assert connect(ada, domain, "bela").body["errors"][0]["pointer"] == "/address"
    assert state_of(connect(bela, domain, "bela")) == "connected", "whose name is no address connects any"
    for path in ("/v1/domains", f"/v1/domains/{domain}", "/v1/pending-entries", f"/v1/domains/{domain}/mailboxes"):
        assert ada.ask("GET", path).status == 403
    for method, path in (
        ("GET", "/v1/domains/other.example/prefill"),
        ("POST", "/v1/domains/other.example/connections"),
    ):
        assert (
            ada.ask(method, path, {"address": "a@other.example", "password": "x"} if method == "POST" else None).status
            == 404
        )


def test_a_change_of_role_is_in_the_audit(live: Api) -> None:
    made = live.ask("POST", "/v1/users", {"name": "carol", "role": "super_admin"}).body
    assert live.ask("PUT", f"/v1/users/{made['id']}/role", {"role": "account_access"}).status == 200
    (entry,) = live.ask("GET", "/v1/audit?type=user.changed").body["items"]
    assert (entry["data"]["role_before"], entry["data"]["role"]) == ("super_admin", "account_access")


def person(live: Api, name: str, role: Role = Role.ACCOUNT_ACCESS) -> Api:
    user = live.preflight.account(actor=ANNA).access.add_user(name, role)
    return replace(live, key=live.new_key(user_id=user.id, live=False))


def test_a_second_person_approves_before_a_change_is_applied(live: Api, sandbox: Api, domain: str) -> None:
    first, second = person(live, "first"), person(live, "second", Role.SUPER_ADMIN)
    change = save(first, domain, imap())
    setting = f"/v1/domains/{domain}/approval"
    assert first.ask("PUT", setting, {"needed": True}).status == 403
    assert second.ask("PUT", setting, {"needed": True}).body["needs_approval"] is True
    path, match = f"/v1/changes/{change['id']}", {"If-Match": f'"{change["checksum"]}"'}

    refused = apply(first, change)
    assert (refused.status, refused.body["reason"]) == (409, "awaits_approval")
    assert first.ask("GET", path).body["approval"] == {"awaited": True, "by": None, "at": None}
    actions = {who.key: who.ask("GET", path).body["allowed_actions"] for who in (first, second, sandbox)}
    assert ["approve" in actions[who.key] for who in (first, second, sandbox)] == [False, True, False]
    assert not any("apply" in found for found in actions.values())
    own = first.ask("POST", f"{path}/approve", headers=match)
    assert (own.status, own.body["reason"]) == (409, "same_person")
    program = sandbox.ask("POST", f"{path}/approve", headers=match)
    assert (program.status, program.body["reason"]) == (409, "not_a_person")
    other = second.ask("POST", f"{path}/approve", headers={"If-Match": f'"{0:064x}"'})
    assert (other.status, other.body["reason"]) == (412, "other_report")

    approved = second.ask("POST", f"{path}/approve", headers=match)

    assert (approved.status, approved.body["approval"]["by"], approved.body["approval"]["awaited"]) == (
        200,
        "second",
        False,
    )
    assert apply(first, change).body["state"] == "applied"
    steps = [entry["event"] for entry in first.ask("GET", f"{path}/history").body["items"]]
    assert steps == ["save", "verify", "finish", "approve", "apply"]


def test_what_a_program_saved_is_applied_by_another_than_who_approved(live: Api, sandbox: Api, domain: str) -> None:
    second = person(live, f"approver of {domain}")
    sandbox.ask("PUT", f"/v1/domains/{domain}")
    sandbox.ask("PUT", f"/v1/domains/{domain}/approval", {"needed": True})
    change = save(sandbox, domain, imap())
    match = {"If-Match": f'"{change["checksum"]}"'}
    assert second.ask("POST", f"/v1/changes/{change['id']}/approve", headers=match).status == 200
    assert apply(second, change).body["reason"] == "same_person"

    connect(sandbox, domain, "ada", settings=imap())
    again = verified(sandbox, replace_status(sandbox.ask("POST", f"/v1/changes/{change['id']}/verify")))

    assert (again["checksum"] != change["checksum"], again["approval"]["awaited"]) == (True, True), "another report"
    match = {"If-Match": f'"{again["checksum"]}"'}
    assert second.ask("POST", f"/v1/changes/{change['id']}/approve", headers=match).status == 200
    assert apply(sandbox, again).body["state"] == "applied"


def replace_status(answer: Answer) -> Answer:
    assert answer.status == 202, answer.text
    return replace(answer, status=201)


# -- secrets


def test_the_password_is_nowhere(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    with running(tmp_path, working=True) as own:
        api = replace(own, key=own.new_key(live=False))
        answers = [connect(api, "s.example", local, settings=imap()) for local in ("ada", "rejected")]
        put_in_force(api, "s.example", imap())
        answers += [connect(api, "s.example", local) for local in ("bela", "rejected", "temporary")]
        with api.preflight.database.read() as conn:
            tables = schema.metadata.sorted_tables
            stored = "".join(repr(row) for table in tables for row in conn.execute(sa.select(table)))
    assert PASSWORD not in caplog.text + stored + "".join(each.text for each in answers)
