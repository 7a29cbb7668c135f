"""The stand-in Exchange as a process of its own: `python -m tests.servers.exchange.program CONFIG.json`.

Four listeners on loopback: Exchange over TLS, its port 80, another host that a redirect may name, and the control port,
which takes one JSON document a line. Their ports are written to `ports.json` beside the configuration.
"""

import contextlib
import json
import socket
import ssl
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.servers.exchange.accounts import Account, Directory
from tests.servers.exchange.authentication import Application, Gate, Session, end_point_bindings
from tests.servers.exchange.record import Record
from tests.servers.exchange.scenarios import ENDPOINT_SCENARIOS
from tests.servers.exchange.site import Defaults, Origins, Site
from tests.servers.exchange.wire import Answer, Connection, gzip_bomb

LOOPBACK = "127.0.0.1"
TLS_HANDSHAKE = 22  # the first byte of a TLS record that shakes hands (RFC 8446, section 5.1)
PLAIN_TO_TLS = Answer(400, b"The plain HTTP request was sent to HTTPS port", close=True)
BAD_REQUEST = Answer(400, b"Bad Request", close=True)
NOBODY_HOME = Answer(404, close=True)


def main(configuration: Path) -> None:
    """Serve until the process is ended."""
    config = json.loads(configuration.read_text())
    listeners = {
        name: socket.create_server((LOOPBACK, 0), backlog=500) for name in ("secure", "plain", "other", "control")
    }
    ports = {name: listener.getsockname()[1] for name, listener in listeners.items()}
    exchange = Exchange(config, configuration.parent, ports)
    for name, serve in exchange.services().items():
        for listener in (listeners[name], *_on_ipv6(ports[name])):
            threading.Thread(target=_accept, args=(listener, serve), daemon=True).start()
    written = configuration.with_name("ports.part")
    written.write_text(json.dumps(ports))
    written.rename(configuration.with_name("ports.json"))
    threading.Event().wait()


def _on_ipv6(port: int) -> list[socket.socket]:
    """The same port on ::1, where `localhost` is that too: an installed Debian has it so, a container often not."""
    known = {place[4][0] for place in socket.getaddrinfo("localhost", port, type=socket.SOCK_STREAM)}
    return [socket.create_server(("::1", port), family=socket.AF_INET6, backlog=500)] if "::1" in known else []


def _accept(listener: socket.socket, serve: Callable[[socket.socket], None]) -> None:
    while True:
        accepted, _ = listener.accept()
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=serve, args=(accepted,), daemon=True).start()


class Exchange:
    """All services of the process."""

    def __init__(self, config: dict[str, Any], folder: Path, ports: dict[str, int]) -> None:
        accounts = {address: Account(address, **fields) for address, fields in config["accounts"].items()}
        directory = Directory(accounts, config["lockout"])
        self._gate = Gate(directory, Application(**config["application"]), folder)
        bindings = end_point_bindings(ssl.PEM_cert_to_DER_cert(_first(Path(config["chain"]).read_text())))
        elsewhere = end_point_bindings(b"the certificate of another machine")
        self._site = Site(
            directory,
            self._gate,
            Defaults(tuple(config["schemes"]), config["protection"], config["version"]),
            {"off": None, "require": bindings, "other_certificate": elsewhere},
            Origins(f"https://{LOOPBACK}:{ports['other']}", f"http://{LOOPBACK}:{ports['plain']}", ports["secure"]),
        )
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(config["chain"], config["key"])
        self._record = Record()

    def services(self) -> dict[str, Callable[[socket.socket], None]]:
        return {"secure": self._secure, "plain": self._plain, "other": self._other, "control": self._control}

    def _secure(self, accepted: socket.socket) -> None:
        transport = self._site.scenario.transport
        if transport == "silent":
            self._hang(accepted)
        elif transport == "closed" or (first := _first_byte(accepted)) is None:
            self._leave(accepted)
        elif transport == "plain" or first != TLS_HANDSHAKE:
            self._talk(accepted, "plain", lambda *_: PLAIN_TO_TLS)
        else:
            self._talk(accepted, "secure", self._site.answer, tls=True)

    def _leave(self, accepted: socket.socket) -> None:
        self._record.connected("secure")
        accepted.close()
        self._record.left("secure")

    def _hang(self, accepted: socket.socket) -> None:
        """Read and say nothing until the client leaves."""
        self._record.connected("secure")
        with contextlib.suppress(OSError), accepted:
            while accepted.recv(65536):
                pass
        self._record.left("secure")

    def _plain(self, accepted: socket.socket) -> None:
        self._talk(accepted, "plain", lambda request, _: self._site.redirect_to_tls(request))

    def _other(self, accepted: socket.socket) -> None:
        self._talk(accepted, "other", lambda *_: NOBODY_HOME, tls=True)

    def _talk(self, accepted: socket.socket, where: str, answer: Callable[..., Answer], tls: bool = False) -> None:
        number = self._record.connected(where)
        try:
            # OSError covers ssl.SSLError and clients that leave
            with contextlib.suppress(OSError):
                stream = self._tls.wrap_socket(accepted, server_side=True) if tls else accepted
                self._converse(Connection(stream), where, number, answer)
        finally:
            accepted.close()
            self._record.left(where)

    def _converse(self, connection: Connection, where: str, number: int, answer: Callable[..., Answer]) -> None:
        session = Session()
        try:
            while (request := connection.request()) is not None:
                reply = answer(request, session)
                self._record.asked(where, number, request, reply.status)
                connection.answer(reply)
                if reply.ends or request.headers.get("connection", "").lower() == "close":
                    return
        except ValueError:
            connection.answer(BAD_REQUEST)
        finally:
            connection.close()

    def _control(self, accepted: socket.socket) -> None:
        with accepted, accepted.makefile("rwb") as stream:
            for line in stream:
                stream.write(json.dumps(self._obey(**json.loads(line))).encode() + b"\n")
                stream.flush()

    def _obey(self, do: str, **values: Any) -> Any:
        if do == "play":
            if values["scenario"] == "gzip_bomb":
                gzip_bomb()  # takes a while, and the client's deadline has not begun
            self._site.scenario = ENDPOINT_SCENARIOS[values["scenario"]]
        elif do == "act":
            self._site.directory.act(values["address"], values["scenario"])
        elif do == "forget":
            self._record.forget()
            self._site.directory.forget()
        elif do == "token":
            return self._gate.grant(values["address"])
        elif do == "revoke":
            self._gate.revoke()
        else:
            directory = self._site.directory
            return {
                **self._record.document(),
                "good": directory.good,
                "bad": directory.bad,
                "locked": directory.locked(),
            }
        return None


def _first_byte(accepted: socket.socket) -> int | None:
    """What the client begins with; it stays to be read. None when it leaves without a word."""
    try:
        return next(iter(accepted.recv(1, socket.MSG_PEEK)), None)
    except OSError:
        return None


def _first(chain: str) -> str:
    end = "-----END CERTIFICATE-----"
    return chain[: chain.index(end) + len(end)]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
