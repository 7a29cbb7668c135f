"""Names, the address policy, connections and the deadline."""

import contextlib
import ipaddress
import re
import socket
import time
from collections.abc import Iterator

import pytest

from checks.codes import Code, Verdict
from checks.model import Endpoint, Fault, Protocol, Security
from checks.network.address_policy import AddressPolicy
from checks.network.dial import Attempt, Deadline, dial, dial_all, resolve
from checks.network.way_out import Source, WayOut
from checks.runner import check_endpoint
from tests.checks.helpers import trusting
from tests.servers.certificates import CertificateFiles, CertificateLab
from tests.servers.hostile import HostileServer
from tests.servers.process import free_port

ANY = AddressPolicy(allow_all=True)
WAY = WayOut(ANY)
NOT_OURS = WayOut(ANY, Source.of("192.0.2.1"))


@contextlib.contextmanager
def silent_port() -> Iterator[int]:
    """A port that takes no connection: its backlog is full, so the kernel answers nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, contextlib.ExitStack() as crowd:
        for _ in range(5):
            sock = crowd.enter_context(socket.socket())
            sock.setblocking(False)
            sock.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def close(attempts: list[Attempt]) -> None:
    for item in attempts:
        if item.sock:
            item.sock.close()


class TestPolicy:
    @pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
    def test_admits_public_addresses(self, address: str) -> None:
        assert AddressPolicy().admits(address)

    @pytest.mark.parametrize(
        "address",
        [
            *("127.0.0.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1"),  # noqa: S104 - an address to refuse
            *("224.0.0.1", "255.255.255.255", "198.18.0.1", "192.0.2.1", "240.0.0.1"),
            *("::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fec0::1", "ff02::1", "ff0e::1", "2001:db8::1"),
            *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "::a00:1", "3fff::1"),
            *("64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::7f00:1", "2002:7f00:1::", "2002:a00:1::1"),
            "2001:0:4136:e378:8000:63bf:f5ff:fffe",  # Teredo of 10.0.0.1
        ],
    )  # fmt: skip
    def test_refuses_others_however_they_are_wrapped(self, address: str) -> None:
        assert not AddressPolicy().admits(address)
        assert ANY.admits(address)

    def test_admits_what_the_operator_listed_and_nothing_beside(self) -> None:
        policy = AddressPolicy(networks=(ipaddress.ip_network("10.1.0.0/16"), ipaddress.ip_network("fd00::/8")))
        assert all(map(policy.admits, ("10.1.2.3", "::ffff:10.1.2.3", "fd12::1", "8.8.8.8")))
        assert not any(map(policy.admits, ("10.2.0.1", "127.0.0.1", "fc00::1", "::ffff:10.2.0.1")))


class TestResolve:
    @pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
    def test_an_address_is_its_own_answer(self, address: str) -> None:
        assert resolve(address, 993, ANY, Deadline(1)) == (address,)

    @pytest.mark.parametrize("host", ["x.invalid", "invalid", "mail.lab.invalid"])
    def test_a_name_that_cannot_exist(self, host: str) -> None:
        with pytest.raises(Fault) as fault:
            resolve(host, 993, ANY, Deadline(1))
        assert fault.value.code is Code.DNS_NOT_FOUND

    def test_a_private_address_is_refused_and_not_told(self) -> None:
        """A name of ours may lead there, and whoever asks be from outside."""
        with pytest.raises(Fault) as fault:
            resolve("localhost", 993, AddressPolicy(), Deadline(5))
        assert fault.value.code is Code.ADDRESS_NOT_ALLOWED
        assert not re.search(r"127\.|::1", f"{fault.value} {fault.value.facts}")

    @pytest.mark.parametrize(
        ("number", "code"),
        [
            (socket.EAI_NONAME, Code.DNS_NOT_FOUND),
            (socket.EAI_NODATA, Code.DNS_NO_ADDRESS),
            (socket.EAI_AGAIN, Code.DNS_TEMPORARY),
            (socket.EAI_FAIL, Code.DNS_TEMPORARY),
        ],
    )
    def test_the_resolvers_failures(self, monkeypatch: pytest.MonkeyPatch, number: int, code: Code) -> None:
        def fails(*_: object, **__: object) -> None:
            raise socket.gaierror(number, "no")

        monkeypatch.setattr("socket.getaddrinfo", fails)
        with pytest.raises(Fault) as fault:
            resolve("mail.lab.example", 993, ANY, Deadline(1))
        assert fault.value.code is code

    def test_a_resolver_that_hangs_does_not_hold_the_check(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def hangs(*_: object, **__: object) -> list[object]:
            time.sleep(5)
            return []

        monkeypatch.setattr("socket.getaddrinfo", hangs)
        begun = time.monotonic()
        with pytest.raises(Fault) as fault:
            resolve("mail.lab.example", 993, ANY, Deadline(0.1))
        assert fault.value.code is Code.DNS_TEMPORARY
        assert time.monotonic() - begun < 4


class TestDial:
    def test_refused(self) -> None:
        with pytest.raises(Fault) as fault:
            dial(["127.0.0.1"], free_port(), Deadline(2), WAY)
        assert fault.value.code is Code.CONNECT_REFUSED

    def test_no_answer_ends_with_the_deadline(self) -> None:
        with silent_port() as port:
            begun = time.monotonic()
            with pytest.raises(Fault) as fault:
                dial(["127.0.0.1"], port, Deadline(0.3), WAY)
            assert dial_all(["127.0.0.1"], port, Deadline(0.3), WAY)[0].fault is not None
        assert fault.value.code is Code.CONNECT_TIMEOUT
        assert time.monotonic() - begun < 5

    def test_goes_on_to_the_address_that_answers(self) -> None:
        with HostileServer("silent") as server, dial(["::1", "127.0.0.1"], server.port, Deadline(2), WAY) as sock:
            assert sock.getpeername()[0] == "127.0.0.1"

    def test_a_source_address_that_is_not_ours_is_our_network_and_not_the_server(self) -> None:
        with HostileServer("silent") as server:
            attempts = dial_all(["127.0.0.1"], server.port, Deadline(2), NOT_OURS)
            with pytest.raises(Fault) as fault:
                dial(["127.0.0.1"], server.port, Deadline(2), NOT_OURS)
        assert [item.fault.code for item in attempts if item.fault] == [Code.CONNECT_UNREACHABLE]
        assert fault.value.code is Code.CONNECT_UNREACHABLE

    def test_one_address_that_cannot_even_be_tried_leaves_the_others(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A machine without IPv6, and a name with both kinds of address."""
        real = WayOut.socket_to  # what stands in for it is a kernel without IPv6

        def no_ipv6(way_out: WayOut, address: str, port: int) -> socket.socket:
            if ":" in address:
                raise OSError(97, "Address family not supported by protocol")
            return real(way_out, address, port)

        monkeypatch.setattr(WayOut, "socket_to", no_ipv6)
        with HostileServer("silent") as server:
            attempts = dial_all(["::1", "127.0.0.1"], server.port, Deadline(2), WAY)
            close(attempts)
            dial(["::1", "127.0.0.1"], server.port, Deadline(2), WAY).close()
        assert [item.fault and item.fault.code for item in attempts] == [Code.CONNECT_UNREACHABLE, None]

    def test_only_the_first_connection_is_kept(self) -> None:
        with socket.create_server(("", 0)) as listener:
            attempts = dial_all(["127.0.0.2", "127.0.0.1"], listener.getsockname()[1], Deadline(2), WAY)
        assert [item.fault for item in attempts] == [None, None]
        assert [item.sock is not None for item in attempts] == [True, False]
        close(attempts)


class TestSeveralAddresses:
    """The resolver is the one thing that is not real here: no name of this machine has two addresses for sure."""

    @pytest.fixture
    def two(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        rows = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (item, 0)) for item in ("127.0.0.2", "127.0.0.1")]
        monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: rows)
        return ["127.0.0.2", "127.0.0.1"]

    def test_one_that_refuses_is_a_warning(
        self, two: list[str], certificates: CertificateLab, leaf: CertificateFiles
    ) -> None:
        with HostileServer("imap", leaf) as server:
            result = check_endpoint(Endpoint(Protocol.IMAP, "localhost", server.port), trusting(certificates))
        assert result.verdict is Verdict.OK
        assert result.address == "127.0.0.1"
        assert [(item.code, item.facts["addresses"]) for item in result.warnings] == [
            (Code.CONNECT_SOME_ADDRESSES, "127.0.0.2")
        ]
        for step in result.steps[:2]:
            assert all(address in step.seen for address in two)

    @pytest.mark.usefixtures("two")
    def test_none_that_answers(self, certificates: CertificateLab) -> None:
        result = check_endpoint(Endpoint(Protocol.SMTP, "localhost", free_port()), trusting(certificates))
        assert (result.verdict, result.code) == (Verdict.FAIL, Code.CONNECT_REFUSED)
        assert [step.verdict for step in result.steps] == [Verdict.OK, Verdict.FAIL]

    @pytest.mark.usefixtures("two")
    def test_silence_of_one_outweighs_the_refusal_of_the_other(self, certificates: CertificateLab) -> None:
        with silent_port() as port:
            endpoint = Endpoint(Protocol.SMTP, "localhost", port, Security.TLS)
            result = check_endpoint(endpoint, trusting(certificates, 0.5))
        assert (result.verdict, result.code) == (Verdict.INCONCLUSIVE, Code.CONNECT_TIMEOUT)


def test_a_deadline_that_has_passed_is_a_time_out() -> None:
    with pytest.raises(TimeoutError):
        Deadline(0).remaining()
