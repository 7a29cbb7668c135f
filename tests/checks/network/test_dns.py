"""Questions to a DNS server of ours: records as they come, who vouches for them, and what is no answer."""

import time

import pytest

from checks.codes import Code
from checks.model import Fault
from checks.network.dial import Deadline
from checks.network.dns import MOST_RECORDS, Answer, Record, SystemDns
from tests.servers.dns_server import DnsServer

ZONE = {
    ("corp.example", "MX"): ["10 MX1.corp.example.", "20 ."],
    ("_imaps._tcp.corp.example", "SRV"): ["1 2 993 imap.corp.example."],
    ("_ua-auto-config.corp.example", "TXT"): ['"v=UAAC1; " "a=sha256"', r'"\255"'],
    ("many.example", "MX"): [f"10 mx{number}.example." for number in range(40)],
}


def ask(server: DnsServer, name: str, kind: str, seconds: float = 2.0) -> Answer:
    return SystemDns(server.resolver()).ask(name, kind, Deadline(seconds))  # type: ignore[arg-type] # a test's text


def test_records() -> None:
    with DnsServer(ZONE) as server:
        assert set(ask(server, "corp.example", "MX").records) == {
            Record(priority=10, target="mx1.corp.example"),
            Record(priority=20),
        }
        assert ask(server, "_imaps._tcp.corp.example", "SRV").records == (Record(1, 2, 993, "imap.corp.example"),)
        texts = {record.text for record in ask(server, "_ua-auto-config.corp.example", "TXT").records}
        assert texts == {b"v=UAAC1; a=sha256", b"\xff"}
        assert len(ask(server, "many.example", "MX").records) == MOST_RECORDS


@pytest.mark.parametrize(
    "name", ["nothing.example", "corp.example", "a" * 64 + ".example", "a..example", ".".join(["a" * 60] * 5)]
)
def test_what_is_not_there(name: str) -> None:
    with DnsServer(ZONE) as server:
        assert ask(server, name, "SRV") == Answer()


def test_only_a_resolver_of_this_machine_vouches(monkeypatch: pytest.MonkeyPatch) -> None:
    with DnsServer(ZONE, authenticated=True) as server:
        assert ask(server, "corp.example", "MX").authenticated
        monkeypatch.setattr("checks.network.dns._on_this_machine", lambda _: False)
        assert not ask(server, "corp.example", "MX").authenticated
    with DnsServer(ZONE) as server:
        assert not ask(server, "corp.example", "MX").authenticated


def test_a_server_that_is_silent() -> None:
    with DnsServer(ZONE) as server:
        server.silent = {"corp.example"}
        begun = time.monotonic()
        with pytest.raises(Fault) as caught:
            ask(server, "corp.example", "MX", 0.3)
    assert caught.value.code is Code.DNS_TEMPORARY
    assert time.monotonic() - begun < 3


@pytest.mark.parametrize(("address", "ours"), [("127.0.0.53", True), ("::1", True), ("192.0.2.1", False), ("x", False)])
def test_which_resolvers_are_of_this_machine(address: str, ours: bool) -> None:
    from checks.network.dns import _on_this_machine

    assert _on_this_machine(address) is ours
