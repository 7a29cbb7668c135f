"""A host app, written from docs/api.md alone: its admin saves mail settings, sees who would disconnect, and decides."""

from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler

from mail_preflight_client import Client, InvalidWebhook, verify_webhook
from mail_preflight_client.documents import EventDocument


class HostApp:
    """The part of a CRM that looks after the mail settings of its customers."""

    def __init__(self, api: Client) -> None:
        self._api = api

    def save(self, domain: str, settings: Mapping[str, object], passwords: Mapping[str, str]) -> str:
        """The id of the change. Whoever has a password here is tried with it."""
        mailboxes = [{"address": address, "password": password} for address, password in passwords.items()]
        return self._api.changes.create(domain, settings, mailboxes)["id"]

    def poll(self, change_id: str) -> str | None:
        """The verdict, by a request that waits."""
        return self._api.wait_for_change(change_id, timeout=60)["verdict"]

    def watch(self, change_id: str) -> str:
        """The state afterwards, by the stream that a progress bar would read."""
        return next(str(each.data["state"]) for each in self._api.follow_change(change_id) if each.name == "finished")

    def hooks(self, secret: str, heard: Callable[[EventDocument], None]) -> type[BaseHTTPRequestHandler]:
        """What receives webhooks."""

        class Hooks(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                try:
                    heard(verify_webhook(secret, self.headers, self.rfile.read(int(self.headers["Content-Length"]))))
                    self.send_response(204)
                except InvalidWebhook:
                    self.send_response(401)
                self.end_headers()

        return Hooks

    def who_would_disconnect(self, change_id: str) -> dict[str, str | None]:
        """Addresses, and why."""
        found = self._api.changes.report_mailboxes(change_id, impact="will_disconnect")
        return {each["address"]: each["code"] for each in found}

    def apply(self, change_id: str) -> str:
        """Puts the change in force with the number that its report has, which the admin has seen."""
        report = self._api.changes.report(change_id)
        number = report["next"]["accept_disconnects"]
        return self._api.changes.apply(change_id, checksum=report["checksum"], accept_disconnects=number)["state"]

    def take_back(self, change_id: str) -> str:
        """The state of the change afterwards."""
        return self._api.changes.roll_back(change_id)["state"]
