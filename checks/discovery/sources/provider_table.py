"""Providers whose settings are the same for all of their customers. Data only; see `providers`.

Hosts, ports and login names as `source` had them on the day given: a file of https://github.com/thunderbird/autoconfig,
folder `ispdb`. Which password it takes, and where that is made, is what the provider's help says. A row that is older
than a year wants reading again.
"""

from typing import NamedTuple

from checks.discovery.model import LoginName, Password
from checks.model import Endpoint, Protocol, Security

_T, _S = Security.TLS, Security.STARTTLS
_READ = "2026-11-29"
_EWS = "https://outlook.office365.com/EWS/Exchange.asmx"
_MICROSOFT = "outlook.office365.com", "smtp.office365.com"
_OTHER_MICROSOFT = ("hotmail.com", "live.com", "msn.com", "outlook.com", "outlook.de", "outlook.fr", "outlook.jp")
_YAHOO = ("yahoo.com", "yahoo.co.uk", "yahoo.de", "yahoo.es", "yahoo.fr", "yahoo.it", "ymail.com", "rocketmail.com")
_GMX = ("gmx.net", "gmx.de", "gmx.at", "gmx.ch", "gmx.eu", "gmx.org")


class Provider(NamedTuple):
    """One row. `mx`: ends of the names of its MX hosts. `help_url`: where its users make what they log in with."""

    name: str
    domains: tuple[str, ...]
    mx: tuple[str, ...]
    imap: tuple[str, int, Security]
    smtp: tuple[str, int, Security]
    login: LoginName = LoginName.ADDRESS
    password: Password = Password.NORMAL
    help_url: str = ""
    exchange_url: str = ""
    source: str = ""
    read: str = _READ

    @property
    def endpoints(self) -> tuple[Endpoint, Endpoint]:
        """Of IMAP and of SMTP."""
        return Endpoint(Protocol.IMAP, *self.imap), Endpoint(Protocol.SMTP, *self.smtp)


PROVIDERS = (
    Provider(
        "Google", ("gmail.com", "googlemail.com"), ("google.com", "googlemail.com"),
        ("imap.gmail.com", 993, _T), ("smtp.gmail.com", 587, _S),
        password=Password.APP_PASSWORD, help_url="https://support.google.com/accounts/answer/185833",
        source="googlemail.com.xml",
    ),
    Provider(
        "Microsoft 365", ("onmicrosoft.com",), ("mail.protection.outlook.com", "mx.microsoft"),
        (_MICROSOFT[0], 993, _T), (_MICROSOFT[1], 587, _S),
        password=Password.OAUTH2, exchange_url=_EWS, source="office365.com",
    ),
    Provider(
        "Outlook.com", _OTHER_MICROSOFT, ("olc.protection.outlook.com",),
        (_MICROSOFT[0], 993, _T), (_MICROSOFT[1], 587, _S),
        password=Password.OAUTH2, source="hotmail.com.xml",
    ),
    Provider(
        "Apple iCloud", ("icloud.com", "me.com", "mac.com"), ("mail.icloud.com",),
        ("imap.mail.me.com", 993, _T), ("smtp.mail.me.com", 587, _S), LoginName.LOCAL_PART,
        Password.APP_PASSWORD, "https://support.apple.com/102654", source="me.com.xml",
    ),
    Provider(
        "Yahoo", _YAHOO, ("yahoodns.net",),
        ("imap.mail.yahoo.com", 993, _T), ("smtp.mail.yahoo.com", 587, _S),
        password=Password.APP_PASSWORD, help_url="https://help.yahoo.com/kb/SLN15241.html", source="yahoo.com.xml",
    ),
    Provider(
        "AOL", ("aol.com", "aim.com", "aol.de", "aol.fr", "aol.co.uk"), (),
        ("imap.aol.com", 993, _T), ("smtp.aol.com", 465, _T),
        password=Password.APP_PASSWORD, source="aol.com.xml",
    ),
    Provider(
        "Fastmail", ("fastmail.com", "fastmail.fm", "messagingengine.com"), ("messagingengine.com",),
        ("imap.fastmail.com", 993, _T), ("smtp.fastmail.com", 465, _T),
        password=Password.APP_PASSWORD, source="messagingengine.com.xml",
    ),
    Provider("GMX", _GMX, ("gmx.net",), ("imap.gmx.net", 993, _T), ("mail.gmx.net", 465, _T), source="gmx.net.xml"),
    Provider(
        "WEB.DE", ("web.de",), ("web.de",), ("imap.web.de", 993, _T), ("smtp.web.de", 465, _T), LoginName.LOCAL_PART,
        source="web.de.xml",
    ),
    Provider(
        "mailbox.org", ("mailbox.org",), ("mailbox.org",),
        ("imap.mailbox.org", 993, _T), ("smtp.mailbox.org", 465, _T), source="mailbox.org.xml",
    ),
    Provider(
        "Posteo", ("posteo.de", "posteo.net", "posteo.org"), ("posteo.de",),
        ("posteo.de", 993, _T), ("posteo.de", 465, _T), source="posteo.de.xml",
    ),
    Provider(
        "Zoho Mail", ("zoho.com", "zohomail.com"), ("zoho.com",),
        ("imap.zoho.com", 993, _T), ("smtp.zoho.com", 465, _T),
        password=Password.UNKNOWN, source="zoho.com.xml",
    ),
    Provider(
        "Migadu", ("migadu.com",), ("migadu.com",),
        ("imap.migadu.com", 993, _T), ("smtp.migadu.com", 465, _T), source="migadu.com.xml",
    ),
    Provider(
        "IONOS", ("online.de", "onlinehome.de"), ("kundenserver.de", "schlund.de"),
        ("imap.1und1.de", 993, _T), ("smtp.1und1.de", 465, _T), source="1und1.de.xml",
    ),
    Provider(
        "STRATO", ("strato.de",), ("rzone.de",),
        ("imap.strato.de", 993, _T), ("smtp.strato.de", 465, _T), source="strato.de.xml",
    ),
    Provider(
        "Telekom", ("t-online.de", "magenta.de"), ("t-online.de",),
        ("secureimap.t-online.de", 993, _T), ("securesmtp.t-online.de", 465, _T),
        password=Password.APP_PASSWORD,
        help_url="https://www.telekom.de/hilfe/apps-dienste/e-mail/programme/passwort-verwalten",
        source="t-online.de.xml",
    ),
    Provider(
        "Yandex", ("yandex.ru", "yandex.com", "ya.ru", "narod.ru"), ("yandex.net", "yandex.ru"),
        ("imap.yandex.com", 993, _T), ("smtp.yandex.com", 465, _T),
        password=Password.APP_PASSWORD, help_url="https://id.yandex.com/security/app-passwords", source="yandex.ru.xml",
    ),
    Provider(
        "Rackspace Email", ("emailsrvr.com",), ("emailsrvr.com",),
        ("secure.emailsrvr.com", 993, _T), ("secure.emailsrvr.com", 465, _T), source="emailsrvr.com.xml",
    ),
    Provider(
        "Hetzner", ("your-server.de",), ("your-server.de",),
        ("mail.your-server.de", 993, _T), ("mail.your-server.de", 465, _T), source="hetzner.de.xml",
    ),
)  # fmt: skip
