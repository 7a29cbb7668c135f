"""An OAuth 2.0 introspection endpoint (RFC 7662) on loopback, for a Dovecot that asks whose an access token is."""

import http.server
import json
import threading
import urllib.parse
from collections.abc import Mapping

from tests.servers.process import LOOPBACK, Server


class Introspection(Server):
    """`tokens` maps access tokens to the user names that they stand for; every other one is inactive."""

    def __init__(self, tokens: Mapping[str, str]) -> None:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                user = tokens.get(urllib.parse.parse_qs(body).get("token", [""])[0])
                answer = json.dumps({"active": user is not None, "username": user or ""}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - http.server's
                """Nothing is printed."""

        self._server = http.server.ThreadingHTTPServer((LOOPBACK, 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self._server.server_address[1]}/introspect"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
