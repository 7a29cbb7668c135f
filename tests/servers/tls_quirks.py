"""What a TLS server can do wrong apart from its certificate: handshakes that fail, and dialogues that go astray."""

import ssl
import tempfile
import warnings
from collections.abc import Callable, Mapping
from enum import StrEnum

from tests.servers.behaviours import BEHAVIOURS, drips, floods
from tests.servers.conversation import Behaviour, Conversation
from tests.servers.pki.chain import PRIVATE_ROOT, Chain, issued_root
from tests.servers.tls_conversation import TlsConversation
from tests.servers.tls_dialogue import (
    Mail,
    greets_and_serves,
    http_refuses_tls,
    https,
    in_tls,
    refuses_starttls,
    serves,
    starttls,
)


class Quirk(StrEnum):
    """What is odd about a server. Those in `CONTEXTS` change the handshake, the others what is said."""

    NONE = "none"

    OLD_TLS_ONLY = "TLS 1.0 and 1.1 only"
    OLD_TLS_TOO = "TLS 1.0 to 1.3"
    TLS12_ONLY = "TLS 1.2 only"
    TLS13_ONLY = "TLS 1.3 only"
    NO_SHARED_CIPHER = "a cipher that no client offers"
    OLD_CIPHERS = "TLS 1.2 with RSA key exchange only"
    OLD_AND_NEW_CIPHERS = "TLS 1.2, RSA key exchange preferred by the server"
    WEAK_DH_1024 = "Diffie-Hellman of 1024 bits"
    CLIENT_CERTIFICATE_12 = "client certificate wanted in TLS 1.2"
    CLIENT_CERTIFICATE_13 = "client certificate wanted in TLS 1.3"
    UNKNOWN_SNI = "the server name is refused"
    STRICT_SNI = "every server name, and none, is refused"

    PLAINTEXT = "STARTTLS where TLS is expected"
    NO_TLS = "no TLS at all"
    IMPLICIT = "TLS where STARTTLS is expected"
    REFUSED = "STARTTLS refused"
    INJECTED = "bytes injected behind the answer to STARTTLS"
    PREAUTH = "PREAUTH before STARTTLS"

    WRONG_PROTOCOL = "another mail protocol"
    CLOSED = "closed at once"
    RESET = "reset at once"
    CLOSED_AFTER_TLS = "closed after the handshake"
    SILENT = "silent"
    SILENT_IN_HANDSHAKE = "silent when the handshake begins"
    SILENT_AFTER_TLS = "silent after the handshake"
    DRIP = "a handshake of a byte now and then"
    DRIP_AFTER_TLS = "a greeting of a byte now and then"
    OVERSIZE_HANDSHAKE = "a handshake message of 16 MiB"
    OVERSIZE_GREETING = "a greeting without end"


# Parameters of `openssl dhparam`, made for this lab. OpenSSL 3 serves none below 1024 bits, at no security level.
_DH_512 = """-----BEGIN DH PARAMETERS-----
MEYCQQCHK6tvIih+ok2Erag+09M/+L4BucTl+SdbMevPzafxUucrrRkhiyeUOKZk
kyeNkSk2EryC/EhVp27TcSyEA9VXAgEC
-----END DH PARAMETERS-----
"""
_DH_1024 = """-----BEGIN DH PARAMETERS-----
MIGHAoGBAJivoDMKoPM4JSVyv4yMIeLZrqjaFxbn7xjjvZyYH1lIHzZS7qMNwrvf
COtbQXA/nTHUj8VNRvissg/DFV4Wttvd8pUMG1GUn1MukSFxBTQr51Nr0nI9+9By
Xi+8aUFOhpzzXwxBuNbHofONI1eNI0gIvkqEIdIjjbnyu/dNmwiXAgEC
-----END DH PARAMETERS-----
"""


def quirky_context(chain: Chain, quirk: Quirk) -> ssl.SSLContext:
    """A server's context with the chain and the quirk in it."""
    context = chain.server_context()
    if quirk in CONTEXTS:
        CONTEXTS[quirk](context)
    return context


def _versions(first: ssl.TLSVersion, last: ssl.TLSVersion) -> Callable[[ssl.SSLContext], None]:
    def change(context: ssl.SSLContext) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # deprecated is what they are meant to be
            context.minimum_version, context.maximum_version = first, last

    return change


def _no_shared_cipher(context: ssl.SSLContext) -> None:
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE-ECDSA-CAMELLIA128-SHA256:@SECLEVEL=0")


def _old_ciphers(more: str = "") -> Callable[[ssl.SSLContext], None]:
    """Ciphers of 2001 (RFC 5246, A.5), which the server prefers to `more`. The chain needs a leaf with an RSA key."""

    def change(context: ssl.SSLContext) -> None:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
        context.set_ciphers(f"AES256-SHA{more}")

    return change


def _weak_dh(parameters: str) -> Callable[[ssl.SSLContext], None]:
    """Only ephemeral Diffie-Hellman over these parameters. The chain needs a leaf with an RSA key."""

    def change(context: ssl.SSLContext) -> None:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers("DHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0")
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
            file.write(parameters)
            file.flush()
            context.load_dh_params(file.name)

    return change


def _wants_client_certificate(version: ssl.TLSVersion) -> Callable[[ssl.SSLContext], None]:
    def change(context: ssl.SSLContext) -> None:
        context.minimum_version = context.maximum_version = version
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=issued_root(PRIVATE_ROOT).pem)

    return change


def _refuses_names(*, without: bool) -> Callable[[ssl.SSLContext], None]:
    """Only `without` decides what becomes of a client that sends no server name (RFC 6066, 3)."""

    def choose(_: ssl.SSLObject | ssl.SSLSocket, name: str | None, __: ssl.SSLContext) -> int | None:
        return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME if name is not None or without else None

    def change(context: ssl.SSLContext) -> None:
        context.sni_callback = choose

    return change


CONTEXTS: Mapping[Quirk, Callable[[ssl.SSLContext], None]] = {
    Quirk.OLD_TLS_ONLY: _versions(ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1),
    Quirk.OLD_TLS_TOO: _versions(ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_3),
    Quirk.TLS12_ONLY: _versions(ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2),
    Quirk.TLS13_ONLY: _versions(ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_3),
    Quirk.NO_SHARED_CIPHER: _no_shared_cipher,
    Quirk.OLD_CIPHERS: _old_ciphers(),
    Quirk.OLD_AND_NEW_CIPHERS: _old_ciphers(":ECDHE-RSA-AES128-GCM-SHA256"),
    Quirk.WEAK_DH_1024: _weak_dh(_DH_1024),
    Quirk.CLIENT_CERTIFICATE_12: _wants_client_certificate(ssl.TLSVersion.TLSv1_2),
    Quirk.CLIENT_CERTIFICATE_13: _wants_client_certificate(ssl.TLSVersion.TLSv1_3),
    Quirk.UNKNOWN_SNI: _refuses_names(without=False),
    Quirk.STRICT_SNI: _refuses_names(without=True),
}


def behaviour(protocol: str, security: str, quirk: Quirk) -> Behaviour:
    """What the server does with a client. `protocol`: imap, smtp, https; `security`: tls or starttls.

    `PLAINTEXT` goes with tls, `IMPLICIT`, `REFUSED`, `INJECTED` and `PREAUTH` with starttls.
    """
    if quirk in _AT_ONCE:
        return _AT_ONCE[quirk]
    if protocol == "https":
        return _web(quirk)
    if protocol not in ("imap", "smtp"):
        raise ValueError(f"no such protocol: {protocol}")
    return _mail("imap" if protocol == "imap" else "smtp", security == "starttls", quirk)


def _web(quirk: Quirk) -> Behaviour:
    if quirk in (Quirk.PLAINTEXT, Quirk.NO_TLS):
        return http_refuses_tls
    if quirk is Quirk.WRONG_PROTOCOL:
        return in_tls(greets_and_serves("imap"))
    return _HANDSHAKES.get(quirk) or in_tls(https)


def _mail(protocol: Mail, with_starttls: bool, quirk: Quirk) -> Behaviour:
    odd = _odd_mail(protocol, quirk)
    if odd is not None:
        return odd
    if quirk is Quirk.WRONG_PROTOCOL:
        other: Mail = "smtp" if protocol == "imap" else "imap"
        return starttls(other, in_tls(serves(other))) if with_starttls else in_tls(greets_and_serves(other))
    if with_starttls:
        then = _HANDSHAKES.get(quirk) or in_tls(serves(protocol))
        return starttls(protocol, then, injected=quirk is Quirk.INJECTED, preauth=quirk is Quirk.PREAUTH)
    return _HANDSHAKES.get(quirk) or in_tls(greets_and_serves(protocol))


def _odd_mail(protocol: Mail, quirk: Quirk) -> Behaviour | None:
    """Where TLS begins at another moment than the client expects, or never."""
    if quirk is Quirk.PLAINTEXT:
        return starttls(protocol, in_tls(serves(protocol)))
    if quirk is Quirk.NO_TLS:
        return greets_and_serves(protocol)
    if quirk is Quirk.IMPLICIT:
        return in_tls(greets_and_serves(protocol))
    return refuses_starttls(protocol) if quirk is Quirk.REFUSED else None


def _oversize_handshake(conversation: Conversation) -> None:
    """A ServerHello that says it is 16 MiB long, and begins to come (RFC 8446, 4)."""
    _hello(conversation)
    conversation.send(b"\x16\x03\x03\x40\x00" + b"\x02\xff\xff\xff" + bytes(16380))
    conversation.hang()


def _drip_handshake(conversation: Conversation) -> None:
    _hello(conversation)
    drips(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc" + bytes(16380), seconds=0.2)(conversation)


def _drip_greeting(conversation: Conversation) -> None:
    """Time-outs of single reads never end a drip: this one ends by itself after 2 s, for the oracle's sake."""
    for byte in b"* OK still coming..":
        conversation.send(bytes([byte]))
        conversation.pause(0.1)


def _hello(conversation: Conversation) -> None:
    """Wait for the client: bytes that come before its ClientHello would be an injection."""
    assert isinstance(conversation, TlsConversation)
    conversation.take(1)


def _close(_: Conversation) -> None:
    """Nothing more to do."""


_AT_ONCE: Mapping[Quirk, Behaviour] = {
    Quirk.CLOSED: BEHAVIOURS["close"],
    Quirk.RESET: BEHAVIOURS["reset"],
    Quirk.SILENT: BEHAVIOURS["silent"],
}
# what takes over where the handshake begins: at once, or after an honest STARTTLS
_HANDSHAKES: Mapping[Quirk, Behaviour] = {
    Quirk.CLOSED_AFTER_TLS: in_tls(_close),
    Quirk.SILENT_IN_HANDSHAKE: BEHAVIOURS["silent"],
    Quirk.SILENT_AFTER_TLS: in_tls(BEHAVIOURS["silent"]),
    Quirk.DRIP: _drip_handshake,
    Quirk.DRIP_AFTER_TLS: in_tls(_drip_greeting),
    Quirk.OVERSIZE_HANDSHAKE: _oversize_handshake,
    Quirk.OVERSIZE_GREETING: in_tls(floods(b"x" * 65536)),
}
