"""The sandbox by the API: a host app's whole integration without a mail server."""

import csv
import socket
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import pytest
import sqlalchemy as sa
from standardwebhooks import Webhook

from checks.codes import Code
from checks.network import dial
from checks.protocols import login
from checks.sandbox import names
from settings_store import schema
from tests.servers.receivers import hook
from tests.web.api import ANNA, Answer, Api, running
from worker.changes.report import Report
from worker.service.account import Account
from worker.webhooks import delivery

SAVED = ("change.verified", "change.applied")
REMINDED = ("incident.reminder", "incident.reminder")
PLAY = (*SAVED, *SAVED, "incident.opened", *REMINDED, *SAVED, "incident.resolved")
"""What a webhook is told of the whole integration, in its order."""


@pytest.fixture(scope="module")
def at_work(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """One API at work for all that have domains of their own."""
    with running(tmp_path_factory.mktemp("at-work"), working=True, web_rate_expensive=0) as api:
        yield api


@pytest.fixture(scope="module")
def sandbox(at_work: Api) -> Api:
    """The same, asked with a test key."""
    return replace(at_work, key=at_work.new_key(live=False))


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever looks a mail server up, or connects to one, has left the sandbox."""

    def refuse(*arguments: object, **_: object) -> NoReturn:
        raise AssertionError(f"the sandbox asked the network for {arguments}")

    for place, name in (
        (dial, "resolve"),
        (dial, "dial"),
        (login, "resolve"),
        (login, "dial"),
    ):
        monkeypatch.setattr(place, name, refuse)


def imap(host: str, smtp: str = "ok.test", **more: Any) -> dict[str, Any]:
    return {
        "kind": "imap",
        "imap": {"host": host, "port": 993},
        "smtp": {"host": smtp, "port": 465, **more.pop("smtp_more", {})},
        **more,
    }


def exchange(url: str) -> dict[str, Any]:
    return {"kind": "exchange", "exchange_url": url}


def account_of(api: Api) -> Account:
    """The use cases of the account that the key sees."""
    key = api.preflight.authenticate(api.key, "")
    assert key is not None and key.account_id is not None
    return api.preflight.account_by_id(key.account_id, actor=ANNA)


def import_boxes(api: Api, domain: str, locals_: Sequence[str], folder: Path) -> None:
    path = folder / f"{domain}.csv"
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["address", "password"])
        rows.writerows([f"{local}@{domain}", "secret"] for local in locals_)
    account_of(api).mailboxes.import_file(domain, path)


def save(api: Api, domain: str, settings: dict[str, Any]) -> str:
    answer = api.ask("POST", f"/v1/domains/{domain}/changes", {"settings": settings})
    assert answer.status == 201, answer.text
    return str(answer.body["id"]).removeprefix("chg_")


def report(api: Api, change_id: str) -> Report:
    account = account_of(api)
    run_id = account.changes.look(change_id).run_id
    assert run_id is not None
    for _ in account.runs.follow(run_id, timeout=60):
        pass
    return account.changes.report(change_id)


@pytest.mark.usefixtures("offline")
def test_every_code_of_a_server_is_in_the_report_of_some_settings(sandbox: Api) -> None:
    """Two to a save, for IMAP and SMTP have a server each; all runs go on side by side."""
    mail = [label for label, code in names.HOSTS.items() if not code.startswith("exchange.")]
    web = [label for label, code in names.HOSTS.items() if code.startswith("exchange.")]
    pairs = list(zip(mail[::2], [*mail[1::2], "ok"], strict=False))
    saved = [
        save(sandbox, f"mail{number}.example", imap(f"{one}.test", f"{other}.test"))
        for number, (one, other) in enumerate(pairs)
    ]
    saved += [save(sandbox, f"web{number}.example", exchange(f"{label}.test")) for number, label in enumerate(web)]
    saved.append(save(sandbox, "typed.example", exchange("ok.test/owa")))
    found: set[Code] = set()
    for change_id in saved:
        for result in report(sandbox, change_id).endpoints:
            found |= {result.code, *(warning.code for warning in result.warnings)}
    assert found >= {*names.HOSTS.values(), *names.BY_URL}


@pytest.mark.usefixtures("offline")
def test_every_code_of_a_server_is_found_by_a_check_of_it_alone(sandbox: Api) -> None:
    for label, code in names.HOSTS.items():
        web = {"protocol": "https", "exchange_url": f"https://{label}.test/EWS/Exchange.asmx"}
        mail = {"protocol": "imap", "host": f"{label}.test", "port": 993}
        answer = sandbox.ask("POST", "/v1/checks", web if code.startswith("exchange.") else mail)
        assert answer.status == 200, answer.text
        assert code in (answer.body["code"], *(warning["code"] for warning in answer.body["warnings"])), label


@pytest.mark.usefixtures("offline")
def test_every_code_of_a_mailbox_is_in_a_report(sandbox: Api, tmp_path: Path) -> None:
    mail = [label for label, code in names.MAILBOXES.items() if not code.startswith("exchange.")]
    web = [label for label, code in names.MAILBOXES.items() if code.startswith("exchange.")]
    import_boxes(sandbox, "mail.example", [*mail, "ada", "bela", "chidi"], tmp_path)
    import_boxes(sandbox, "relay.example", ["ada", "smtp-login-required"], tmp_path)
    import_boxes(sandbox, "web.example", [*web, "ada", "bela", "chidi"], tmp_path)
    import_boxes(sandbox, "rejected.example", [f"rejected-{number}" for number in range(8)], tmp_path)
    import_boxes(sandbox, "online.example", ["ada"], tmp_path)
    saved = [
        save(sandbox, "mail.example", imap("ok.test")),
        save(sandbox, "relay.example", imap("ok.test", smtp_more={"authentication": "none"})),
        save(sandbox, "web.example", exchange("ok.test")),
        save(sandbox, "rejected.example", imap("ok.test")),
        save(sandbox, "online.example", exchange("outlook.office365.com")),
    ]
    found: set[Code] = set()
    for change_id in saved:
        done = report(sandbox, change_id)
        found |= {line.code for line in done.mailboxes()} | ({done.stop_code} if done.stop_code else set())
        found |= {warning.code for result in done.endpoints for warning in result.warnings}
    others = {Code.RUN_NOT_TRIED, Code.AUTH_ALL_REJECTED, Code.EXCHANGE_ONLINE_PASSWORD}
    assert {*names.MAILBOXES.values(), *others} - found == set()


def test_neither_kind_of_key_sees_what_the_other_has(api: Api) -> None:
    live, test = api.key, api.new_key(live=False)
    found = {}
    for key in (live, test):
        saved = api.ask("POST", "/v1/domains/example.com/changes", {"settings": imap("ok.test")}, key=key)
        found[key] = saved.headers["Location"]
    for mine, other in ((live, test), (test, live)):
        assert api.ask("GET", found[mine], key=mine).status == 200
        assert api.ask("GET", found[mine], key=other).status == 404


def test_for_a_live_key_a_reserved_name_is_a_name_like_any_other(
    at_work: Api, sandbox: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is looked up, and nobody else has it."""
    asked: list[object] = []
    real = socket.getaddrinfo

    def looked_up(host: str, *arguments: Any, **options: Any) -> Any:
        if host == "127.0.0.1":  # the API's own
            return real(host, *arguments, **options)
        asked.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", looked_up)
    for key, codes, check in (
        (at_work, {Code.DNS_NOT_FOUND}, Code.DNS_NOT_FOUND),
        (sandbox, {Code.OK, Code.TLS_SELF_SIGNED}, Code.TLS_SELF_SIGNED),
    ):
        asked.clear()
        change_id = save(key, "reserved.example", imap("ok.test", "self-signed.test"))
        assert {result.code for result in report(key, change_id).endpoints} == codes
        wanted = {"protocol": "imap", "host": "self-signed.test", "port": 993}
        assert key.ask("POST", "/v1/checks", wanted).body["code"] == check
        looked_for = {"ok.test", "self-signed.test"} & {str(host) for host in asked}
        assert len(looked_for) == (2 if key is at_work else 0)


def advance(api: Api, days: float) -> None:
    answer = api.ask("POST", "/v1/test/clock", {"advance_seconds": int(days * 86400)})
    assert answer.status == 200, answer.text


def incidents_of(api: Api) -> list[tuple[str, bool]]:
    """The code of each incident of the sandbox, and whether it is over."""
    with api.preflight.database.read() as conn:
        table = schema.incidents
        rows = conn.execute(sa.select(table.c.code, table.c.closed_at).order_by(table.c.opened_at, table.c.code)).all()
    return [(row.code, row.closed_at is not None) for row in rows]


@pytest.mark.usefixtures("offline")
def test_a_certificate_expires_and_is_mended_by_the_clock(sandbox: Api) -> None:
    change_id = save(sandbox, "aging.example", imap("expires-in-20-days.test"))
    done = report(sandbox, change_id)
    account_of(sandbox).changes.apply(change_id, checksum=done.checksum)
    advance(sandbox, 30)
    assert ("tls.expired", False) in incidents_of(sandbox)
    change_id = save(sandbox, "aging.example", imap("ok.test"))
    account_of(sandbox).changes.apply(change_id, checksum=report(sandbox, change_id).checksum)
    advance(sandbox, 1)
    assert ("tls.expired", True) in incidents_of(sandbox)


def wait_verified(api: Api, change_id: str) -> dict[str, Any]:
    answer = api.ask("GET", f"/v1/changes/chg_{change_id}?wait=20")
    assert (answer.status, answer.body["state"]) == (200, "verified"), answer.text
    return dict(answer.body)


def apply(api: Api, change: dict[str, Any], **wanted: Any) -> Answer:
    path = f"/v1/changes/{change['id']}"
    etag = api.ask("GET", f"{path}/report").headers["ETag"]
    return api.ask("POST", f"{path}/apply", wanted, headers={"If-Match": etag})


@pytest.mark.usefixtures("offline")
def test_a_whole_integration_with_nothing_but_the_api(sandbox: Api) -> None:
    domain = "play.example"
    with hook() as web:
        boxes = [{"address": f"{local}@{domain}", "password": "secret"} for local in ("ada", "smtp-login-required")]
        assert sandbox.ask("PUT", f"/v1/domains/{domain}/mailboxes", {"items": boxes}).body["added"] == 2
        wanted = {"url": f"http://127.0.0.1:{web.port}/", "domain": domain}
        secret = sandbox.ask("POST", "/v1/webhook-endpoints", wanted).body["secret"]

        first = wait_verified(sandbox, save(sandbox, domain, imap("ok.test")))
        assert (first["verdict"], apply(sandbox, first).status) == ("safe", 200)
        without = imap("breaks-after-24-hours.test", smtp_more={"authentication": "none"})
        change = wait_verified(sandbox, save(sandbox, domain, without))
        report_path = f"/v1/changes/{change['id']}/report"
        found = sandbox.ask("GET", report_path).body
        assert (found["verdict"], found["counts"]["will_disconnect"]) == ("unsafe", 1)
        (line,) = sandbox.ask("GET", f"{report_path}/mailboxes?impact=will_disconnect").body["items"]
        assert (line["address"], line["code"]) == (f"smtp-login-required@{domain}", "smtp.login_required")
        refused = apply(sandbox, change)
        assert (refused.status, refused.body["code"]) == (422, "wrong_accept_disconnects")
        done = apply(sandbox, change, accept_disconnects=refused.body["accept_disconnects"])
        assert (done.status, done.body["state"]) == (200, "applied"), done.text

        advance(sandbox, 2)
        (opened,) = sandbox.ask("GET", f"/v1/incidents?domain={domain}").body["items"]
        assert (opened["code"], opened["state"]) == ("connect.refused", "open")
        advance(sandbox, 3)
        shown = sandbox.ask("GET", f"/v1/incidents/{opened['id']}").body["events"]
        reminders = [each["data"]["number"] for each in shown if each["type"] == "incident.reminder"]
        assert reminders == [1, 2], "once a day, but for the hour of its opening"
        mended = wait_verified(sandbox, save(sandbox, domain, imap("ok.test")))
        assert apply(sandbox, mended).body["state"] == "applied"
        advance(sandbox, 1)
        assert sandbox.ask("GET", f"/v1/incidents?domain={domain}").body["items"] == []
        closed = sandbox.ask("GET", f"/v1/incidents/{opened['id']}").body
        assert (closed["state"], closed["code"]) == ("closed", "connect.refused")

        while delivery.send_due(sandbox.preflight.flow.resources):
            pass
        told = [Webhook(secret).verify(call.body, dict(call.headers)) for call in web.calls]
    kinds = [event["type"] for event in told]
    assert [kind for kind in kinds if kind in PLAY] == list(PLAY), kinds


def test_only_a_test_key_moves_a_clock(api: Api) -> None:
    answer = api.ask("POST", "/v1/test/clock", {"advance_seconds": 60})
    assert (answer.status, answer.body["code"]) == (403, "not_allowed")
