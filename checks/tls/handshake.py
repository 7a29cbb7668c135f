"""One handshake: verdict and facts. What the facts mean is judged in `checks.x509.refusal_causes`.

The strict context is the very one that logs in, so its verdict is the client's, not an imitation of it.
"""

import contextlib
import functools
import os
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509

from checks import redact
from checks.codes import Code
from checks.model import Certificate, Fault, Pin, TlsFacts
from checks.network.stream import Stream
from checks.trust import STRICT_READING, NamesAsNode
from checks.x509.certificates import KEPT, covers, describe, load
from checks.x509.keys import key_sha256
from checks.x509.refusal_causes import cause_of

MAX_CHAIN = 32  # certificates looked at; more than any honest server sends


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the strict context refused the chain: OpenSSL's first error, as a number (X509_V_ERR_*) and in its words."""

    code: int
    words: str


@dataclass(frozen=True, slots=True)
class Handshake:
    """What came of one handshake. `refusal` is None where the context accepted the chain (or did not look).

    `chain` is what the server sent, empty where its own certificate cannot be read; `path` the one that OpenSSL built
    to a root, where it did. `key` is the SHA-256 of the server's SubjectPublicKeyInfo.
    """

    facts: TlsFacts
    chain: tuple[x509.Certificate, ...]
    refusal: Refusal | None = None
    path: tuple[x509.Certificate, ...] = ()
    key: str = ""


class InClear(Fault):
    """The server answered the handshake in clear text; `seen` are its words, as they came."""

    def __init__(self, words: str) -> None:
        super().__init__(Code.TLS_PLAINTEXT_PORT, words)

    def __reduce__(self) -> tuple[type["InClear"], tuple[str]]:
        return InClear, (self.seen,)


def secure(
    stream: Stream,
    context: ssl.SSLContext,
    host: str,
    *,
    session: ssl.SSLSession | None = None,
    hasty: bool = False,
) -> None:
    """Turns `stream` into TLS for a login. Raises `InClear` and `OSError` (certificate errors and time-outs too).

    `hasty`: nobody looks whether the answer is clear text, which is then an `SSLError`: for whoever tries once more.
    """
    sock = _wrapped(stream, context, host, session)
    if not hasty:
        _begin(sock)
    sock.do_handshake()
    if not _rightly_named(sock, host):
        error = ssl.SSLCertVerificationError(1, f"{_MISMATCH}: {host}")
        error.verify_code, error.verify_message = _HOSTNAME_MISMATCH, _MISMATCH
        raise error


_HOSTNAME_MISMATCH, _MISMATCH = 62, "Hostname mismatch"  # X509_V_ERR_HOSTNAME_MISMATCH


def _rightly_named(sock: ssl.SSLSocket, host: str) -> bool:
    """Whether the server's certificate covers the host, where OpenSSL has not looked at that."""
    if not isinstance(sock.context, NamesAsNode):
        return True
    der = sock.getpeercert(binary_form=True)
    leaf = load(der) if der else None
    return leaf is not None and covers(leaf, host, "node")


def require_pin(sock: socket.socket, pin: Pin | None) -> None:
    """To be called between a handshake and the first secret: the server must have the key that was let in.

    Raises `Fault(tls.pin_changed)`. Holds for resumed sessions too: they keep the certificate of their first handshake.
    """
    if pin is None:
        return
    certificate = sock.getpeercert(binary_form=True) if isinstance(sock, ssl.SSLSocket) else None
    met = key_sha256(certificate) if certificate else "none"
    if met != pin.leaf:
        raise pin_fault(met, pin)


def pin_fault(met: str, pin: Pin) -> Fault:
    """Another key than the one that an admin let in."""
    return Fault(Code.TLS_PIN_CHANGED, f"the server's key is {met}, not {pin.leaf}", sha256=met)


def look(stream: Stream, context: ssl.SSLContext, host: str) -> Handshake:
    """A handshake for its facts: the chain comes with it whether it was accepted or refused. Never resumes.

    Raises `Fault` for what is no matter of certificates.
    """
    try:
        sock = _wrapped(stream, context, host, None)
    except OSError as error:
        raise tls_fault(error) from None
    try:
        return _looked_at(sock, host)
    except OSError as error:
        raise tls_fault(error, answered=_answered(sock)) from None


def _looked_at(sock: ssl.SSLSocket, host: str) -> Handshake:
    refusal, version, cipher = None, None, None
    try:
        _begin(sock)
        sock.do_handshake()
    except ssl.SSLCertVerificationError as error:
        refusal = Refusal(error.verify_code, error.verify_message)
    else:
        # Asked for at once: a closed socket does not know any more.
        version, cipher = sock.version(), (sock.cipher() or (None,))[0]
        if not _rightly_named(sock, host):
            refusal = Refusal(_HOSTNAME_MISMATCH, _MISMATCH)
    read = _read(_ders(sock, "get_unverified_chain"), () if refusal else _ders(sock, "get_verified_chain"))
    strict = STRICT_READING in sock.context.verify_flags
    facts = TlsFacts(version, cipher, read.described, openssl=ssl.OPENSSL_VERSION, x509_strict=strict)
    return Handshake(facts, read.chain, refusal, read.path, read.key)


@dataclass(frozen=True, slots=True)
class _Read:
    """The certificates of a handshake, read: see `Handshake`."""

    chain: tuple[x509.Certificate, ...]
    path: tuple[x509.Certificate, ...]
    described: tuple[Certificate, ...]
    key: str


@functools.lru_cache(KEPT)  # an endpoint is met again, at the next step or at the next health check
def _read(sent: tuple[bytes, ...], built: tuple[bytes, ...]) -> _Read:
    chain = tuple(item for der in sent if (item := load(der)) is not None) if sent and load(sent[0]) else ()
    path = tuple(item for der in built if (item := load(der)) is not None)
    whole = len(path) == len(built)
    return _Read(chain, path if whole else (), tuple(map(describe, chain)), key_sha256(sent[0]) if sent else "")


def _answered(sock: ssl.SSLSocket) -> bool:
    """Whether the handshake got as far as the server's choice of a cipher."""
    try:
        return sock.cipher() is not None
    except (OSError, ValueError):
        return False


def _wrapped(stream: Stream, context: ssl.SSLContext, host: str, session: ssl.SSLSession | None) -> ssl.SSLSocket:
    stream.sock.settimeout(stream.deadline.remaining())
    stream.sock.getpeername()  # raises where the server has gone; wrap_socket would too, but leave its socket open
    try:
        sock = context.wrap_socket(stream.sock, server_hostname=host, do_handshake_on_connect=False, session=session)
    except OSError as error:
        _close_half_made(error)
        raise
    stream.sock = sock  # the stream closes it, whatever happens next
    return sock


_WORDS_SECONDS = 0.5  # for the rest of what is said in clear text
_WORDS_LONGEST = 2_000
_HELLO_LONGEST = 65_536


def _begin(sock: ssl.SSLSocket) -> None:
    """Sends the first message and looks at what comes back. Raises `InClear` where that is text, and `TimeoutError`.

    OpenSSL would take the first bytes of it away and say "wrong version number".
    """
    seconds = sock.gettimeout()
    hello = _first_message(sock)
    sock.settimeout(seconds)
    socket.socket.sendall(sock, hello)  # past TLS, which is not there yet
    first = socket.socket.recv(sock, 4, socket.MSG_PEEK)
    # A TLS record begins with its type, 20 to 24 (RFC 8446, 5.1).
    if len(first) == 4 and all(0x20 <= byte < 0x7F or byte in b"\r\n" for byte in first):
        raise InClear(_words(sock))


def _first_message(sock: ssl.SSLSocket) -> bytes:
    """The ClientHello, unsent. OpenSSL would read right after sending it, and servers may have spoken by then.

    So it writes into a pair of sockets that stands in for the connection meanwhile.
    """
    place, kept = sock.fileno(), os.dup(sock.fileno())
    here, there = socket.socketpair()
    try:
        here.setblocking(False)
        sock.setblocking(False)
        os.dup2(here.fileno(), place, inheritable=False)
        with contextlib.suppress(ssl.SSLWantReadError):
            sock.do_handshake()
        there.setblocking(False)
        return there.recv(_HELLO_LONGEST)
    finally:
        os.dup2(kept, place, inheritable=False)
        os.close(kept)
        here.close()
        there.close()


def _words(sock: ssl.SSLSocket) -> str:
    said = b""
    sock.settimeout(_WORDS_SECONDS)
    try:
        while len(said) < _WORDS_LONGEST and (more := socket.socket.recv(sock, _WORDS_LONGEST)):
            said += more
            if said.endswith(b"\n"):
                break
    except OSError:
        pass
    return redact.decoded(said) if b"\n" in said else ""  # a flood has no words


def _close_half_made(error: OSError) -> None:
    """wrap_socket leaves its socket open where the server resets the connection meanwhile, and nobody else has it."""
    trace = error.__traceback__
    while trace is not None:
        made = trace.tb_frame.f_locals.get("self")
        if isinstance(made, ssl.SSLSocket):
            made.close()
        trace = trace.tb_next


def _ders(sock: ssl.SSLSocket, name: str) -> tuple[bytes, ...]:
    """A chain as DER. Public on the socket from Python 3.13; before, only on its inner object."""
    getter = getattr(sock, name, None) or getattr(getattr(sock, "_sslobj", None), name, None)
    raw: Sequence[object] = (getter() if getter else None) or ()
    return tuple(map(_der, raw[:MAX_CHAIN]))


def _der(item: object) -> bytes:
    if isinstance(item, bytes):
        return item
    public_bytes = getattr(item, "public_bytes")  # noqa: B009 - the inner object's type is private before Python 3.13
    data = public_bytes(2)  # _ssl.ENCODING_DER
    return bytes(data)


# OpenSSL's reason for an alert or a failure -> what it means here. https://www.openssl.org/docs/man3.0/man3/SSL_get_error.html
_REASONS = {
    "WRONG_VERSION_NUMBER": Code.TLS_PLAINTEXT_PORT,
    "HTTP_REQUEST": Code.TLS_PLAINTEXT_PORT,
    "PACKET_LENGTH_TOO_LONG": Code.TLS_PLAINTEXT_PORT,
    "Closed before TLS handshake with data in recv buffer.": Code.CONNECT_CLOSED,  # Python's own
    "UNSUPPORTED_PROTOCOL": Code.TLS_VERSION,
    "TLSV1_ALERT_PROTOCOL_VERSION": Code.TLS_VERSION,
    "VERSION_TOO_LOW": Code.TLS_VERSION,
    "SSLV3_ALERT_HANDSHAKE_FAILURE": Code.TLS_NO_SHARED_CIPHER,
    "NO_SHARED_CIPHER": Code.TLS_NO_SHARED_CIPHER,
    "DH_KEY_TOO_SMALL": Code.TLS_WEAK_DH,
    "UNSAFE_LEGACY_RENEGOTIATION_DISABLED": Code.TLS_NO_SECURE_RENEGOTIATION,
    "TLSV1_UNRECOGNIZED_NAME": Code.TLS_UNKNOWN_SNI,
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": Code.TLS_CLIENT_CERTIFICATE,
    "CERTIFICATE_REQUIRED": Code.TLS_CLIENT_CERTIFICATE,
    "TLSV1_ALERT_UNKNOWN_CA": Code.TLS_CLIENT_CERTIFICATE,
}


# The same reasons once the server has chosen a cipher: there was one, so it is the next message that went wrong.
_REASONS_LATER = {
    "SSLV3_ALERT_HANDSHAKE_FAILURE": Code.TLS_CLIENT_CERTIFICATE,
    "EXCESSIVE_MESSAGE_SIZE": Code.TLS_CHAIN_TOO_LARGE,
}


def tls_fault(error: OSError, *, answered: bool = False) -> Fault:
    """Why a handshake failed, certificates apart. `answered`: the server had chosen a cipher by then."""
    if isinstance(error, TimeoutError):
        return Fault(Code.TLS_TIMEOUT, "no answer to the TLS handshake")
    # Python 3.11.2, Debian's, takes an unexpected end for an orderly one.
    if isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        reason = error.reason or ""
        code = _REASONS_LATER.get(reason) if answered else None
        words = reason.lower().replace("_", " ") or "handshake failure"
        return Fault(code or _REASONS.get(reason, Code.TLS_HANDSHAKE), words)
    return Fault(Code.CONNECT_CLOSED, "connection closed during the TLS handshake")


def after_handshake(error: OSError) -> Fault | None:
    """TLS 1.3 reports "client certificate required" only on the first read; None for what is no matter of TLS."""
    if isinstance(error, ssl.SSLCertVerificationError):
        # one of several servers behind one address, or a certificate that was replaced since the check
        return Fault(cause_of(error.verify_code, None), error.verify_message)
    return tls_fault(error) if isinstance(error, ssl.SSLError) else None
