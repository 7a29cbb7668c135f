"""Two hundred spellings of what is inside, at each layer that a connection passes."""

import csv
import ipaddress
import re
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from checks.model import Fault, Invalid
from checks.network.address_policy import MAIL_AND_HTTPS, AddressPolicy
from checks.network.dial import Deadline, dial, dial_all, resolve
from checks.network.way_out import Source, WayOut, require
from checks.settings import normalise_host
from worker.alerts.egress_guard import NotAllowed, guarded

with Path(__file__).with_name("ways_inside.csv").open(encoding="utf-8", newline="") as _file:
    ROWS = [tuple(row) for row in csv.reader(_file)][1:]
DISTRIBUTED = AddressPolicy(ports=MAIL_AND_HTTPS)
PORT = 993
_ADDRESS = re.compile(r"\b\d+\.\d+\.\d+\.\d+\b|[0-9a-f]*:[0-9a-f:]+:")


def test_there_are_two_hundred() -> None:
    assert len({spelling for spelling, _, _ in ROWS}) == len(ROWS) >= 200


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> dict[str, Sequence[str]]:
    """What names lead to; numbers in any notation are read as the system reads them, and nothing leaves."""
    known: dict[str, Sequence[str]] = {}
    real = socket.getaddrinfo

    def answer(host: str, port: int, *_: object, **__: object) -> list[Any]:
        if (addresses := known.get(str(host).lower().removesuffix("."))) is None:
            return real(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        return [(0, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return known


@pytest.mark.parametrize(("spelling", "leads_to", "about"), ROWS, ids=[row[0] for row in ROWS])
def test_it_is_refused_wherever_it_comes_by(
    spelling: str, leads_to: str, about: str, resolver: dict[str, Sequence[str]]
) -> None:
    """As it is typed, as it is looked up past our own reading of it, and at the connection itself."""
    try:
        typed = normalise_host(spelling)
    except Invalid:
        typed = ""
    resolver |= {name.lower().removesuffix("."): leads_to.split() for name in (spelling, typed) if leads_to}
    for host in {spelling, typed} - {""}:
        with pytest.raises(Fault) as refused:
            resolve(host, PORT, DISTRIBUTED, Deadline(5))
        assert refused.value.code.startswith(("address.", "dns.")), about
        told = f"{refused.value} {refused.value.facts}"
        assert not _ADDRESS.search(told), f"{told} tells what is inside"
    way_out = WayOut(DISTRIBUTED, Source())
    for address in _numeric(spelling, leads_to):
        with pytest.raises(Fault):
            way_out.socket_to(address, PORT)
        with pytest.raises(Fault):
            dial([address], PORT, Deadline(1), way_out)
        for attempt in dial_all([address, address], PORT, Deadline(1), way_out):
            assert attempt.sock is None
            assert attempt.fault


def _numeric(spelling: str, leads_to: str) -> set[str]:
    """The addresses that are connected to in the end."""
    if leads_to:
        return set(leads_to.split())
    try:
        rows = socket.getaddrinfo(spelling.strip("[]"), PORT, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        return set()
    return {str(row[4][0]) for row in rows}


@pytest.mark.allow_hosts(["127.0.0.1", "::1", "10.0.0.1", "169.254.169.254", "fd00:ec2::254"])
@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "10.0.0.1", "169.254.169.254", "fd00:ec2::254"])
def test_what_others_have_written_is_held_to_it_at_the_connection(address: str) -> None:
    def connect() -> None:
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as sock:
            sock.settimeout(1)
            sock.connect((address, PORT))

    with pytest.raises(NotAllowed) as refused:
        guarded(connect, DISTRIBUTED, 5)
    assert address not in str(refused.value)


@pytest.mark.parametrize("port", [25, 143, 443, 465, 587, 993, 2525])
def test_mail_and_https_are_open(port: int) -> None:
    require(DISTRIBUTED, "9.9.9.9", port)


@pytest.mark.parametrize("port", [1, 22, 23, 80, 111, 445, 3306, 5432, 6379, 8080, 8443, 9200, 11211, 27017])
def test_others_are_not(port: int) -> None:
    for address in ("9.9.9.9", "2620:fe::fe", "::ffff:9.9.9.9"):
        with pytest.raises(Fault, match=r"address\.port_not_allowed"):
            require(DISTRIBUTED, address, port)
    with pytest.raises(Fault, match=r"address\.port_not_allowed"):
        resolve("9.9.9.9", port, DISTRIBUTED, Deadline(1))


def test_who_names_a_network_means_all_of_it() -> None:
    named = AddressPolicy(networks=(ipaddress.ip_network("10.0.0.0/8"),), ports=MAIL_AND_HTTPS)
    require(named, "10.1.2.3", 8993)
    require(named, "::ffff:10.1.2.3", 8993)
    with pytest.raises(Fault):
        require(named, "9.9.9.9", 8993)
