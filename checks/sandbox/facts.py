"""What the sentences of a code need, and the words that a server would have said. Data."""

from collections.abc import Mapping

from checks.codes import Code
from checks.model import Facts, Protocol
from checks.protocols.exchange_online import ENDS, LEGACY_ENDS

_LEAF = "CN=mail.test"
_AUTHORITY = "CN=Sandbox Issuing CA,O=Sandbox"
_ROOT = "CN=Sandbox Root CA,O=Sandbox"
_EWS = "/EWS/Exchange.asmx"

FACTS: Mapping[Code, Facts] = {
    Code.CONNECT_TIMEOUT: {"seconds": "20"},
    Code.CONNECT_SOME_ADDRESSES: {"addresses": "2001:db8::25"},
    Code.CONNECT_NOT_ADMITTED: {"addresses": "203.0.113.7", "admitted": "203.0.113.8"},
    Code.TLS_UNTRUSTED_ROOT: {"issuer": _ROOT},
    Code.TLS_NAME_MISMATCH: {"names": "www.ok.test"},
    Code.TLS_INCOMPLETE_CHAIN: {"subject": _AUTHORITY},
    Code.TLS_CHAIN_UNCLEAR: {"issuer": _AUTHORITY, "reason": "its certificate does not say where the issuer's is"},
    Code.TLS_WRONG_INTERMEDIATE: {"names": "CN=Sandbox Other CA,O=Sandbox", "issuer": _AUTHORITY},
    Code.TLS_INTERMEDIATE_EXPIRED: {"subject": _AUTHORITY},
    Code.TLS_WEAK_KEY: {"subject": _LEAF},
    Code.TLS_WEAK_SIGNATURE: {"subject": _LEAF},
    Code.TLS_WRONG_PURPOSE: {"subject": _LEAF},
    Code.TLS_NOT_A_CA: {"subject": _AUTHORITY},
    Code.TLS_PATH_LENGTH: {"subject": _ROOT},
    Code.TLS_NAME_CONSTRAINTS: {"subject": _AUTHORITY},
    Code.TLS_CRITICAL_EXTENSION: {"subject": _LEAF},
    Code.TLS_BAD_SIGNATURE: {"subject": _LEAF},
    Code.TLS_STRICT_ONLY: {"subject": _LEAF, "reason": "Missing Authority Key Identifier"},
    Code.TLS_UNNEEDED_CERTIFICATES: {"names": "CN=Sandbox Other CA,O=Sandbox", "count": "1"},
    Code.TLS_UNORDERED_CHAIN: {"names": f"{_ROOT}, {_AUTHORITY}"},
    Code.TLS_ROOT_SENT: {"subject": _ROOT},
    Code.TLS_CN_ONLY: {"subject": _LEAF},
    Code.TLS_OLD_VERSION: {"versions": "TLSv1.1"},
    Code.TLS_ADDRESSES_DIFFER: {"addresses": "192.0.2.26"},
    Code.TLS_VERSION: {"versions": "TLSv1.1", "minimum": "TLS 1.2"},
    Code.TLS_OLD_CIPHERS: {"cipher": "AES128-GCM-SHA256"},
    Code.GREETING_TIMEOUT: {"seconds": "20"},
    Code.PROTOCOL_MISMATCH: {"other": "HTTP"},
    Code.DEADLINE: {"seconds": "20"},
    Code.EXCHANGE_AUTODISCOVER_DIFFERS: {"target": f"https://other.ok.test{_EWS}"},
    Code.EXCHANGE_REDIRECTED: {"target": f"https://ok.test/other{_EWS}"},
    Code.EXCHANGE_REDIRECTED_ELSEWHERE: {"target": f"https://ok.test{_EWS}"},
    Code.EXCHANGE_AUTH_UNUSABLE: {"names": "Kerberos"},
    Code.EXCHANGE_ONLINE: {"date": ENDS.isoformat()},
    Code.EXCHANGE_ONLINE_RETIRED: {"date": ENDS.isoformat()},
    Code.EXCHANGE_APP_NOT_LISTED: {"date": ENDS.isoformat()},
    Code.EXCHANGE_LEGACY_ENDPOINT: {"date": LEGACY_ENDS.isoformat(), "target": "outlook.office365.com"},
}
"""What a code's sentences name besides the place; dates of certificates are those of the certificate."""

FIXES: Mapping[Code, str] = {
    Code.TLS_EXPIRED: "renew",
    Code.TLS_INTERMEDIATE_EXPIRED: "renew",
    Code.TLS_NOT_YET_VALID: "wait_or_fix_clock",
    Code.TLS_INCOMPLETE_CHAIN: "install_intermediate",
    Code.TLS_WRONG_INTERMEDIATE: "install_intermediate",
    Code.TLS_NAME_MISMATCH: "use_host",
    Code.TLS_SELF_SIGNED: "trust_ca",
    Code.TLS_UNTRUSTED_ROOT: "trust_ca",
    Code.TLS_WEAK_KEY: "replace_certificate",
    Code.TLS_WEAK_SIGNATURE: "replace_certificate",
    Code.TLS_CHAIN_TOO_LARGE: "replace_certificate",
    Code.TLS_VERSION: "upgrade_tls",
    Code.TLS_OLD_CIPHERS: "upgrade_tls",
    Code.TLS_PLAINTEXT_PORT: "use_starttls",
    Code.TLS_IMPLICIT_PORT: "use_implicit_tls",
}

VERIFICATION: Mapping[Code, str] = {
    Code.TLS_SELF_SIGNED: "self-signed certificate",
    Code.TLS_UNTRUSTED_ROOT: "unable to get local issuer certificate",
    Code.TLS_INCOMPLETE_CHAIN: "unable to get local issuer certificate",
    Code.TLS_CHAIN_UNCLEAR: "unable to get local issuer certificate",
    Code.TLS_WRONG_INTERMEDIATE: "unable to get local issuer certificate",
    Code.TLS_INTERMEDIATE_EXPIRED: "certificate has expired",
    Code.TLS_EXPIRED: "certificate has expired",
    Code.TLS_NOT_YET_VALID: "certificate is not yet valid",
    Code.TLS_NAME_MISMATCH: "Hostname mismatch",
    Code.TLS_WEAK_KEY: "EE certificate key too weak",
    Code.TLS_WEAK_SIGNATURE: "CA signature digest algorithm too weak",
    Code.TLS_WRONG_PURPOSE: "unsuitable certificate purpose",
    Code.TLS_NOT_A_CA: "invalid CA certificate",
    Code.TLS_PATH_LENGTH: "path length constraint exceeded",
    Code.TLS_NAME_CONSTRAINTS: "permitted subtree violation",
    Code.TLS_CRITICAL_EXTENSION: "unhandled critical extension",
    Code.TLS_BAD_SIGNATURE: "certificate signature failure",
    Code.TLS_BAD_CERTIFICATE: "certificate rejected",
}
"""What OpenSSL says of a chain that it refuses. These are the codes that "allow insecure certificate" is for."""

_SAID: Mapping[Code, tuple[str, str, str]] = {
    Code.AUTH_REJECTED: (
        "NO [AUTHENTICATIONFAILED] Authentication failed.",
        "535 5.7.8 Error: authentication failed",
        "HTTP/1.1 401 Unauthorized",
    ),
    Code.AUTH_APP_PASSWORD: (
        "NO [ALERT] Application-specific password required (Failure)",
        "534 5.7.9 Application-specific password required",
        "HTTP/1.1 401 Unauthorized",
    ),
    Code.AUTH_LOCKED: (
        "NO [ALERT] Your account is locked. Please contact your administrator.",
        "535 5.7.8 Account locked",
        "HTTP/1.1 401 Unauthorized",
    ),
    Code.AUTH_TEMPORARY: (
        "NO [UNAVAILABLE] Temporary authentication failure.",
        "454 4.7.0 Temporary authentication failure",
        "HTTP/1.1 503 Service Unavailable",
    ),
    Code.SERVER_THROTTLED: (
        "NO [LIMIT] Too many requests, try again later",
        "421 4.7.0 Too many requests, try again later",
        "HTTP/1.1 503 Service Unavailable",
    ),
    Code.MAILBOX_FULL: ("NO [OVERQUOTA] Mailbox is full", "452 4.2.2 Mailbox full", "ErrorQuotaExceeded"),
    Code.SMTP_SENDER_REFUSED: ("", "553 5.7.1 Sender address rejected: not owned by user", ""),
    Code.SMTP_LOGIN_REQUIRED: ("", "530 5.7.0 Authentication required", ""),
    Code.GREETING_REFUSED: ("* BYE Not for you", "554 5.7.1 Not for you", ""),
    Code.SERVER_UNAVAILABLE: (
        "* BYE Service not available",
        "421 4.3.2 Service not available",
        "HTTP/1.1 503 Service Unavailable",
    ),
}
_PLACES = (Protocol.IMAP, Protocol.SMTP, Protocol.HTTPS)


def said(code: Code, protocol: Protocol) -> str:
    """The words in which a server, or the network, would tell of a code."""
    if code is Code.OK:
        return ""
    words = _SAID.get(code, ("", "", ""))[_PLACES.index(protocol)]
    return words or VERIFICATION.get(code) or f"sandbox: {code.partition('.')[2].replace('_', ' ')}"
