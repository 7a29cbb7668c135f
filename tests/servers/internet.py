"""A small Internet on loopback: names, web servers and mail servers, each at the port where it really would be.

Real sockets, real TLS, a real DNS server; only where a name and a port are is told by a table, because nobody may
listen at port 443 of loopback. Hosts have accepted certificates where they are named in `certified`.
"""

import contextlib
import http.server
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from checks.context import CheckContext
from checks.discovery.web import Outside
from checks.model import Endpoint, EndpointResult, Protocol
from checks.network.address_policy import AddressPolicy
from checks.network.dial import Deadline, resolve
from checks.network.dns import SystemDns
from checks.runner import check_endpoint
from checks.settings import exchange_endpoint
from checks.trust import Trust
from tests.servers.behaviours import IMAP_GREETING, imap_script, smtp_script
from tests.servers.certificates import CertificateLab
from tests.servers.conversation import Script, server_context
from tests.servers.dns_server import DnsServer, Zone
from tests.servers.hostile import HostileServer
from tests.servers.process import LOOPBACK

Page = tuple[int, Mapping[str, str], bytes]
Lookup = Callable[..., Any]
CLOSED = 1
"""A port of loopback where nobody listens."""
_STARTTLS_IMAP = replace(
    imap_script(("^\\S+ CAPABILITY", "* CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN\r\n{tag} OK Done")),
    greeting=IMAP_GREETING.format(extra=" STARTTLS"),
    tls="starttls",
)
_STARTTLS_SMTP = replace(
    smtp_script(("^EHLO", "250-mail.lab.example\r\n250-STARTTLS\r\n250 AUTH PLAIN LOGIN")), tls="starttls"
)
MAIL: Mapping[int, Script] = {993: imap_script(), 143: _STARTTLS_IMAP, 465: smtp_script(), 587: _STARTTLS_SMTP}
EXCHANGE: Page = (
    401,
    {"WWW-Authenticate": 'Basic realm="mail"', "X-FEServer": "EX01", "request-id": "1"},
    b"",
)


@dataclass
class Internet:
    """What there is. `pages` are by URL without its query; `mail` are the (host, port) at which mail is served.

    `ports` says where each port is on loopback; another table makes another way there, such as a slow one.
    `exceptions`: hosts that have at a port what others have at another one. `requests` came to the web servers,
    and `bodies` to hosts of them, which wait for `before_answering`.
    """

    lab: CertificateLab
    certified: tuple[str, ...]
    zone: Zone = field(default_factory=dict)
    pages: dict[str, Page] = field(default_factory=dict)
    mail: set[tuple[str, int]] = field(default_factory=set)
    hosts: set[str] = field(default_factory=set)
    ports: dict[int, int] = field(default_factory=dict)
    exceptions: dict[tuple[str, int], int] = field(default_factory=dict)
    authenticated: bool = False
    policy: AddressPolicy = field(default_factory=lambda: AddressPolicy(allow_all=True))
    requests: list[tuple[str, str]] = field(default_factory=list)
    bodies: list[tuple[str, bytes]] = field(default_factory=list)
    before_answering: Callable[[], object] = lambda: None

    @contextlib.contextmanager
    def running(self) -> Iterator["Internet"]:
        """All of it, up."""
        leaf = self.lab.issue(*self.certified)
        with contextlib.ExitStack() as stack:
            self.dns = stack.enter_context(DnsServer(self.zone, authenticated=self.authenticated))
            for port, script in MAIL.items():
                self.ports[port] = stack.enter_context(HostileServer(script, leaf)).port
            self.ports[443] = stack.enter_context(_web(self, server_context(leaf)))
            self.ports[80] = stack.enter_context(_web(self, None))
            stack.enter_context(self._names())
            yield self

    def stand_in(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The service reaches this one, whatever it discovers."""

        def outside_of(context: CheckContext) -> Outside:
            return replace(self.outside(), context=replace(context, trust=Trust(self.lab.ca_pem)))

        monkeypatch.setattr("worker.service.domains.discovery.outside_of", outside_of)
        monkeypatch.setattr("worker.pacing.endpoint_slot.check_endpoint", self.check)

    @contextlib.contextmanager
    def _names(self) -> Iterator[None]:
        """The system's own look-up knows these names, and no other ones."""
        real: Lookup = socket.getaddrinfo

        def look_up(host: Any, port: Any, *rest: Any, **named: Any) -> Any:
            if host in {LOOPBACK, "localhost", None}:
                return real(host, port, *rest, **named)
            if str(host) not in self.names:
                raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
            return real(LOOPBACK, port, *rest, **named)

        socket.getaddrinfo = look_up
        try:
            yield
        finally:
            socket.getaddrinfo = real

    @property
    def names(self) -> set[str]:
        """Every name that has an address."""
        hosts = {url.split("/")[2] for url in self.pages}
        return self.hosts | hosts | {host for host, _ in self.mail}

    def outside(self, seconds: float = 5.0) -> Outside:
        """How discovery reaches it, trusting the lab's authority."""
        context = CheckContext(Trust(self.lab.ca_pem), self.policy, deadline_seconds=seconds, fetch_issuers=False)
        return Outside(context, SystemDns(self.dns.resolver()), self.places)

    def places(self, host: str, port: int, context: CheckContext, deadline: Deadline) -> tuple[tuple[str, ...], int]:
        """The addresses as they really are looked up, under the policy; the port where that service is."""
        return resolve(host, port, context.policy, deadline), self._at(host, port)

    def _at(self, host: str, port: int) -> int:
        there = port in {80, 443} or (host, port) in self.mail
        return self.ports.get(self.exceptions.get((host, port), port), CLOSED) if there else CLOSED

    def check(self, endpoint: Endpoint, context: CheckContext) -> EndpointResult:
        """The real endpoint check, at the place where the endpoint is."""
        port = self._at(endpoint.host, endpoint.port)
        if endpoint.protocol is Protocol.HTTPS:
            at = exchange_endpoint(endpoint.url.replace(endpoint.host, f"{endpoint.host}:{port}", 1))
            return replace(check_endpoint(at, context), endpoint=endpoint)
        result = check_endpoint(replace(endpoint, port=port), context)
        return replace(result, endpoint=replace(result.endpoint, port=endpoint.port))

    def serve_mail(self, *places: str) -> None:
        """`imap.example.com:993` and the like."""
        for place in places:
            host, _, port = place.rpartition(":")
            self.mail.add((host, int(port)))


@contextlib.contextmanager
def _web(internet: Internet, context: ssl.SSLContext | None) -> Iterator[int]:
    scheme = "https" if context else "http"

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            internet.bodies.append((self.headers.get("Host", ""), body))
            self._answer()

        def _answer(self) -> None:
            host = self.headers.get("Host", "").partition(":")[0]
            url = f"{scheme}://{host}{self.path}"
            internet.requests.append((self.command, url))
            internet.before_answering()
            status, headers, body = internet.pages.get(url.partition("?")[0], (404, {}, b""))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(body)
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Nothing."""

    class Web(http.server.ThreadingHTTPServer):
        daemon_threads = True

        def finish_request(self, request: Any, client_address: Any) -> None:
            with contextlib.suppress(OSError):
                if context is None:
                    super().finish_request(request, client_address)
                    return
                # here, so that a slow handshake holds up nobody
                with context.wrap_socket(request, server_side=True, do_handshake_on_connect=False) as secured:
                    secured.do_handshake()
                    super().finish_request(secured, client_address)

    with Web((LOOPBACK, 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def autoconfig(
    imap: Iterable[tuple[str, int, str]],
    smtp: Iterable[tuple[str, int, str]],
    username: str = "%EMAILADDRESS%",
    ways: Iterable[str] = ("password-cleartext",),
) -> bytes:
    """An autoconfig document; servers are (host, port, socketType)."""

    def server(tag: str, kind: str, host: str, port: int, security: str) -> str:
        authentication = "".join(f"<authentication>{way}</authentication>" for way in ways)
        return (
            f'<{tag} type="{kind}"><hostname>{host}</hostname><port>{port}</port><socketType>{security}</socketType>'
            f"<username>{username}</username>{authentication}</{tag}>"
        )

    servers = [server("incomingServer", "imap", *each) for each in imap]
    servers += [server("outgoingServer", "smtp", *each) for each in smtp]
    return (
        '<?xml version="1.0"?><clientConfig version="1.1"><emailProvider id="x"><displayName>X</displayName>'
        f"{''.join(servers)}</emailProvider></clientConfig>"
    ).encode()
