"""A host app, written from docs/api.md alone: its admin saves mail settings, sees who would disconnect, and decides."""

import queue
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from mail_preflight_client import Client, InvalidWebhook, verify_webhook


class HostApp:
    """The part of a CRM that looks after the mail settings of its customers."""

    def __init__(self, api: Client) -> None:
        self._api = api
        self.events: queue.Queue[dict[str, Any]] = queue.Queue()
        self.refused = 0
        self.secret = ""

    @contextmanager
    def receiving(self) -> Iterator[str]:
        """Receives webhooks meanwhile, at the URL that is yielded."""
        app = self

        class Hooks(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                try:
                    app.events.put(verify_webhook(app.secret, self.headers, body))
                except InvalidWebhook:
                    app.refused += 1
                    self.send_error(401)
                else:
                    self.send_response(204)
                    self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing."""

        with ThreadingHTTPServer(("127.0.0.1", 0), Hooks) as server:
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
            url = f"http://127.0.0.1:{server.server_port}/hooks"
            self.secret = self._api.webhook_endpoints.create(url)["secret"]
            yield url
            server.shutdown()

    def save(self, domain: str, settings: Mapping[str, Any], passwords: Mapping[str, str]) -> str:
        """The id of the change. Whoever has a password here is tried with it."""
        mailboxes = [{"address": address, "password": password} for address, password in passwords.items()]
        return str(self._api.changes.create(domain, settings, mailboxes)["id"])

    def poll(self, change_id: str) -> str:
        """The verdict, by a request that waits."""
        return str(self._api.wait_for_change(change_id, timeout=60)["verdict"])

    def watch(self, change_id: str) -> str:
        """The state afterwards, by the stream that a progress bar would read."""
        return [str(each.data["state"]) for each in self._api.follow_change(change_id) if each.name == "finished"][0]

    def hear(self, kind: str, change_id: str) -> dict[str, Any]:
        """What the webhook of that type says of a change."""
        while (event := self.events.get(timeout=60))["type"] != kind or event["subject"] != change_id:
            pass
        return dict(event["data"])

    def who_would_disconnect(self, change_id: str) -> dict[str, str]:
        """Addresses, and why."""
        found = self._api.changes.report_mailboxes(change_id, impact="will_disconnect")
        return {each["address"]: each["code"] for each in found}

    def apply(self, change_id: str) -> str:
        """Puts the change in force with the number that its report has, which the admin has seen."""
        report = self._api.changes.report(change_id)
        number = report["next"]["accept_disconnects"]
        applied = self._api.changes.apply(change_id, checksum=report["checksum"], accept_disconnects=number)
        return str(applied["state"])

    def take_back(self, change_id: str) -> str:
        """The state of the change afterwards."""
        return str(self._api.changes.roll_back(change_id)["state"])
