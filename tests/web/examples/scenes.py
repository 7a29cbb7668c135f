"""What is asked for the examples: one host app's days, mostly in the sandbox, so that everybody can ask the same."""

import time
from typing import Any

import sqlalchemy as sa

from tests.web.examples.play import Play

DOMAIN, ADA, BOB = "example.com", "ada@example.com", "bob@example.com"
WARY = "smtp-login-required@example.com"
"""Works until SMTP takes no login: of the reserved names of the sandbox."""
SETTINGS = {
    "kind": "imap",
    "imap": {"host": "ok.test", "port": 993},
    "smtp": {"host": "ok.test", "port": 465},
}
WITHOUT_LOGIN = {**SETTINGS, "smtp": {"host": "ok.test", "port": 465, "authentication": "none"}}
NEW = {"domain": "new.example"}
NOBODY = "0" * 32


def play_all(play: Play) -> None:
    """Everything, in an order in which each finds what it needs."""
    hook = webhook_added(play)
    first = saved_and_applied(play)
    second = would_disconnect(play)
    other_actions(play, second)
    left_untried(play)
    looking_back(play, first)
    domains_and_mailboxes(play)
    finding_settings(play)
    connecting(play)
    approval(play)
    embedding(play)
    letters(play)
    health(play)
    events(play)
    webhooks(play, hook)
    alerts_and_maintenance(play)
    access(play)
    operators(play)
    the_service(play)


def _verified(play: Play, change_id: str) -> Any:
    return play.ask("changes.get", path={"change_id": change_id}, query="wait=30")


def saved_and_applied(play: Play) -> str:
    domain = {"domain": DOMAIN}
    play.done("domains.put", path=domain)
    play.refused("domains.put", 422, path={"domain": "example..com"})
    boxes = [{"address": each, "password": "correct horse battery staple"} for each in (ADA, WARY)]
    change = play.done("changes.create", {"settings": SETTINGS, "mailboxes": boxes}, path=domain)
    wrong = {**SETTINGS, "imap": {"host": "ok.test", "port": 99_999}}
    play.refused("changes.create", 422, {"settings": wrong}, path=domain)
    named = {"change_id": change["id"]}
    change = play.done("changes.get", path=named, query="wait=30")
    play.refused("changes.get", 404, path={"change_id": f"chg_{NOBODY}"})
    play.done("report.get", path=named, query="lang=en")
    play.refused("report.get", 404, path={"change_id": f"chg_{NOBODY}"})
    play.done("changes.apply", {"watch_minutes": 0}, path=named, headers={"If-Match": f'"{change["checksum"]}"'})
    return str(change["id"])


def would_disconnect(play: Play) -> str:
    """The second change costs somebody the connection: its number has to be accepted."""
    change = _verified(play, play.ask("changes.create", {"settings": WITHOUT_LOGIN}, path={"domain": DOMAIN})["id"])
    named, match = {"change_id": change["id"]}, {"If-Match": f'"{change["checksum"]}"'}
    play.done("report.mailboxes", path=named, query="impact=will_disconnect")
    play.refused("report.mailboxes", 422, path=named, query="impact=everybody")
    play.refused("changes.apply", 422, {}, path=named, headers=match)
    play.ask("changes.apply", {"accept_disconnects": 1, "watch_minutes": 0}, path=named, headers=match)
    play.done("changes.roll_back", path=named)
    play.refused("changes.roll_back", 409, path=named)
    return str(change["id"])


def other_actions(play: Play, over: str) -> None:
    change_id = play.ask("changes.create", {"settings": WITHOUT_LOGIN}, path={"domain": DOMAIN})["id"]
    named, done = {"change_id": change_id}, {"change_id": over}
    _verified(play, change_id)
    play.refused("changes.resume", 409, path=named)
    play.refused("changes.cancel", 409, path=named)
    play.done("changes.verify", path=named)
    play.refused("changes.verify", 409, path=done)
    _verified(play, change_id)
    play.done("changes.discard", path=named)
    play.refused("changes.discard", 409, path=done)
    play.done("changes.reopen", path=named)
    play.refused("changes.reopen", 409, path=named)
    slow = [{"address": f"slow-{number}@slow.example", "password": "secret"} for number in range(20)]
    change = play.ask("changes.create", {"settings": SETTINGS, "mailboxes": slow}, path={"domain": "slow.example"})
    play.done("changes.cancel", path={"change_id": change["id"]})


def left_untried(play: Play) -> None:
    """When the first mailboxes are all rejected, the others are left: nobody is to be locked out."""
    rejected = [{"address": f"rejected-{number}@left.example", "password": "secret"} for number in range(8)]
    body = {"settings": SETTINGS, "mailboxes": rejected}
    change = _verified(play, play.ask("changes.create", body, path={"domain": "left.example"})["id"])
    play.done("changes.resume", path={"change_id": change["id"]})
    _verified(play, change["id"])


def looking_back(play: Play, change_id: str) -> None:
    named, nobody = {"change_id": change_id}, {"change_id": f"chg_{NOBODY}"}
    play.done("changes.list", path={"domain": DOMAIN}, query="limit=2")
    play.refused("changes.list", 404, path={"domain": "unknown.example"})
    play.done("changes.history", path=named)
    play.refused("changes.history", 404, path=nobody)
    play.done("changes.events", path=named)
    play.refused("changes.events", 404, path=nobody)


def domains_and_mailboxes(play: Play) -> None:
    domain, unknown = {"domain": DOMAIN}, {"domain": "unknown.example"}
    row, bob = {"address": BOB, "password": "correct horse battery staple"}, {**domain, "address": BOB}
    play.done("mailboxes.put", {"items": [row]}, path=domain)
    play.refused("mailboxes.put", 422, {"items": [{**row, "password": "********"}]}, path=domain)
    play.done("mailboxes.list", path=domain, query="limit=2")
    play.refused("mailboxes.list", 404, path=unknown)
    play.done("mailboxes.get", path=bob)
    play.done("mailboxes.retry", path=domain)
    play.refused("mailboxes.retry", 404, path=unknown)
    play.done("mailboxes.delete", path=bob)
    play.refused("mailboxes.get", 404, path=bob)
    play.refused("mailboxes.delete", 404, path=bob)
    play.refused("mailboxes.remove", 422, {"addresses": [BOB]}, path=domain)
    play.done("mailboxes.remove", {"addresses": [WARY]}, path=domain)
    play.done("domains.list", query="limit=2")
    play.refused("domains.list", 422, query="limit=0")
    play.done("domains.get", path=domain)
    play.refused("domains.get", 404, path=unknown)
    play.done("domains.pause", path=domain)
    play.refused("domains.pause", 404, path=unknown)
    play.done("domains.resume", path=domain)
    play.refused("domains.resume", 404, path=unknown)
    play.refused("domains.delete", 422, path={"domain": "left.example"})
    play.done("domains.delete", path={"domain": "left.example"}, query="confirm=left.example")


def connecting(play: Play) -> None:
    wanted = {"address": ADA, "password": "correct horse battery staple"}
    play.done("connecting.prefill", path={"domain": DOMAIN})
    play.refused("connecting.prefill", 422, path={"domain": "example..com"})
    made = play.done("connecting.connect", wanted, path={"domain": DOMAIN}, query="lang=en")
    play.refused("connecting.connect", 422, {**wanted, "address": "ada@other.example"}, path={"domain": DOMAIN})
    play.done("connecting.get", path={"connection_id": made["id"]})
    play.refused("connecting.get", 404, path={"connection_id": f"con_{NOBODY}"})
    waiting = [
        play.ask("connecting.connect", {**wanted, "address": f"{name}@new.example", "settings": SETTINGS}, path=NEW)
        for name in ("ada", "bela")
    ]
    first, second = ({"pending_id": each["id"]} for each in waiting)
    play.done("pending_entries.list", query="domain=new.example")
    play.refused("pending_entries.list", 422, query="limit=0")
    play.done("pending_entries.get", path=first)
    play.refused("pending_entries.get", 404, path={"pending_id": f"con_{NOBODY}"})
    play.done("pending_entries.delete", path=second)
    play.refused("pending_entries.delete", 404, path={"pending_id": f"con_{NOBODY}"})
    play.done("pending_entries.complete", path=first)
    play.refused("pending_entries.complete", 404, path={"pending_id": f"con_{NOBODY}"})


def approval(play: Play) -> None:
    domain, box = {"domain": "wary.example"}, {"address": "ada@wary.example", "password": "secret"}
    play.ask("domains.put", path=domain)
    play.done("domains.set_approval", {"needed": True}, path=domain)
    play.refused("domains.set_approval", 404, {"needed": True}, path={"domain": "unknown.example"})
    saved = play.ask("changes.create", {"settings": SETTINGS, "mailboxes": [box]}, path=domain)
    named, change = {"change_id": saved["id"]}, _verified(play, saved["id"])
    match = {"If-Match": f'"{change["checksum"]}"'}
    play.refused("changes.approve", 409, path=named, headers=match)
    play.done("changes.approve", path=named, headers=match, key="person")


def embedding(play: Play) -> None:
    play.done("embed_origins.put", {"origins": ["https://crm.example.com"]})
    play.refused("embed_origins.put", 422, {"origins": ["crm"]})
    play.done("embed_origins.get")
    play.refused("embed_origins.get", 401, key="none")
    play.done("embed_sessions.create", {"domain": DOMAIN, "minutes": 15, "name": "anna@example.com"})
    play.refused("embed_sessions.create", 422, {"domain": "unknown.example"})


def letters(play: Play) -> None:
    """Of the change that would cost somebody the connection."""
    boxes = [{"address": "rejected@letters.example", "password": "secret"}]
    body = {"settings": SETTINGS, "mailboxes": boxes}
    change = _verified(play, play.ask("changes.create", body, path={"domain": "letters.example"})["id"])
    play.done("letters.list", path={"change_id": change["id"]}, query="lang=en")
    play.refused("letters.list", 404, path={"change_id": f"chg_{NOBODY}"})


def health(play: Play) -> None:
    """A server that breaks, by the clock of the sandbox, and is an incident."""
    settings = {**SETTINGS, "imap": {"host": "breaks-after-24-hours.test", "port": 993}}
    box = {"address": "ada@breaks.example", "password": "secret"}
    saved = play.ask("changes.create", {"settings": settings, "mailboxes": [box]}, path={"domain": "breaks.example"})
    change = _verified(play, saved["id"])
    headers = {"If-Match": f'"{change["checksum"]}"'}
    play.ask("changes.apply", {"watch_minutes": 0}, path={"change_id": change["id"]}, headers=headers)
    play.done("test_clock.advance", {"advance_seconds": 2 * 86_400})
    play.refused("test_clock.advance", 403, {"advance_seconds": 86_400}, key="live")
    play.done("test_clock.get")
    play.refused("test_clock.get", 403, key="live")
    incident = play.done("incidents.list", query="domain=breaks.example")["items"][0]
    play.refused("incidents.list", 422, query="severity=deadly")
    play.done("incidents.get", path={"incident_id": incident["id"]})
    play.refused("incidents.get", 404, path={"incident_id": f"inc_{NOBODY}"})
    play.done("domains.health", path={"domain": "breaks.example"}, query="days=2&lang=en")
    play.refused("domains.health", 404, path={"domain": "unknown.example"})
    play.done("health.list", query="limit=2")
    play.refused("health.list", 422, query="cursor=mine")
    play.done("checks.create", {"protocol": "imap", "host": "self-signed.test", "port": 993}, query="lang=en")
    play.refused("checks.create", 422, {"protocol": "imap", "host": "self signed", "port": 993})
    play.done("connection_ips.list")
    play.refused("connection_ips.list", 403, key="narrow")


def finding_settings(play: Play) -> None:
    play.done("discoveries.create", {"target": "ok.test"}, query="lang=en")
    play.refused("discoveries.create", 422, {"target": "example..com"})
    play.done("domains.firewall_request", path={"domain": DOMAIN})
    play.refused("domains.firewall_request", 404, path={"domain": "unknown.example"})


def events(play: Play) -> None:
    play.done("events.list", query="types=change.verified&limit=2")
    play.refused("events.list", 410, query="after=evt_999999999999")
    stream = {"Accept": "text/event-stream"}
    play.done("events.stream", query="after=evt_000000000000&types=change.verified", headers=stream)
    play.refused("events.stream", 422, query="types=change.mislaid")


def webhook_added(play: Play) -> str:
    url = f"http://127.0.0.1:{play.receiver.port}/hooks"
    made = play.done("webhook_endpoints.create", {"url": url, "types": ["change.verified", "incident.opened"]})
    play.refused("webhook_endpoints.create", 422, {"url": url, "types": ["change.mislaid"]})
    return str(made["id"])


def webhooks(play: Play, endpoint_id: str) -> None:
    named, nobody = {"endpoint_id": endpoint_id}, {"endpoint_id": f"whe_{NOBODY}"}
    play.send_webhooks()
    play.done("webhook_endpoints.deliveries.list", path=named, query="limit=2")
    play.refused("webhook_endpoints.deliveries.list", 404, path=nobody)
    sent = play.ask("webhook_endpoints.deliveries.list", path=named, query="limit=1")["items"][0]
    play.done("webhook_endpoints.deliveries.get", path={**named, "delivery_id": sent["id"]})
    play.refused("webhook_endpoints.deliveries.get", 404, path={**named, "delivery_id": f"whd_{NOBODY}"})
    play.done("webhook_endpoints.deliveries.redeliver", path={**named, "delivery_id": sent["id"]})
    play.refused("webhook_endpoints.deliveries.redeliver", 404, path={**named, "delivery_id": f"whd_{NOBODY}"})
    play.done("webhook_endpoints.redeliver", {"after": "evt_000000000000", "include_sent": True}, path=named)
    backwards = {"since": "2026-11-29T10:00:00Z", "until": "2026-11-28T10:00:00Z"}
    play.refused("webhook_endpoints.redeliver", 422, backwards, path=named)
    play.done("webhook_endpoints.list")
    play.refused("webhook_endpoints.list", 401, key="none")
    play.done("webhook_endpoints.get", path=named)
    play.refused("webhook_endpoints.get", 404, path=nobody)
    play.done("webhook_endpoints.update", {"description": "the CRM"}, path=named)
    play.refused("webhook_endpoints.update", 422, {"types": ["change.mislaid"]}, path=named)
    play.done("webhook_endpoints.test", path=named)
    play.refused("webhook_endpoints.test", 404, path=nobody)
    play.done("webhook_endpoints.rotate", {"overlap_hours": 1}, path=named)
    play.refused("webhook_endpoints.rotate", 422, {"overlap_hours": -1}, path=named)
    play.done("webhook_endpoints.delete", path=named)
    play.refused("webhook_endpoints.delete", 404, path=named)


def alerts_and_maintenance(play: Play) -> None:
    url = f"json://127.0.0.1:{play.receiver.port}/alerts"
    made = play.done("alert_channels.create", {"name": "admins", "url": url, "severity": "warning"})
    play.refused("alert_channels.create", 422, {"name": "pager", "url": "nonsense://"})
    named, nobody = {"channel_id": made["id"]}, {"channel_id": f"alc_{NOBODY}"}
    play.done("alert_channels.list")
    play.refused("alert_channels.list", 401, key="none")
    play.done("alert_channels.get", path=named)
    play.refused("alert_channels.get", 404, path=nobody)
    play.done("alert_channels.test", path=named)
    play.refused("alert_channels.test", 404, path=nobody)
    play.done("alert_channels.delete", path=named)
    play.refused("alert_channels.delete", 404, path=named)
    begin, end = play.soon(24), play.soon(26)
    announced = play.done("maintenance.create", {"domain": DOMAIN, "starts_at": begin, "ends_at": end})
    play.refused("maintenance.create", 422, {"domain": DOMAIN, "starts_at": end, "ends_at": begin})
    play.done("maintenance.list")
    play.refused("maintenance.list", 401, key="none")
    named = {"maintenance_id": announced["id"]}
    play.done("maintenance.get", path=named)
    play.refused("maintenance.get", 404, path={"maintenance_id": "mnt_0"})
    play.done("maintenance.delete", path=named)
    play.refused("maintenance.delete", 404, path=named)


def access(play: Play) -> None:
    made = play.done("api_keys.create", {"name": "crm", "scopes": ["read"]}, key="live")
    play.refused("api_keys.create", 403, {"name": "crm", "scopes": ["apply"]}, key="narrow")
    named, nobody = {"key_id": made["id"]}, {"key_id": f"key_{NOBODY}"}
    play.done("api_keys.list", query="limit=2", key="live")
    play.refused("api_keys.list", 403)
    play.done("api_keys.get", path=named, key="live")
    play.refused("api_keys.get", 404, path=nobody, key="live")
    play.done("api_keys.revoke", path=named, key="live")
    play.refused("api_keys.revoke", 404, path=nobody, key="live")
    anna = play.done("users.create", {"name": "anna@example.com", "role": "account_access"}, key="live")
    play.refused("users.create", 422, {"name": "bob@example.com", "role": "member"}, key="live")
    named, nobody = {"user_id": anna["id"]}, {"user_id": f"usr_{NOBODY}"}
    play.done("users.list", query="limit=2", key="live")
    play.refused("users.list", 403)
    play.done("users.get", path=named, key="live")
    play.refused("users.get", 404, path=nobody, key="live")
    play.done("users.set_role", {"role": "super_admin"}, path=named, key="live")
    play.refused("users.set_role", 403, {"role": "super_admin"}, path=named, key="narrow")
    play.done("users.delete", path=named, key="live")
    play.refused("users.delete", 404, path=named, key="live")
    play.done("audit.list", query="limit=2", key="live")
    play.refused("audit.list", 422, query="since=yesterday", key="live")
    play.done("me.get", key="live")
    play.refused("me.get", 401, key="none")


def operators(play: Play) -> None:
    play.done("accounts.create", {"name": "north", "first_key": True}, key="operator")
    play.refused("accounts.create", 403, {"name": "south"}, key="live")
    play.done("accounts.list", key="operator")
    play.refused("accounts.list", 403, key="live")
    play.done("accounts.delete", path={"account": "north"}, key="operator")
    play.refused("accounts.delete", 404, path={"account": "north"}, key="operator")
    play.done("operators_audit.list", query="limit=2", key="operator")
    play.refused("operators_audit.list", 403, key="live")


def the_service(play: Play) -> None:
    """What needs no key. In the end its database is another version's."""
    play.done("codes.list", key="none")
    play.refused("codes.list", 431, key="none", headers={"X-Long": "x" * 17_000})
    play.done("problems.get", path={"code": "wrong-state"}, key="none")
    play.refused("problems.get", 404, path={"code": "mislaid"}, key="none")
    play.done("service.alive", key="none")
    play.refused("service.alive", 431, key="none", headers={"X-Long": "x" * 17_000})
    play.done("service.ready", key="none")
    with play.api.preflight.database.begin() as conn:
        conn.execute(sa.text("UPDATE alembic_version SET version_num = '0010'"))
    time.sleep(1.1)  # what was found is kept for a second
    play.refused("service.ready", 503, key="none")
