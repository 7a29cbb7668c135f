"""What Python's own clients say of a server: accepted or refused, and why. No expectation is written by hand."""

import contextlib
import functools
import http.client
import imaplib
import smtplib
import socket
import ssl
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from unittest import mock

import certifi

from tests.servers.pki.chain import Chain

SECONDS = 3.0
"""How long the oracle waits for a server that says nothing."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`reason` is OpenSSL's reason or the exception's name, `verify_code` its X509_V_ERR number where there is one."""

    accepted: bool
    reason: str = ""
    verify_code: int | None = None
    detail: str = ""


@functools.lru_cache(maxsize=32)
def client_context(ca_pem: str, *, verify: bool = True, strict: bool = False) -> ssl.SSLContext:
    """The default context with certifi and `ca_pem` for roots. Do not change it.

    It is that of Python 3.12 and before, or with `strict` that of 3.13 and later, on whatever Python this is.
    """
    context = ssl.create_default_context(cafile=certifi.where())
    context.load_verify_locations(cadata=ca_pem)
    strictness = ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    context.verify_flags = context.verify_flags | strictness if strict else context.verify_flags & ~strictness
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def oracle(
    protocol: str,
    security: str,
    host: str,
    port: int,
    ca_pem: str,
    *,
    verify: bool = True,
    strict: bool = False,
    seconds: float = SECONDS,
) -> Answer:
    """What imaplib, smtplib or http.client says. `protocol`: imap, smtp, https; `security`: tls or starttls.

    With `verify` off it is the client of an admin who allows insecure certificates: it proves whether that helps.
    """
    context = client_context(ca_pem, verify=verify, strict=strict)
    return _answer(lambda: _CLIENTS[protocol, security](host, port, context, seconds))


def memory_handshake(chain: Chain, context: ssl.SSLContext, host: str) -> Answer:
    """A handshake without a network: `context` is the client's, the server has no quirks. About 1 ms."""
    client_in, server_in = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(client_in, server_in, server_hostname=host)
    server_context = chain.server_context()
    server_context.num_tickets = 0
    server = server_context.wrap_bio(server_in, client_in, server_side=True)
    return _answer(lambda: _shake(client, server))


def _shake(client: ssl.SSLObject, server: ssl.SSLObject) -> None:
    """The client's verdict: it is done after it has verified the chain. A server's own failure shows on the client."""
    while not _step(client):
        # the server's failure reaches the client as an alert
        with contextlib.suppress(ssl.SSLError):
            _step(server)


def _step(side: ssl.SSLObject) -> bool:
    try:
        side.do_handshake()
    except ssl.SSLWantReadError:
        return False
    return True


def _answer(attempt: Callable[[], None]) -> Answer:
    # CPython 3.11 leaves a socket open that was reset before it could be wrapped: not the answer asked for.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        return _outcome(attempt)


def _outcome(attempt: Callable[[], None]) -> Answer:
    try:
        attempt()
    except ssl.SSLCertVerificationError as error:
        return Answer(False, "CERTIFICATE_VERIFY_FAILED", error.verify_code, error.verify_message)
    except ssl.SSLError as error:
        return Answer(False, error.reason or type(error).__name__, None, str(error))
    except (OSError, imaplib.IMAP4.error, smtplib.SMTPException, http.client.HTTPException) as error:
        return Answer(False, type(error).__name__, None, str(error))
    return Answer(True)


Client = Callable[[str, int, ssl.SSLContext, float], None]


def _imap_tls(host: str, port: int, context: ssl.SSLContext, seconds: float) -> None:
    client = imaplib.IMAP4_SSL(host, port, ssl_context=context, timeout=seconds)
    with _shut_down(client):
        client.capability()


def _imap_starttls(host: str, port: int, context: ssl.SSLContext, seconds: float) -> None:
    client = imaplib.IMAP4(host, port, timeout=seconds)
    with _shut_down(client):
        client.starttls(context)
        client.capability()


@contextlib.contextmanager
def _shut_down(client: imaplib.IMAP4) -> Iterator[None]:
    """imaplib's own `with` says LOGOUT on a broken connection, and that error hides the one that counts."""
    try:
        yield
    finally:
        # its socket is gone already when the handshake of STARTTLS has failed
        with contextlib.suppress(OSError):
            client.shutdown()


def _smtp_tls(host: str, port: int, context: ssl.SSLContext, seconds: float) -> None:
    with smtplib.SMTP_SSL(host, port, "lab.example", timeout=seconds, context=context) as client:
        client.ehlo()


def _smtp_starttls(host: str, port: int, context: ssl.SSLContext, seconds: float) -> None:
    with smtplib.SMTP(host, port, "lab.example", timeout=seconds) as client:
        client.starttls(context=context)
        client.ehlo()


def _https(host: str, port: int, context: ssl.SSLContext, seconds: float) -> None:
    client = http.client.HTTPSConnection(host, port, timeout=seconds, context=context)
    with contextlib.closing(client):
        client.request("POST", "/EWS/Exchange.asmx", b"<probe/>", {"Content-Type": "text/xml"})
        client.getresponse().read()


_CLIENTS: Mapping[tuple[str, str], Client] = {
    ("imap", "tls"): _imap_tls,
    ("imap", "starttls"): _imap_starttls,
    ("smtp", "tls"): _smtp_tls,
    ("smtp", "starttls"): _smtp_starttls,
    ("https", "tls"): _https,
}

Address = tuple[socket.AddressFamily, socket.SocketKind, int, str, tuple[str, int] | tuple[str, int, int, int]]


@contextlib.contextmanager
def lab_names(names: Mapping[str, Sequence[str]]) -> Iterator[None]:
    """Let the host names of the lab resolve to `names[host]` while the block runs; nobody asks a name server."""
    real = socket.getaddrinfo

    def look_up(host: str | bytes | None, port: int | str | None, *rest: int, **options: int) -> Sequence[Address]:
        known = names.get(str(host).lower().rstrip("."))
        if known is None:
            return real(host, port, *rest, **options)  # type: ignore[return-value]  # typeshed's union is wider
        return [_address(address, int(port or 0)) for address in known]

    with mock.patch.object(socket, "getaddrinfo", look_up):
        yield


def _address(address: str, port: int) -> Address:
    if ":" in address:
        return (socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port, 0, 0))
    return (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port))
