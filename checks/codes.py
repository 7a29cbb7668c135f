"""The one table of causes: what each is called, who must act, and whether it lasts. `checks.messages` words them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    OK = "ok"
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


class Blame(StrEnum):
    """Who must act."""

    NOBODY = "nobody"
    SETTINGS = "settings"  # the admin, who typed the settings
    SERVER = "server"  # whoever runs the mail server
    MAILBOX = "mailbox"  # the mailbox's owner
    NETWORK = "network"  # whoever runs the path between us and the server
    US = "us"  # the operator of this service


class Code(StrEnum):
    """Stable identifiers of causes. Each has a row in `CODES` and a message in every language."""

    OK = "ok"

    DNS_NOT_FOUND = "dns.not_found"
    DNS_NO_ADDRESS = "dns.no_address"
    DNS_TEMPORARY = "dns.temporary"
    ADDRESS_NOT_ALLOWED = "address.not_allowed"
    ADDRESS_PORT = "address.port_not_allowed"
    ADDRESS_SOURCE_MISSING = "address.source_missing"

    CONNECT_REFUSED = "connect.refused"
    CONNECT_TIMEOUT = "connect.timeout"
    CONNECT_UNREACHABLE = "connect.unreachable"
    CONNECT_SOME_ADDRESSES = "connect.some_addresses"
    CONNECT_NOT_ADMITTED = "connect.not_admitted"
    CONNECT_CLOSED = "connect.closed"

    TLS_SELF_SIGNED = "tls.self_signed"
    TLS_UNTRUSTED_ROOT = "tls.untrusted_root"
    TLS_INCOMPLETE_CHAIN = "tls.incomplete_chain"
    TLS_CHAIN_UNCLEAR = "tls.chain_unclear"
    TLS_WRONG_INTERMEDIATE = "tls.wrong_intermediate"
    TLS_INTERMEDIATE_EXPIRED = "tls.intermediate_expired"
    TLS_EXPIRED = "tls.expired"
    TLS_NOT_YET_VALID = "tls.not_yet_valid"
    TLS_NAME_MISMATCH = "tls.name_mismatch"
    TLS_WEAK_KEY = "tls.weak_key"
    TLS_WEAK_SIGNATURE = "tls.weak_signature"
    TLS_WRONG_PURPOSE = "tls.wrong_purpose"
    TLS_NOT_A_CA = "tls.not_a_ca"
    TLS_PATH_LENGTH = "tls.path_length"
    TLS_NAME_CONSTRAINTS = "tls.name_constraints"
    TLS_CRITICAL_EXTENSION = "tls.critical_extension"
    TLS_BAD_SIGNATURE = "tls.bad_signature"
    TLS_CHAIN_TOO_LARGE = "tls.chain_too_large"
    TLS_BAD_CERTIFICATE = "tls.bad_certificate"
    TLS_STRICT_ONLY = "tls.strict_only"
    TLS_EXPIRES_SOON = "tls.expires_soon"
    TLS_PIN_EXPIRES = "tls.pin_expires"
    TLS_CERTIFICATE_CHANGED = "tls.certificate_changed"
    TLS_OPTION_NOT_NEEDED = "tls.option_not_needed"
    TLS_UNNEEDED_CERTIFICATES = "tls.unneeded_certificates"
    TLS_UNORDERED_CHAIN = "tls.unordered_chain"
    TLS_ROOT_SENT = "tls.root_sent"
    TLS_CN_ONLY = "tls.cn_only"
    TLS_OLD_VERSION = "tls.old_version"
    TLS_REVOKED = "tls.revoked"
    TLS_ADDRESSES_DIFFER = "tls.addresses_differ"
    TLS_PIN_CHANGED = "tls.pin_changed"
    TLS_PLAINTEXT_PORT = "tls.plaintext_port"
    TLS_IMPLICIT_PORT = "tls.implicit_port"
    TLS_STARTTLS_NOT_OFFERED = "tls.starttls_not_offered"
    TLS_STARTTLS_REFUSED = "tls.starttls_refused"
    TLS_STARTTLS_INJECTION = "tls.starttls_injection"
    TLS_PREAUTH = "tls.preauth"
    TLS_VERSION = "tls.version"
    TLS_NO_SHARED_CIPHER = "tls.no_shared_cipher"
    TLS_OLD_CIPHERS = "tls.old_ciphers"
    TLS_WEAK_DH = "tls.weak_dh"
    TLS_UNKNOWN_SNI = "tls.unknown_sni"
    TLS_CLIENT_CERTIFICATE = "tls.client_certificate"
    TLS_HANDSHAKE = "tls.handshake"
    TLS_NO_SECURE_RENEGOTIATION = "tls.no_secure_renegotiation"
    TLS_TIMEOUT = "tls.timeout"
    TLS_LARGE_HELLO = "tls.large_hello"

    GREETING_TIMEOUT = "greeting.timeout"
    GREETING_REFUSED = "greeting.refused"
    PROTOCOL_MISMATCH = "protocol.mismatch"
    PROTOCOL_ERROR = "protocol.error"
    PROTOCOL_BARE_LINE_FEED = "protocol.bare_line_feed"
    PROTOCOL_FOREIGN_TAG = "protocol.foreign_tag"
    PROTOCOL_OVERSIZE = "protocol.oversize"
    DEADLINE = "deadline.exceeded"

    SERVER_UNAVAILABLE = "server.unavailable"
    SERVER_THROTTLED = "server.throttled"
    SERVER_TOO_MANY_CONNECTIONS = "server.too_many_connections"
    SERVER_PATIENCE = "server.patience"
    SERVER_BLOCKS_ADDRESS = "server.blocks_address"
    SERVER_REVERSE_DNS = "server.reverse_dns"
    SERVER_REFUSES_NAME = "server.refuses_name"

    AUTH_REJECTED = "auth.rejected"
    AUTH_APP_PASSWORD = "auth.app_password_required"
    AUTH_OAUTH_REQUIRED = "auth.oauth_required"
    AUTH_TOKEN_REJECTED = "auth.token_rejected"
    AUTH_CLIENT_REJECTED = "auth.client_rejected"
    AUTH_BASIC_DISABLED = "auth.basic_disabled"
    AUTH_POLICY = "auth.policy"
    AUTH_WEB_LOGIN = "auth.web_login_required"
    AUTH_LOCKED = "auth.locked"
    AUTH_ACCOUNT_DISABLED = "auth.account_disabled"
    AUTH_EXPIRED = "auth.password_expired"
    AUTH_PROTOCOL_DISABLED = "auth.protocol_disabled"
    AUTH_NOT_OFFERED = "auth.not_offered"
    AUTH_NO_MECHANISM = "auth.no_common_mechanism"
    AUTH_ENCRYPTION_REQUIRED = "auth.encryption_required"
    AUTH_UNSENDABLE = "auth.unsendable"
    AUTH_ID_REQUIRED = "auth.id_required"
    AUTH_TEMPORARY = "auth.temporary"
    AUTH_ALL_REJECTED = "auth.all_rejected"

    SMTP_LOGIN_REQUIRED = "smtp.login_required"
    SMTP_SENDER_REFUSED = "smtp.sender_refused"

    MAILBOX_NOT_CONNECTED = "mailbox.not_connected"
    MAILBOX_NO_INBOX = "mailbox.no_inbox"
    MAILBOX_IN_USE = "mailbox.in_use"
    MAILBOX_BROKEN = "mailbox.broken"
    MAILBOX_FULL = "mailbox.full"
    MAILBOX_ELSEWHERE = "mailbox.elsewhere"

    EXCHANGE_URL_CHANGED = "exchange.url_changed"
    EXCHANGE_AUTODISCOVER_DIFFERS = "exchange.autodiscover_differs"
    EXCHANGE_PLAIN_HTTP = "exchange.plain_http"
    EXCHANGE_REDIRECTED = "exchange.redirected"
    EXCHANGE_REDIRECTED_ELSEWHERE = "exchange.redirected_elsewhere"
    EXCHANGE_REDIRECT_LOOP = "exchange.redirect_loop"
    EXCHANGE_LOGON_PAGE = "exchange.logon_page"
    EXCHANGE_PRE_AUTHENTICATION = "exchange.pre_authentication"
    EXCHANGE_FIREWALL = "exchange.firewall"
    EXCHANGE_NOT_FOUND = "exchange.not_found"
    EXCHANGE_NOT_ALLOWED = "exchange.not_allowed"
    EXCHANGE_NOT_EWS = "exchange.not_ews"
    EXCHANGE_OTHER_SERVICE = "exchange.other_service"
    EXCHANGE_FORBIDDEN = "exchange.forbidden"
    EXCHANGE_NO_AUTH = "exchange.no_auth_offered"
    EXCHANGE_AUTH_UNUSABLE = "exchange.auth_unusable"
    EXCHANGE_NTLM_BROKEN = "exchange.ntlm_broken"
    EXCHANGE_ALL_REJECTED = "exchange.all_rejected"
    EXCHANGE_ONLINE = "exchange.online"
    EXCHANGE_ONLINE_RETIRED = "exchange.online_retired"
    EXCHANGE_ONLINE_PASSWORD = "exchange.online_password"
    EXCHANGE_ONLINE_SMTP = "exchange.online_smtp"
    EXCHANGE_APP_NOT_LISTED = "exchange.app_not_listed"
    EXCHANGE_LEGACY_ENDPOINT = "exchange.legacy_endpoint"
    EXCHANGE_CONSUMER = "exchange.consumer"
    EXCHANGE_MAILBOX_NOT_FOUND = "exchange.mailbox_not_found"
    EXCHANGE_PRIMARY_ADDRESS = "exchange.primary_address"
    EXCHANGE_ACCESS_DENIED = "exchange.access_denied"
    EXCHANGE_MAIL_DENIED = "exchange.mail_denied"
    EXCHANGE_CALENDAR_DENIED = "exchange.calendar_denied"
    EXCHANGE_CALENDAR_MISSING = "exchange.calendar_missing"
    EXCHANGE_EWS_DISABLED = "exchange.ews_disabled"
    EXCHANGE_IMPERSONATION = "exchange.impersonation_denied"
    EXCHANGE_MOVING = "exchange.mailbox_moving"
    EXCHANGE_STORE = "exchange.store_unavailable"
    EXCHANGE_PROXYING = "exchange.proxying_failed"
    EXCHANGE_VERSION = "exchange.version"
    EXCHANGE_REQUEST_REFUSED = "exchange.request_refused"
    EXCHANGE_OTHER_ERROR = "exchange.other_error"

    CREDENTIAL_MISSING = "credential.missing"
    CREDENTIAL_UNREADABLE = "credential.unreadable"
    RUN_NOT_TRIED = "run.not_tried"
    RUN_CANCELLED = "run.cancelled"
    RUN_BUDGET = "run.login_budget"
    INTERNAL = "internal.error"


@dataclass(frozen=True, slots=True)
class Trait:
    """What is known of a code: who must act, and whether it lasts (a lasting cause is `fail`, else `inconclusive`)."""

    blame: Blame
    permanent: bool


def _traits(blame: Blame, permanent: bool, *codes: Code) -> dict[Code, Trait]:
    return dict.fromkeys(codes, Trait(blame, permanent))


CODES: Mapping[Code, Trait] = {
    **_traits(Blame.NOBODY, True, Code.OK),
    **_traits(
        Blame.SETTINGS,
        True,
        Code.DNS_NOT_FOUND,
        Code.DNS_NO_ADDRESS,
        Code.ADDRESS_NOT_ALLOWED,
        Code.ADDRESS_PORT,
        Code.CONNECT_REFUSED,
        Code.TLS_NAME_MISMATCH,
        Code.TLS_OPTION_NOT_NEEDED,
        Code.TLS_PLAINTEXT_PORT,
        Code.TLS_IMPLICIT_PORT,
        Code.PROTOCOL_MISMATCH,
        Code.PROTOCOL_OVERSIZE,
        Code.SMTP_LOGIN_REQUIRED,
    ),
    **_traits(
        Blame.SERVER,
        True,
        Code.TLS_SELF_SIGNED,
        Code.TLS_UNTRUSTED_ROOT,
        Code.TLS_INCOMPLETE_CHAIN,
        Code.TLS_CHAIN_UNCLEAR,
        Code.TLS_WRONG_INTERMEDIATE,
        Code.TLS_INTERMEDIATE_EXPIRED,
        Code.TLS_EXPIRED,
        Code.TLS_NOT_YET_VALID,
        Code.TLS_WEAK_KEY,
        Code.TLS_WEAK_SIGNATURE,
        Code.TLS_WRONG_PURPOSE,
        Code.TLS_NOT_A_CA,
        Code.TLS_PATH_LENGTH,
        Code.TLS_NAME_CONSTRAINTS,
        Code.TLS_CRITICAL_EXTENSION,
        Code.TLS_BAD_SIGNATURE,
        Code.TLS_CHAIN_TOO_LARGE,
        Code.TLS_BAD_CERTIFICATE,
        Code.TLS_STRICT_ONLY,
        Code.TLS_EXPIRES_SOON,
        Code.TLS_PIN_EXPIRES,
        Code.TLS_CERTIFICATE_CHANGED,
        Code.TLS_UNNEEDED_CERTIFICATES,
        Code.TLS_UNORDERED_CHAIN,
        Code.TLS_ROOT_SENT,
        Code.TLS_CN_ONLY,
        Code.TLS_OLD_VERSION,
        Code.TLS_REVOKED,
        Code.TLS_ADDRESSES_DIFFER,
        Code.TLS_PIN_CHANGED,
        Code.TLS_STARTTLS_NOT_OFFERED,
        Code.TLS_STARTTLS_REFUSED,
        Code.TLS_STARTTLS_INJECTION,
        Code.TLS_PREAUTH,
        Code.TLS_VERSION,
        Code.TLS_NO_SHARED_CIPHER,
        Code.TLS_OLD_CIPHERS,
        Code.TLS_WEAK_DH,
        Code.TLS_UNKNOWN_SNI,
        Code.TLS_CLIENT_CERTIFICATE,
        Code.TLS_HANDSHAKE,
        Code.TLS_NO_SECURE_RENEGOTIATION,
        Code.TLS_LARGE_HELLO,
        Code.GREETING_REFUSED,
        Code.SERVER_BLOCKS_ADDRESS,
        Code.AUTH_BASIC_DISABLED,
        Code.AUTH_NOT_OFFERED,
        Code.AUTH_NO_MECHANISM,
        Code.AUTH_OAUTH_REQUIRED,
        Code.AUTH_ENCRYPTION_REQUIRED,
        Code.AUTH_ID_REQUIRED,
        Code.PROTOCOL_BARE_LINE_FEED,
        Code.PROTOCOL_FOREIGN_TAG,
        Code.MAILBOX_BROKEN,
        Code.CONNECT_SOME_ADDRESSES,
        Code.CONNECT_NOT_ADMITTED,
    ),
    **_traits(
        Blame.SERVER,
        False,
        Code.PROTOCOL_ERROR,
        Code.SERVER_UNAVAILABLE,
        Code.SERVER_THROTTLED,
        Code.SERVER_TOO_MANY_CONNECTIONS,
        Code.SERVER_PATIENCE,
        Code.AUTH_TEMPORARY,
        Code.AUTH_ALL_REJECTED,
        Code.MAILBOX_IN_USE,
    ),
    **_traits(
        Blame.MAILBOX,
        True,
        Code.AUTH_REJECTED,
        Code.AUTH_APP_PASSWORD,
        Code.AUTH_TOKEN_REJECTED,
        Code.AUTH_POLICY,
        Code.AUTH_WEB_LOGIN,
        Code.AUTH_LOCKED,
        Code.AUTH_ACCOUNT_DISABLED,
        Code.AUTH_EXPIRED,
        Code.AUTH_UNSENDABLE,
        Code.AUTH_PROTOCOL_DISABLED,
        Code.SMTP_SENDER_REFUSED,
        Code.MAILBOX_NO_INBOX,
    ),
    # "User is authenticated but not connected" comes and goes at Exchange Online when there are too many connections.
    **_traits(Blame.MAILBOX, False, Code.CREDENTIAL_MISSING, Code.MAILBOX_NOT_CONNECTED, Code.MAILBOX_FULL),
    **_traits(
        Blame.NETWORK,
        False,
        Code.DNS_TEMPORARY,
        Code.CONNECT_TIMEOUT,
        Code.CONNECT_UNREACHABLE,
        Code.CONNECT_CLOSED,
        Code.TLS_TIMEOUT,
        Code.GREETING_TIMEOUT,
        Code.DEADLINE,
    ),
    **_traits(
        Blame.SETTINGS,
        True,
        Code.EXCHANGE_URL_CHANGED,
        Code.EXCHANGE_AUTODISCOVER_DIFFERS,
        Code.EXCHANGE_PLAIN_HTTP,
        Code.EXCHANGE_REDIRECTED,
        Code.EXCHANGE_REDIRECTED_ELSEWHERE,
        Code.EXCHANGE_NOT_FOUND,
        Code.EXCHANGE_NOT_ALLOWED,
        Code.EXCHANGE_NOT_EWS,
        Code.EXCHANGE_OTHER_SERVICE,
        Code.EXCHANGE_ONLINE,
        Code.EXCHANGE_ONLINE_RETIRED,
        Code.EXCHANGE_ONLINE_PASSWORD,
        Code.EXCHANGE_ONLINE_SMTP,
        Code.EXCHANGE_LEGACY_ENDPOINT,
        Code.EXCHANGE_CONSUMER,
        Code.AUTH_CLIENT_REJECTED,
        Code.MAILBOX_ELSEWHERE,
    ),
    **_traits(
        Blame.SERVER,
        True,
        Code.EXCHANGE_REDIRECT_LOOP,
        Code.EXCHANGE_LOGON_PAGE,
        Code.EXCHANGE_PRE_AUTHENTICATION,
        Code.EXCHANGE_FIREWALL,
        Code.EXCHANGE_FORBIDDEN,
        Code.EXCHANGE_APP_NOT_LISTED,
        Code.EXCHANGE_NO_AUTH,
        Code.EXCHANGE_AUTH_UNUSABLE,
        Code.EXCHANGE_NTLM_BROKEN,
        Code.EXCHANGE_PROXYING,
        Code.EXCHANGE_VERSION,
    ),
    **_traits(
        Blame.SERVER,
        False,
        Code.EXCHANGE_ALL_REJECTED,
        Code.EXCHANGE_MOVING,
        Code.EXCHANGE_STORE,
        Code.EXCHANGE_OTHER_ERROR,
    ),
    **_traits(
        Blame.MAILBOX,
        True,
        Code.EXCHANGE_MAILBOX_NOT_FOUND,
        Code.EXCHANGE_PRIMARY_ADDRESS,
        Code.EXCHANGE_ACCESS_DENIED,
        Code.EXCHANGE_MAIL_DENIED,
        Code.EXCHANGE_CALENDAR_DENIED,
        Code.EXCHANGE_CALENDAR_MISSING,
        Code.EXCHANGE_EWS_DISABLED,
        Code.EXCHANGE_IMPERSONATION,
    ),
    **_traits(
        Blame.US,
        False,
        Code.ADDRESS_SOURCE_MISSING,
        Code.CREDENTIAL_UNREADABLE,
        Code.SERVER_REVERSE_DNS,
        Code.SERVER_REFUSES_NAME,
        Code.EXCHANGE_REQUEST_REFUSED,
        Code.RUN_NOT_TRIED,
        Code.RUN_CANCELLED,
        Code.RUN_BUDGET,
        Code.INTERNAL,
    ),
}


def verdict_of(code: Code) -> Verdict:
    """`ok` for `Code.OK`, `fail` for a lasting cause, `inconclusive` for one that may be gone in a minute."""
    if code is Code.OK:
        return Verdict.OK
    return Verdict.FAIL if CODES[code].permanent else Verdict.INCONCLUSIVE
