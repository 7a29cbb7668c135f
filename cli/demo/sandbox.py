"""The sandbox domain: an old and a new mail server, each real IMAP and SMTP on 127.0.0.1, in one thread."""

import asyncio
import logging
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass

import trustme

from checks.model import Security
from cli.demo.directory import Directory
from cli.demo.imap_server import start_imap
from cli.demo.smtp_server import start_smtp

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where one of the two is. SMTP is always with STARTTLS. The CA of `ca_pem` signed the certificate."""

    imap_port: int
    imap_security: Security
    smtp_port: int
    ca_pem: str


@dataclass(frozen=True, slots=True)
class Sandbox:
    old: MailServer
    new: MailServer


class _Certified:
    """A throwaway CA, which nobody trusts, and a context with a certificate from it."""

    def __init__(self, organisation: str) -> None:
        ca = trustme.CA(organization_name=organisation)
        self.ca_pem = ca.cert_pem.bytes().decode()
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ca.issue_cert(HOST).configure_cert(self.tls)


@contextmanager
def running_sandbox(old: Directory, new: Directory) -> Iterator[Sandbox]:
    """Both mail servers, up while the context lasts."""
    # aiosmtpd logs refused logins and broken handshakes as warnings; here they are the point.
    logging.getLogger("mail.log").setLevel(logging.CRITICAL)
    ready: Future[Sandbox] = Future()
    stop = threading.Event()
    thread = threading.Thread(target=_run, args=(old, new, ready, stop), name="sandbox", daemon=True)
    thread.start()
    try:
        yield ready.result(timeout=30)
    finally:
        stop.set()
        thread.join(timeout=10)


def _run(old: Directory, new: Directory, ready: "Future[Sandbox]", stop: threading.Event) -> None:
    try:
        asyncio.run(_serve(old, new, ready, stop))
    except Exception as error:  # whoever waits for the sandbox must hear of it
        if ready.done():
            raise
        ready.set_exception(error)


async def _serve(old: Directory, new: Directory, ready: "Future[Sandbox]", stop: threading.Event) -> None:
    servers: list[asyncio.Server] = []
    before = await _start("Demo Example, old mail server", old, Security.STARTTLS, servers)
    after = await _start("Demo Example, new mail server", new, Security.TLS, servers)
    ready.set_result(Sandbox(before, after))
    await asyncio.to_thread(stop.wait)
    for server in servers:
        server.close()


async def _start(
    organisation: str, directory: Directory, security: Security, servers: list[asyncio.Server]
) -> MailServer:
    certified = _Certified(organisation)
    imap = await start_imap(directory, certified.tls, implicit=security is Security.TLS)
    smtp = await start_smtp(directory, certified.tls)
    servers += [imap, smtp]
    return MailServer(_port(imap), security, _port(smtp), certified.ca_pem)


def _port(server: asyncio.Server) -> int:
    port: int = server.sockets[0].getsockname()[1]
    return port
