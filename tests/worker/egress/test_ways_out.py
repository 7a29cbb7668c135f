"""Every way out of this service ends at the guarded dial: what leads inside is not connected to, whoever asked for it.

127.0.0.8 stands for a server on the Internet, 127.0.0.1 for what is inside: it listens, and counts who comes.
"""

import ast
import contextlib
import ipaddress
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from checks.codes import Code
from checks.context import CheckContext
from checks.egress.survey import knock_from_all
from checks.model import Credential, CredentialKind, Endpoint, Fault, Protocol, Security
from checks.network.address_policy import AddressPolicy
from checks.network.dial import Deadline
from checks.network.fetch import Unfetched, fetch
from checks.network.static_addresses import StaticAddress
from checks.network.way_out import WayOut
from checks.oauth import token_endpoint
from checks.protocols import login
from checks.protocols.exchange.autodiscover import other_url
from checks.protocols.exchange.url import endpoint_of
from checks.runner import check_endpoint
from checks.trust import Trust
from tests.checks.helpers import route_to
from tests.servers.certificates import CertificateLab
from tests.servers.exchange.server import ExchangeServer
from tests.servers.guarded import GuardedServer
from worker.alerts import apprise_sender
from worker.alerts.message import Message, NotSent
from worker.webhooks import sender, target

pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "127.0.0.8", "::1", "localhost"])
ROOT = Path(__file__).parents[3]
OUTSIDE = ipaddress.ip_network("127.0.0.8/32")
POLICY = AddressPolicy(networks=(OUTSIDE,))
NAME = "mail.inside.example"


class Inside:
    """A listener that nobody may come to. `port` is free at 127.0.0.8 too."""

    def __init__(self) -> None:
        self.came = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.came += 1
                connection.close()

    def close(self) -> None:
        """Says goodbye."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@pytest.fixture
def inside(monkeypatch: pytest.MonkeyPatch) -> Iterator[Inside]:
    """The name leads there, by way of an alias that nobody sees; numbers are what they are."""
    real = socket.getaddrinfo

    def answer(host: str, port: int, *args: Any, **options: Any) -> list[Any]:
        if str(host).removesuffix(".") == NAME:
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]
        return real(host, port, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    found = Inside()
    yield found
    found.close()


def context() -> CheckContext:
    return CheckContext(Trust(""), POLICY, deadline_seconds=3, login_seconds=3)


def _check(protocol: Protocol) -> Callable[[str, int], object]:
    return lambda host, port: check_endpoint(Endpoint(protocol, host, port, Security.TLS), context())


def _log_in(host: str, port: int) -> object:
    """Past the look-up: an address that was kept from a time when it was another one's."""
    route = replace(route_to(port, replace(context(), policy=AddressPolicy(allow_all=True))), addresses=(host,))
    return login.log_in(route, Credential("a@b.example", "x"), context())


def _fetch(host: str, port: int) -> object:
    with pytest.raises(Unfetched):
        fetch(f"http://{host}:{port}/issuer.der", WayOut(POLICY), 3)
    with pytest.raises(Unfetched):
        fetch(f"http://{host}:{port}/ocsp", WayOut(POLICY), 3, b"?", "application/ocsp-request")
    return None


def _token(host: str, port: int) -> object:
    secret = f'{{"token_url": "https://{host}:{port}/t", "client_id": "a", "client_secret": "b", "scope": "c"}}'
    with pytest.raises(Fault):
        token_endpoint.redeem(Credential("a@b.example", secret, CredentialKind.OAUTH2_CLIENT), context())
    return None


def _webhook(scheme: str) -> Callable[[str, int], object]:
    def post(host: str, port: int) -> object:
        outcome = sender.post(target.parse(f"{scheme}://{host}:{port}/h"), {}, b"{}", sender.Network(POLICY, True), 0.0)
        assert not outcome.sent
        assert "127.0.0.1" not in outcome.error, "who reads it may be none that should know"
        return None

    return post


def _alert(url: str) -> Callable[[str, int], object]:
    def send(host: str, port: int) -> object:
        with pytest.raises(NotSent) as failed:
            apprise_sender.send(url.format(place=f"{host}:{port}"), Message("1", "subject", "text"), POLICY)
        if host == NAME:
            assert "127.0.0.1" not in str(failed.value)
        return None

    return send


def _knock(host: str, port: int) -> object:
    static = StaticAddress("127.0.0.4", "127.0.0.4")
    assert knock_from_all(Endpoint(Protocol.IMAP, host, port, Security.TLS), context(), [static]) == ()
    return None


WAYS: dict[str, Callable[[str, int], object]] = {
    "imap": _check(Protocol.IMAP),
    "smtp": _check(Protocol.SMTP),
    "exchange": lambda host, port: check_endpoint(endpoint_of(f"https://{host}:{port}/EWS/Exchange.asmx"), context()),
    "autodiscover": lambda host, port: other_url(f"https://{host}:{port}/EWS/Exchange.asmx", context(), Deadline(3)),
    "aia, crl, ocsp": _fetch,
    "oauth": _token,
    "webhook": _webhook("https"),
    "webhook in clear": _webhook("http"),
    "alert": _alert("json://{place}/"),
    "alert over tls": _alert("jsons://{place}/"),
    "alert by mail": _alert("mailto://{place}/?from=a@b.example&to=c@b.example"),
    "firewall test": _knock,
}


@pytest.mark.parametrize("host", [NAME, "127.0.0.1"])
@pytest.mark.parametrize("way", WAYS)
def test_no_way_leads_inside(way: str, host: str, inside: Inside) -> None:
    WAYS[way](host, inside.port)
    assert inside.came == 0


def test_an_address_that_was_kept_is_judged_when_it_is_connected_to(inside: Inside) -> None:
    _log_in("127.0.0.1", inside.port)
    assert inside.came == 0


def test_a_name_that_changes_between_check_and_login(
    inside: Inside, certificates: CertificateLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is looked up again for the logins of a run, and leads inside by then."""
    answers = ["127.0.0.8", "127.0.0.1"]
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda _host, port, **_: [(2, socket.SOCK_STREAM, 6, "", (answers.pop(0), port))],
    )
    with GuardedServer(certificates.issue(), {}) as server:
        relay = _relay(server.imap_port, inside.port)
        endpoint = Endpoint(Protocol.IMAP, "mail.lab.example", inside.port, Security.TLS)
        given = replace(context(), trust=Trust(certificates.ca_pem))
        result = check_endpoint(endpoint, given)
        assert result.address == "127.0.0.8"
        with pytest.raises(Fault, match=r"address\.not_allowed"):
            login.open_route(result, given)
        relay.close()
    assert inside.came == 0


def test_a_redirect_of_exchange_is_looked_up_and_judged_anew(
    inside: Inside, server_folder: Path, certificates: CertificateLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it leads to on the same host is asked, too: the host's name leads inside by then."""
    answers = ["127.0.0.8"]
    folder = server_folder / "exchange-ways-out"
    with ExchangeServer(folder, certificates.issue(), {}, ("Basic",)) as exchange:
        exchange.play("redirect_path")
        monkeypatch.setattr(
            socket,
            "getaddrinfo",
            lambda _host, port, **_: [(2, 1, 6, "", (answers.pop(0) if answers else "127.0.0.1", port))],
        )
        relay = _relay(exchange.port, inside.port)
        given = replace(context(), trust=Trust(certificates.ca_pem))
        result = check_endpoint(endpoint_of(f"https://mail.lab.example:{inside.port}/EWS/Exchange.asmx"), given)
        relay.close()
        monkeypatch.undo()
    assert (result.code, result.fix) == (Code.EXCHANGE_REDIRECTED, None), "what is not reached is not proposed"
    assert (answers, inside.came) == ([], 0)


def _relay(port: int, at: int) -> socket.socket:
    """The server, at 127.0.0.8 and that port."""
    listener = socket.create_server(("127.0.0.8", at))

    def pump(one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(65_536):
                other.sendall(data)
        with contextlib.suppress(OSError):
            other.shutdown(socket.SHUT_WR)

    def relay(connection: socket.socket) -> None:
        with connection, socket.socket() as inner, contextlib.suppress(OSError):
            inner.connect(("127.0.0.1", port))
            back = threading.Thread(target=pump, args=(inner, connection), daemon=True)
            back.start()
            pump(connection, inner)
            back.join()

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=relay, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return listener


# -- and there is no other way

_OPENS = {"connect", "connect_ex", "create_connection", "getaddrinfo", "gethostbyname", "urlopen", "sendto"}
_CLIENTS = {"HTTPConnection", "HTTPSConnection", "SMTP", "SMTP_SSL", "IMAP4", "IMAP4_SSL", "open_connection"}
ALLOWED = {
    ("checks/network/dial.py", "connect"): "to a socket of `WayOut`",
    ("checks/network/dial.py", "connect_ex"): "to a socket of `WayOut`",
    ("checks/network/dial.py", "getaddrinfo"): "the one look-up",
    ("checks/network/way_out.py", "socket"): "the one place that makes sockets, and asks the policy",
    ("checks/egress/knock.py", "socket"): "bound to see whether we have an address, and never connected",
    ("settings_store/db.py", "connect"): "the database's",
    ("web/api/connecting/connections.py", "connect"): "the use case of that name",
    ("web/server.py", "socket"): "listens",
    ("web/server.py", "getaddrinfo"): "of where it listens",
}


def _calls(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", "") or getattr(node.func, "id", "")
            of_socket = name == "socket" and isinstance(node.func, ast.Attribute)
            if name in _OPENS | _CLIENTS or of_socket:
                yield name


def test_nothing_else_opens_connections() -> None:
    """Alerts are sent by others' code, under `worker.alerts.egress_guard`, which judges each connection."""
    found = {
        (str(path.relative_to(ROOT)), name)
        for floor in ("checks", "settings_store", "worker", "web")
        for path in (ROOT / floor).rglob("*.py")
        for name in _calls(path)
    }
    assert found == set(ALLOWED)
