"""A DNS server on loopback with the records that a test gives it."""

import contextlib
import socket
import threading
import time
from collections.abc import Mapping

import dns.flags
import dns.message
import dns.rcode
import dns.resolver
import dns.rrset

from tests.servers.process import LOOPBACK, Server

Zone = Mapping[tuple[str, str], list[str]]
"""(name, type) -> records in presentation form, such as `10 mx.example.com.`."""


class DnsServer(Server):
    """Answers over UDP from `records`; what is not there does not exist (NXDOMAIN).

    `authenticated`: as a resolver that has validated with DNSSEC says it. `delay`: seconds before each answer, a round
    trip. `silent`: names that are never answered for. `asked` are the questions that came.
    """

    def __init__(self, records: Zone, *, authenticated: bool = False, delay: float = 0.0) -> None:
        self.records = dict(records)
        self.authenticated = authenticated
        self.delay = delay
        self.silent: set[str] = set()
        self.asked: list[tuple[str, str]] = []
        self._socket: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self.port = 0

    def start(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.settimeout(None)  # whatever another test has made the default
        self._socket.bind((LOOPBACK, 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, args=(self._socket,), name="dns", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        if self._socket is None or self._thread is None:
            return
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wake:
            wake.sendto(b"", (LOOPBACK, self.port))
        self._thread.join()
        self._socket.close()
        self._socket = None

    def resolver(self) -> dns.resolver.Resolver:
        """A resolver that asks this server only."""
        found = dns.resolver.Resolver(configure=False)
        found.nameservers, found.port = [LOOPBACK], self.port
        return found

    def _serve(self, sock: socket.socket) -> None:
        while True:
            data, sender = sock.recvfrom(4096)
            if not data:
                return
            threading.Thread(target=self._answer, args=(sock, data, sender), daemon=True).start()

    def _answer(self, sock: socket.socket, data: bytes, sender: tuple[str, int]) -> None:
        with contextlib.suppress(OSError, dns.exception.DNSException):
            query = dns.message.from_wire(data)
            question = query.question[0]
            name = question.name.to_text(omit_final_dot=True).lower()
            kind = dns.rdatatype.to_text(question.rdtype)
            self.asked.append((name, kind))
            if name in self.silent:
                return
            time.sleep(self.delay)
            sock.sendto(self._reply(query, name, kind).to_wire(), sender)

    def _reply(self, query: dns.message.Message, name: str, kind: str) -> dns.message.Message:
        reply = dns.message.make_response(query, recursion_available=True)
        if self.authenticated:
            reply.flags |= dns.flags.AD
        if records := self.records.get((name, kind)):
            reply.answer.append(dns.rrset.from_text_list(query.question[0].name, 60, "IN", kind, records))
        elif not any(known == name for known, _ in self.records):
            reply.set_rcode(dns.rcode.NXDOMAIN)
        return reply
