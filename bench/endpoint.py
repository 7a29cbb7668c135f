"""What an endpoint check costs beside a bare strict handshake that reads the greeting, against the same Dovecot."""

import contextlib
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.field import HOST, say
from bench.plan import Void
from checks.codes import Code
from checks.context import CheckContext
from checks.model import Endpoint, Protocol, Security
from checks.network.address_policy import AddressPolicy
from checks.runner import check_endpoint
from checks.trust import Trust
from tests.servers.dovecot import DovecotOptions
from tests.servers.lab import mail_lab
from tests.servers.pki.chain import Chain
from tests.servers.pki.defects import Defect, forge
from tests.servers.tls_server import TlsServer

LIMIT = 1.3
_ROUNDS = 400
_WARM_UP = 10
REFUSED: Mapping[str, frozenset[Defect]] = {
    "self-signed": frozenset({Defect.LEAF_SELF_SIGNED}),
    "intermediate missing": frozenset({Defect.SENT_WITHOUT_INTERMEDIATE}),
    "expired": frozenset({Defect.LEAF_EXPIRED}),
    "another name": frozenset({Defect.LEAF_OTHER_NAME}),
}


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of one check: wall (median) and CPU of this process (mean)."""

    wall: float
    cpu: float


@dataclass(frozen=True, slots=True)
class EndpointCosts:
    """Both parties, and how many connections a check of ours opens: accepted, and refused by what is wrong."""

    bare: Cost
    ours: Cost
    connections: Mapping[str, int]


def measure_endpoint(folder: Path, rounds: int = _ROUNDS) -> EndpointCosts:
    """Both in turn, so that what disturbs one disturbs the other. Raises `Void` where a check is not accepted."""
    own = folder / "endpoint"  # the other sections have servers of their own
    own.mkdir(mode=0o755)
    with mail_lab(own, 1, DovecotOptions(fast=True)) as lab:
        ca_pem, port = lab.certificates.ca_pem, lab.dovecot.imaps_port
        context = CheckContext(Trust(ca_pem), AddressPolicy(allow_all=True))
        endpoint = Endpoint(Protocol.IMAP, HOST, port, Security.TLS)

        def ours() -> None:
            result = check_endpoint(endpoint, context)
            if result.code is not Code.OK:
                raise Void(f"the endpoint check says {result.code}")

        bare, checked = _in_turn(lambda: bare_handshake(port, context.trust.strict, b"* OK"), ours, rounds)
    say(f"  bare {bare.wall * 1000:.2f} ms, checked {checked.wall * 1000:.2f} ms")
    return EndpointCosts(bare, checked, dict(_connections()))


def bare_handshake(port: int, context: ssl.SSLContext, greeting: bytes) -> None:
    """A handshake that reads the first words. Raises `Void` where they are others."""
    with socket.create_connection((HOST, port), timeout=10) as plain:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with context.wrap_socket(plain, server_hostname=HOST) as secure:
            if not secure.recv(4096).startswith(greeting):
                raise Void("no greeting")


def _in_turn(one: Callable[[], None], other: Callable[[], None], rounds: int) -> tuple[Cost, Cost]:
    walls: tuple[list[float], list[float]] = ([], [])
    cpus = [0.0, 0.0]
    for number in range(_WARM_UP + rounds):
        for party, action in enumerate((one, other)):
            wall, cpu = time.perf_counter(), time.process_time()
            action()
            if number >= _WARM_UP:
                walls[party].append(time.perf_counter() - wall)
                cpus[party] += time.process_time() - cpu
    first, second = (Cost(median(found), cpu / rounds) for found, cpu in zip(walls, cpus, strict=True))
    return first, second


def _connections() -> Iterator[tuple[str, int]]:
    yield "accepted", _met(forge(host=HOST))
    for name, defects in REFUSED.items():
        yield name, _met(forge(defects, HOST))


def _met(chain: Chain) -> int:
    context = CheckContext(Trust(chain.ca_pem), AddressPolicy(allow_all=True), fetch_issuers=False)
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(TlsServer(chain))
        check_endpoint(Endpoint(Protocol.IMAP, HOST, server.port, Security.TLS), context)
        return server.connections


def endpoint_table(costs: EndpointCosts) -> Iterator[str]:
    """The lines of the table."""
    yield "| one endpoint, accepted | bare handshake and greeting | endpoint check | ratio | target |"
    yield "|---|---:|---:|---:|---|"
    for name, bare, ours in (
        ("wall", costs.bare.wall, costs.ours.wall),
        ("CPU", costs.bare.cpu, costs.ours.cpu),
    ):
        ratio = ours / bare
        told = f"{ratio:.2f}" if ratio <= LIMIT else f"**{ratio:.2f}, missed**"
        yield f"| {name} | {bare * 1000:.2f} ms | {ours * 1000:.2f} ms | {told} | ≤ {LIMIT:.2f} |"
    opened = ", ".join(f"{name} {count}" for name, count in costs.connections.items())
    yield ""
    yield f"Connections that a check opens: {opened}."
