"""What is known of Microsoft's own Exchange: its hosts, and the dates on which it stops taking what it took.

Basic authentication ended in 2022. EWS is being blocked tenant by tenant since 1 October 2026 and ends on `ENDS`:
https://techcommunity.microsoft.com/blog/exchange/exchange-online-ews-your-time-is-almost-up/4492361
"""

from datetime import date

ENDS = date(2027, 4, 1)
_ONLINE = ("outlook.office365.com", "outlook.office.com", "outlook.office365.us", "partner.outlook.cn")
_CONSUMER = ("outlook.live.com", "outlook.com", "hotmail.com", "live.com", "eas.outlook.com")
_BACK_ENDS = (".outlook.com", ".office365.com", ".outlook.cn", ".office365.us")


LEGACY_ENDS = date(2026, 12, 31)
"""By when Exchange Online has taken away the hosts on which IMAP clients may speak TLS 1.0 and 1.1; it has refused the
first connections since July 2026: Message Center MC1293480, https://techcommunity.microsoft.com/blog/exchange/4515201"""
_LEGACY = ("imap-legacy.office365.com", "imap-legacy.partner.outlook.cn")


def is_legacy(host: str) -> bool:
    """Whether a host exists only for IMAP clients that know no TLS 1.2."""
    return host in _LEGACY


def instead_of(host: str) -> str:
    """The host that takes the place of a legacy one."""
    return "partner.outlook.cn" if host.endswith(".cn") else "outlook.office365.com"


def is_online(host: str) -> bool:
    """Whether a host name is a door of Exchange Online."""
    return any(host == name or host.endswith(f".{name}") for name in _ONLINE)


def is_consumer(host: str) -> bool:
    """Whether a host name belongs to private Outlook.com mailboxes."""
    name = host.removeprefix("www.").removeprefix("mail.")
    return name in _CONSUMER


def is_back_end(name: str) -> bool:
    """Whether the machine that a front end names (`x.internal.outlook.com`) stands at Microsoft."""
    return name.lower().endswith(_BACK_ENDS)
