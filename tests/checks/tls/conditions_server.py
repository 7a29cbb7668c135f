"""Servers that are refused for what is no matter of certificates, alone and in company."""

from tests.checks.tls.condition import (
    EVERYWHERE,
    ON_MAIL_PORTS,
    ON_MAIL_TLS_PORTS,
    ON_STARTTLS_PORTS,
    ON_TLS_PORTS,
    ONE_PLACE,
    Condition,
    Endpoints,
)
from tests.servers.pki.defects import Defect
from tests.servers.pki.setups import given, leaf
from tests.servers.tls_quirks import Quirk

_GOOD = "root -> intermediate -> leaf"
_IMAP_STARTTLS: Endpoints = (("imap", "starttls"),)
_HTTPS: Endpoints = (("https", "tls"),)


def _useless(
    name: str, quirk: Quirk, code: str, fix: str | None = None, endpoints: Endpoints = EVERYWHERE, stricter: str = ""
) -> Condition:
    """A failure for good that the option does not change."""
    return Condition(
        name,
        f"{_GOOD}; {quirk.value}",
        given(quirk=quirk),
        code,
        option="would_not_help",
        fix=fix,
        endpoints=endpoints,
        stricter=stricter,
    )


def _passing(name: str, quirk: Quirk, code: str, endpoints: Endpoints, seconds: float = 5.0) -> Condition:
    """A failure that may be gone in a minute: nothing can be said of the option."""
    return Condition(
        name, f"{_GOOD}; {quirk.value}", given(quirk=quirk), code, option=None, endpoints=endpoints, seconds=seconds
    )


SERVERS: tuple[Condition, ...] = (
    # -- version, cipher, names (RFC 8446, RFC 6066)
    _useless("TLS 1.0 and 1.1", Quirk.OLD_TLS_ONLY, "tls.version", "upgrade_tls"),
    _useless("no shared cipher", Quirk.NO_SHARED_CIPHER, "tls.no_shared_cipher", "upgrade_tls"),
    Condition(
        "weak Diffie-Hellman",
        f"{_GOOD} (RSA 2048); DHE of 1024 bits only",
        leaf(kind="rsa2048", quirk=Quirk.WEAK_DH_1024),
        "tls.weak_dh",
        option="would_not_help",
        fix="upgrade_tls",
    ),
    _useless("client certificate in TLS 1.2", Quirk.CLIENT_CERTIFICATE_12, "tls.client_certificate"),
    _useless("client certificate in TLS 1.3", Quirk.CLIENT_CERTIFICATE_13, "tls.client_certificate"),
    Condition(
        "unknown server name",
        f"{_GOOD} (for another name); {Quirk.UNKNOWN_SNI.value}",
        given(Defect.LEAF_OTHER_NAME, quirk=Quirk.UNKNOWN_SNI),
        "tls.unknown_sni",
        option="would_not_help",
        # nobody proves a name by asking without one: the name in the certificate would be refused as well
    ),
    _useless("no server name is known", Quirk.STRICT_SNI, "tls.unknown_sni"),
    # -- TLS at another moment (RFC 8314)
    _useless("plaintext on a TLS port", Quirk.PLAINTEXT, "tls.plaintext_port", "use_starttls", ON_MAIL_TLS_PORTS),
    _useless("http on an https port", Quirk.PLAINTEXT, "exchange.plain_http", None, _HTTPS),
    _useless("no TLS on a TLS port", Quirk.NO_TLS, "tls.plaintext_port", None, ON_MAIL_TLS_PORTS),
    Condition(
        "TLS on a STARTTLS port",
        f"{_GOOD}; {Quirk.IMPLICIT.value}",
        given(quirk=Quirk.IMPLICIT),
        "tls.implicit_port",
        option="would_not_help",
        fix="use_implicit_tls",
        endpoints=ON_STARTTLS_PORTS,
        seconds=1.5,
    ),
    _useless("STARTTLS not offered", Quirk.NO_TLS, "tls.starttls_not_offered", None, ON_STARTTLS_PORTS),
    _useless("STARTTLS refused", Quirk.REFUSED, "tls.starttls_refused", None, ON_STARTTLS_PORTS),
    _useless(
        "STARTTLS injected",
        Quirk.INJECTED,
        "tls.starttls_injection",
        None,
        ON_STARTTLS_PORTS,
        "imaplib and smtplib drop what came before the handshake without a word (RFC 3207, 6)",
    ),
    _useless("PREAUTH before STARTTLS", Quirk.PREAUTH, "tls.preauth", None, _IMAP_STARTTLS),
    # -- other protocols
    _useless("another mail protocol", Quirk.WRONG_PROTOCOL, "protocol.mismatch", None, ON_MAIL_PORTS),
    _useless("IMAP on an https port", Quirk.WRONG_PROTOCOL, "protocol.mismatch", None, _HTTPS),
    _useless("oversize handshake", Quirk.OVERSIZE_HANDSHAKE, "tls.handshake"),
    _useless("oversize greeting", Quirk.OVERSIZE_GREETING, "protocol.oversize", None, ON_MAIL_TLS_PORTS),
    # -- servers that do not answer
    _passing("closed", Quirk.CLOSED, "connect.closed", EVERYWHERE),
    _passing("reset", Quirk.RESET, "connect.closed", EVERYWHERE),
    _passing("closed after the handshake", Quirk.CLOSED_AFTER_TLS, "connect.closed", EVERYWHERE),
    _passing("silent on a TLS port", Quirk.SILENT, "tls.timeout", ON_TLS_PORTS, 0.6),
    _passing("silent on a STARTTLS port", Quirk.SILENT, "greeting.timeout", ON_STARTTLS_PORTS, 0.6),
    _passing("silent after STARTTLS", Quirk.SILENT_IN_HANDSHAKE, "tls.timeout", ON_STARTTLS_PORTS, 0.6),
    _passing("silent after the handshake", Quirk.SILENT_AFTER_TLS, "greeting.timeout", ON_MAIL_TLS_PORTS, 0.6),
    _passing("dripping handshake", Quirk.DRIP, "tls.timeout", EVERYWHERE, 0.6),
    _passing("dripping greeting", Quirk.DRIP_AFTER_TLS, "deadline.exceeded", ONE_PLACE, 0.6),
    # -- a certificate that is refused, and behind it something that neither the option nor another certificate changes
    Condition(
        "self-signed, and a client certificate wanted",
        f"leaf (self-signed); {Quirk.CLIENT_CERTIFICATE_13.value}",
        given(Defect.LEAF_SELF_SIGNED, quirk=Quirk.CLIENT_CERTIFICATE_13),
        "tls.self_signed",
        option="would_not_help",
        verify_code=18,
    ),
    Condition(
        "self-signed, and another protocol",
        f"leaf (self-signed); {Quirk.WRONG_PROTOCOL.value}",
        given(Defect.LEAF_SELF_SIGNED, quirk=Quirk.WRONG_PROTOCOL),
        "tls.self_signed",
        option="would_not_help",
        endpoints=ON_TLS_PORTS,
        verify_code=18,
    ),
    Condition(
        "expired, and closed after the handshake",
        f"root -> intermediate -> leaf (expired); {Quirk.CLOSED_AFTER_TLS.value}",
        given(Defect.LEAF_EXPIRED, quirk=Quirk.CLOSED_AFTER_TLS),
        "tls.expired",
        option=None,
        verify_code=10,
    ),
    Condition(
        "expired, over TLS 1.0 too",
        f"root -> intermediate -> leaf (expired); {Quirk.OLD_TLS_TOO.value}",
        given(Defect.LEAF_EXPIRED, quirk=Quirk.OLD_TLS_TOO),
        "tls.expired",
        fix="renew",
        verify_code=10,
    ),
)
