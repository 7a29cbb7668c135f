"""Which code a reserved name stands for. The tables are data; `docs/api.md` prints them.

Every code has its systematic name, `tls-self-signed` for `tls.self_signed`; some have one that is easier to remember.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from checks.codes import Code

DOMAIN = ".test"
"""Reserved for tests by RFC 6761: in the DNS there is no such name."""

BY_LOGINS: Mapping[Code, str] = {
    Code.AUTH_ALL_REJECTED: "three mailboxes or more, all of them `rejected`",
    Code.EXCHANGE_ALL_REJECTED: "the same with Exchange",
    Code.RUN_NOT_TRIED: "more mailboxes than are tried first (five), all of them `rejected`: the others are left",
    Code.RUN_CANCELLED: "cancel a verification with a mailbox `slow`",
    Code.CREDENTIAL_MISSING: "a mailbox without a credential",
    Code.EXCHANGE_ONLINE_PASSWORD: "Exchange at `outlook.office365.com`, a mailbox with a password",
}
"""Codes that come of the real flow, and what to do for them."""
BY_TIME: Mapping[Code, str] = {
    Code.TLS_CERTIFICATE_CHANGED: "`tls-certificate-changed.test` in force, the clock put on by a day",
    Code.TLS_PIN_EXPIRES: "`tls-pin-expires.test` in force with `allow_insecure_certificate`",
    Code.TLS_OPTION_NOT_NEEDED: "`ok.test` in force with `allow_insecure_certificate`",
    Code.EXCHANGE_ONLINE_SMTP: "SMTP at `smtp.office365.com` in force, a mailbox with a password",
}
"""Codes of notices, which the checks of health find in force."""
BY_URL: Mapping[Code, str] = {Code.EXCHANGE_URL_CHANGED: "an Exchange address that has to be corrected: `ok.test/owa`"}

WARNINGS = frozenset(
    {
        Code.CONNECT_SOME_ADDRESSES,
        Code.TLS_STRICT_ONLY,
        Code.TLS_EXPIRES_SOON,
        Code.TLS_UNNEEDED_CERTIFICATES,
        Code.TLS_UNORDERED_CHAIN,
        Code.TLS_ROOT_SENT,
        Code.TLS_CN_ONLY,
        Code.TLS_OLD_VERSION,
        Code.TLS_REVOKED,
        Code.TLS_ADDRESSES_DIFFER,
        Code.EXCHANGE_AUTODISCOVER_DIFFERS,
        Code.EXCHANGE_ONLINE,
        Code.EXCHANGE_LEGACY_ENDPOINT,
    }
)
"""Codes that a server has which works."""
_OF_LOGINS = frozenset(
    {
        Code.AUTH_REJECTED,
        Code.AUTH_APP_PASSWORD,
        Code.AUTH_TOKEN_REJECTED,
        Code.AUTH_CLIENT_REJECTED,
        Code.AUTH_POLICY,
        Code.AUTH_WEB_LOGIN,
        Code.AUTH_LOCKED,
        Code.AUTH_ACCOUNT_DISABLED,
        Code.AUTH_EXPIRED,
        Code.AUTH_PROTOCOL_DISABLED,
        Code.AUTH_UNSENDABLE,
        Code.AUTH_ID_REQUIRED,
        Code.AUTH_TEMPORARY,
        Code.PROTOCOL_BARE_LINE_FEED,
        Code.SERVER_PATIENCE,
        Code.EXCHANGE_MAILBOX_NOT_FOUND,
        Code.EXCHANGE_PRIMARY_ADDRESS,
        Code.EXCHANGE_ACCESS_DENIED,
        Code.EXCHANGE_MAIL_DENIED,
        Code.EXCHANGE_CALENDAR_DENIED,
        Code.EXCHANGE_CALENDAR_MISSING,
        Code.EXCHANGE_EWS_DISABLED,
        Code.EXCHANGE_IMPERSONATION,
        Code.EXCHANGE_MOVING,
        Code.EXCHANGE_STORE,
        Code.EXCHANGE_OTHER_ERROR,
        Code.EXCHANGE_REQUEST_REFUSED,
        Code.CREDENTIAL_UNREADABLE,
        Code.RUN_BUDGET,
    }
)
"""Codes that only a mailbox has."""
_OF_BOTH = frozenset(
    {
        Code.OK,
        Code.INTERNAL,
        Code.DEADLINE,
        Code.CONNECT_CLOSED,
        Code.PROTOCOL_ERROR,
        Code.PROTOCOL_FOREIGN_TAG,
        Code.SERVER_UNAVAILABLE,
        Code.SERVER_THROTTLED,
        Code.SERVER_TOO_MANY_CONNECTIONS,
        Code.SERVER_BLOCKS_ADDRESS,
        Code.AUTH_OAUTH_REQUIRED,
        Code.AUTH_BASIC_DISABLED,
        Code.EXCHANGE_PROXYING,
        Code.EXCHANGE_VERSION,
        Code.EXCHANGE_ONLINE_RETIRED,
        Code.EXCHANGE_APP_NOT_LISTED,
    }
)


def systematic(code: Code) -> str:
    """The name that every code has: `tls-self-signed`."""
    return code.value.replace(".", "-").replace("_", "-")


def _of_mailboxes(code: Code) -> bool:
    return code in _OF_LOGINS | _OF_BOTH or code.startswith(("mailbox.", "smtp."))


def _of_servers(code: Code) -> bool:
    only_logins = code in _OF_LOGINS or code.startswith(("mailbox.", "smtp."))
    return not only_logins and code not in {**BY_LOGINS, **BY_TIME, **BY_URL}


HOST_ALIASES: Mapping[str, Code] = {
    "self-signed": Code.TLS_SELF_SIGNED,
    "private-ca": Code.TLS_UNTRUSTED_ROOT,
    "incomplete-chain": Code.TLS_INCOMPLETE_CHAIN,
    "expired": Code.TLS_EXPIRED,
    "not-yet-valid": Code.TLS_NOT_YET_VALID,
    "name-mismatch": Code.TLS_NAME_MISMATCH,
    "not-found": Code.DNS_NOT_FOUND,
    "refused": Code.CONNECT_REFUSED,
    "timeout": Code.CONNECT_TIMEOUT,
    "throttled": Code.SERVER_THROTTLED,
    "unavailable": Code.SERVER_UNAVAILABLE,
    "blocked": Code.SERVER_BLOCKS_ADDRESS,
    "expires-soon": Code.TLS_EXPIRES_SOON,
    "slow": Code.OK,
}
MAILBOX_ALIASES: Mapping[str, Code] = {
    "rejected": Code.AUTH_REJECTED,
    "app-password": Code.AUTH_APP_PASSWORD,
    "locked": Code.AUTH_LOCKED,
    "disabled": Code.AUTH_ACCOUNT_DISABLED,
    "expired": Code.AUTH_EXPIRED,
    "policy": Code.AUTH_POLICY,
    "oauth": Code.AUTH_OAUTH_REQUIRED,
    "temporary": Code.AUTH_TEMPORARY,
    "throttled": Code.SERVER_THROTTLED,
    "full": Code.MAILBOX_FULL,
    "patience": Code.SERVER_PATIENCE,
    "slow": Code.OK,
}
HOSTS: Mapping[str, Code] = {systematic(code): code for code in Code if _of_servers(code)} | dict(HOST_ALIASES)
MAILBOXES: Mapping[str, Code] = {systematic(code): code for code in Code if _of_mailboxes(code)} | dict(MAILBOX_ALIASES)

CHANGES, PIN_EXPIRES, SLOW = "tls-certificate-changed", "tls-pin-expires", "slow"
_REAL: Mapping[str, Code] = {
    "outlook.office365.com": Code.EXCHANGE_ONLINE,
    "smtp.office365.com": Code.OK,
}
"""Names of Microsoft that stand for themselves, for what is true of these only."""
_EXPIRES = re.compile(r"expires-in-(\d{1,4})-days")
_OUTAGE = re.compile(r"down-from-(\d{1,4})-to-(\d{1,4})-hours")
_BREAKS = re.compile(r"breaks-after-(\d{1,4})-hours")
_REJECTED = re.compile(r"rejected-after-(\d{1,4})-hours")
_NUMBERED = re.compile(r"[-+._]?\d+$")


@dataclass(frozen=True, slots=True)
class Named:
    """What a host stands for. `label` is the name before `.test`, `days` how long its certificate is valid yet."""

    code: Code
    label: str = ""
    days: int | None = None


def host_named(host: str, hours: float) -> Named:
    """What a host stands for, `hours` after its settings were saved. One that is no reserved name does not exist."""
    if host in _REAL:
        return Named(_REAL[host])
    if not host.endswith(DOMAIN):
        return Named(Code.ADDRESS_NOT_ALLOWED if _is_address(host) else Code.DNS_NOT_FOUND)
    label = host.removesuffix(DOMAIN).rpartition(".")[2]
    if found := _EXPIRES.fullmatch(label):
        return Named(Code.OK, label, int(found[1]))
    if found := _BREAKS.fullmatch(label):
        return Named(Code.CONNECT_REFUSED if hours >= int(found[1]) else Code.OK, label)
    if found := _OUTAGE.fullmatch(label):
        return Named(Code.CONNECT_REFUSED if int(found[1]) <= hours < int(found[2]) else Code.OK, label)
    if label in (CHANGES, PIN_EXPIRES):
        return Named(Code.TLS_SELF_SIGNED if label == PIN_EXPIRES else Code.OK, label)
    return Named(HOSTS.get(label, Code.DNS_NOT_FOUND), label)


def _is_address(host: str) -> bool:
    return ":" in host or host.replace(".", "").isdigit()


def mailbox_named(address: str, hours: float) -> tuple[Code, str]:
    """What a mailbox comes to, and the name that it was told by. A name that is not reserved works."""
    local = address.partition("@")[0].lower()
    if found := _REJECTED.fullmatch(local):
        return (Code.AUTH_REJECTED if hours >= int(found[1]) else Code.OK), local
    label = _NUMBERED.sub("", local)
    return MAILBOXES.get(label, Code.OK), label
