"""What is known of Microsoft's own Exchange: its hosts, and the dates on which it stops taking EWS.

Basic authentication ended in 2022. EWS is being blocked tenant by tenant since 1 October 2026 and ends on `ENDS`:
https://techcommunity.microsoft.com/blog/exchange/exchange-online-ews-your-time-is-almost-up/4492361
"""

from datetime import date

ENDS = date(2027, 4, 1)
_ONLINE = ("outlook.office365.com", "outlook.office.com", "outlook.office365.us", "partner.outlook.cn")
_CONSUMER = ("outlook.live.com", "outlook.com", "hotmail.com", "live.com", "eas.outlook.com")
_BACK_ENDS = (".outlook.com", ".office365.com", ".outlook.cn", ".office365.us")


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
