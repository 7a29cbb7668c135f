"""Runs within a namespace (`tests.servers.namespaces`): surveys one server at many ports, and prints what was found.

Each port has a firewall rule of its own; all are surveyed at the same time, for whoever drops makes us wait.
"""

import json
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from checks.context import CheckContext
from checks.egress.admissions import banned_since
from checks.egress.survey import knock_from_all
from checks.model import Endpoint, Protocol, Security
from checks.network.address_policy import AddressPolicy
from checks.network.static_addresses import addresses_of, parse_ranges
from checks.network.way_out import Source
from checks.runner import check_endpoint
from checks.trust import Trust
from tests.checks.egress.firewall_rules import PORTS, SERVER, SERVER_6, SHARED, STATIC, STATIC_6
from tests.servers.certificates import CertificateLab
from tests.servers.gate import Gate
from tests.servers.guarded import GuardedServer

NAMES = {"both.example": ((socket.AF_INET, SERVER), (socket.AF_INET6, SERVER_6)), "four.example": ((2, SERVER),)}


def _resolve(host: str, port: int, *_: object, **__: object) -> list[object]:
    """The names of this network, whose resolver we are."""
    return [(family, socket.SOCK_STREAM, 6, "", (address, port)) for family, address in NAMES[str(host)]]


def _survey(case: str, ca_pem: str) -> dict[str, object]:
    static = addresses_of(parse_ranges(f"{STATIC}, {STATIC_6}" if case == "ipv6_only" else STATIC), "")
    context = CheckContext(
        Trust(ca_pem),
        AddressPolicy(allow_all=True),
        deadline_seconds=10,
        source=Source.of(SHARED),
        static=static,
        shared_name=SHARED,
    )
    host = "both.example" if case == "ipv6_only" else "four.example"
    result = check_endpoint(Endpoint(Protocol.IMAP, host, PORTS[case], Security.TLS), context)
    admissions = result.admissions
    if case == "banned":
        for _ in range(4):
            again = knock_from_all(result.endpoint, context, static, shared=False)
        admissions = banned_since(admissions, again)
    return {
        "verdict": result.verdict,
        "code": result.code,
        "warnings": [warning.code for warning in result.warnings],
        "blocked": result.facts.get("addresses", ""),
        "outcomes": {each.source: each.outcome for each in admissions},
    }


def main(folder: str) -> None:
    """Prints one JSON object: case -> what was found."""
    lab = CertificateLab(Path(folder))
    with GuardedServer(lab.issue("four.example", "both.example"), {}) as server, ThreadPoolExecutor(len(PORTS)) as pool:
        gates = [Gate(server.imap_port, {}, listens=(SERVER, SERVER_6), port=port) for port in PORTS.values()]
        socket.getaddrinfo = _resolve  # type: ignore[assignment] # this process has no other use of names
        for gate in gates:
            gate.__enter__()
        found = dict(zip(PORTS, pool.map(lambda case: _survey(case, lab.ca_pem), PORTS), strict=True))
        sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1])
