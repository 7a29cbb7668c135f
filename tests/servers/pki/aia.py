"""A web server for what certificates point at: issuers (caIssuers), CRLs, OCSP; honest answers and hostile ones."""

import contextlib
import itertools
import socket
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509 import ocsp

from tests.servers.pki.recipe import Issued
from tests.servers.process import LOOPBACK, Server

Form = Literal["der", "pem", "p7c"]
Answer = Callable[["_Handler"], None]
_DAY = timedelta(days=1)


class AiaServer(Server):
    """Listens on loopback. `requests` holds the path of each request that came."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self._answers: dict[str, Answer] = dict(_HOSTILE)
        self._numbers = itertools.count(1)
        self._closing = threading.Event()
        self._server: _HttpServer | None = None
        self._thread: threading.Thread | None = None
        self.port = 0

    def start(self) -> None:
        self._closing.clear()
        self._server = _HttpServer(self)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True, name="aia")
        self._thread.start()

    def stop(self) -> None:
        if self._server is not None and self._thread is not None:
            self._closing.set()
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
            self._server = None

    def url(self, path: str) -> str:
        """The address of a path; hostile ones are /slow, /endless, /loop, /garbage, /missing, /empty, /to-file."""
        return f"http://{LOOPBACK}:{self.port}{path}"

    def publish(self, issued: Issued, form: Form = "der", at: str = "") -> tuple[str, ...]:
        """Serve a certificate, at a path of the caller's where it is given; its URL, as `Plan.aia` wants it."""
        return (self._serve(at or f"/{next(self._numbers)}.{form}", _encoded(issued, form), "application/pkix-cert"),)

    def redirecting(self, url: str) -> str:
        """A URL that redirects to `url`."""
        path = f"/redirect/{next(self._numbers)}"
        self._answers[path] = lambda handler: handler.redirect(url)
        return self.url(path)

    def publish_crl(self, issuer: Issued, *revoked: int) -> str:
        """Serve the issuer's CRL with these serial numbers in it; its URL."""
        return self._serve(f"/{next(self._numbers)}.crl", _crl(issuer, revoked), "application/pkix-crl")

    def ocsp_responder(self, leaf: Issued, issuer: Issued, *, revoked: bool) -> str:
        """Answer for one certificate. Issuer and serial number name it, so a twin that lacks this URL will do."""
        return self._serve(f"/ocsp/{next(self._numbers)}", _ocsp(leaf, issuer, revoked), "application/ocsp-response")

    def answer(self, handler: "_Handler") -> None:
        """Called for each request."""
        path = handler.path.partition("?")[0]
        self.requests.append(path)
        # GET requests for OCSP carry the question in the path (RFC 6960, appendix A)
        known = next((given for served, given in self._answers.items() if f"{path}/".startswith(f"{served}/")), None)
        (known or _missing)(handler)

    def pause(self, seconds: float) -> None:
        """Wait, but not longer than the server runs."""
        if self._closing.wait(seconds):
            raise ConnectionError("the server stops")

    def _serve(self, path: str, body: bytes, kind: str) -> str:
        self._answers[path] = lambda handler: handler.reply(body, kind)
        return self.url(path)


class _HttpServer(ThreadingHTTPServer):
    daemon_threads = False  # joined by server_close, so that no thread outlives its test
    address_family = socket.AF_INET

    def __init__(self, owner: AiaServer) -> None:
        self.owner = owner
        super().__init__((LOOPBACK, owner.port), _Handler)  # the same again, for URLs that are written already


class _Handler(BaseHTTPRequestHandler):
    server: _HttpServer
    timeout = 5.0

    def do_GET(self) -> None:
        # OSError: clients of hostile answers leave
        with contextlib.suppress(OSError):
            self.server.owner.answer(self)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.do_GET()

    def reply(self, body: bytes, kind: str, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def redirect(self, url: str) -> None:
        self.send_response(302)
        self.send_header("Location", url)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the signature is http.server's
        """Quiet: `AiaServer.requests` is the log."""


def _missing(handler: _Handler) -> None:
    handler.reply(b"not here", "text/plain", 404)


def _slow(handler: _Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    while True:
        handler.wfile.write(b"0")
        handler.server.owner.pause(0.1)


def _endless(handler: _Handler) -> None:
    handler.send_response(200)
    handler.end_headers()
    while True:
        handler.wfile.write(bytes(65536))


_HOSTILE: Mapping[str, Answer] = {
    "/slow": _slow,
    "/endless": _endless,
    "/loop": lambda handler: handler.redirect(handler.path),
    "/to-file": lambda handler: handler.redirect("file:///etc/hostname"),
    "/garbage": lambda handler: handler.reply(b"0\x82" + bytes(range(256)), "application/pkix-cert"),
    "/empty": lambda handler: handler.reply(b"", "application/pkix-cert"),
    "/missing": _missing,
}


def _encoded(issued: Issued, form: Form) -> bytes:
    """RFC 5280, 4.2.2.1 knows DER and a certs-only CMS message; PEM is met all the same."""
    if form == "p7c":
        return pkcs7.serialize_certificates([issued.certificate], serialization.Encoding.DER)
    return issued.der if form == "der" else issued.pem.encode("ascii")


def _crl(issuer: Issued, revoked: tuple[int, ...]) -> bytes:
    now = datetime.now(UTC)
    builder = x509.CertificateRevocationListBuilder().issuer_name(issuer.certificate.subject)
    builder = builder.last_update(now - _DAY).next_update(now + 7 * _DAY)
    for serial in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now - _DAY).build()
        builder = builder.add_revoked_certificate(entry)
    return builder.sign(issuer.keys.private, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def _ocsp(leaf: Issued, issuer: Issued, revoked: bool) -> bytes:
    now = datetime.now(UTC)
    builder = ocsp.OCSPResponseBuilder().add_response(
        cert=leaf.certificate,
        issuer=issuer.certificate,
        algorithm=hashes.SHA1(),  # noqa: S303 - it names the issuer, as clients do (RFC 5019, 2.1.1)
        cert_status=ocsp.OCSPCertStatus.REVOKED if revoked else ocsp.OCSPCertStatus.GOOD,
        this_update=now - _DAY,
        next_update=now + 7 * _DAY,
        revocation_time=now - _DAY if revoked else None,
        revocation_reason=x509.ReasonFlags.key_compromise if revoked else None,
    )
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, issuer.certificate)
    return builder.sign(issuer.keys.private, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
