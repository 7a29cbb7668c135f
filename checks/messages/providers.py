"""What a provider wants in place of the password of the account, to be said before one is typed.

Facts of public providers, each with the page that says so and when that was read. What a row says is a hint: a login
decides. Words are in `checks.messages`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Wants(StrEnum):
    """What to type as the password."""

    APP_PASSWORD = "app_password"  # noqa: S105 -- the name of a kind
    """A password that is made for one app; that of the account is rejected."""
    APP_PASSWORD_WITH_TWO_STEPS = "app_password_with_two_steps"  # noqa: S105 -- as above
    """The same, where the account has two-step verification; else its own password will do."""
    NO_PASSWORD = "no_password"  # noqa: S105 -- as above
    """None is taken: the provider admits programs by OAuth only."""


@dataclass(frozen=True, slots=True)
class Hint:
    """A provider, by its mail servers (`hosts`: names, and all below them) and the domains of its own addresses.

    `url` is where the password is made, '' where there is none to make. `two_steps`: one can be made only where the
    account has two-step verification. `source` is the provider's own page on it; `seen` is when that page, or one that
    goes by it, was last read (ISO 8601).
    """

    provider: str
    wants: Wants
    hosts: tuple[str, ...]
    domains: tuple[str, ...]
    url: str
    two_steps: bool
    source: str
    seen: str


_SEEN = "2026-11-29"
HINTS: tuple[Hint, ...] = (
    Hint(
        "Google",
        Wants.APP_PASSWORD,
        ("gmail.com", "googlemail.com"),
        ("gmail.com", "googlemail.com"),
        "https://myaccount.google.com/apppasswords",
        True,
        "https://support.google.com/accounts/answer/185833",
        _SEEN,
    ),
    Hint(
        "Yahoo",
        Wants.APP_PASSWORD,
        ("mail.yahoo.com",),
        ("yahoo.com", "ymail.com", "rocketmail.com", "yahoo.co.uk", "yahoo.de", "yahoo.fr"),
        "https://login.yahoo.com/account/security",
        False,
        "https://help.yahoo.com/kb/generate-manage-rd-party-passwords-sln15241.html",
        _SEEN,
    ),
    Hint(
        "AOL",
        Wants.APP_PASSWORD,
        ("imap.aol.com", "smtp.aol.com", "export.imap.aol.com"),
        ("aol.com",),
        "https://login.aol.com/account/security",
        False,
        "https://help.aol.com/articles/Create-and-manage-app-password",
        _SEEN,
    ),
    Hint(
        "iCloud",
        Wants.APP_PASSWORD,
        ("mail.me.com",),
        ("icloud.com", "me.com", "mac.com"),
        "https://account.apple.com/account/manage",
        True,
        "https://support.apple.com/102654",
        _SEEN,
    ),
    Hint(
        "Fastmail",
        Wants.APP_PASSWORD,
        ("fastmail.com",),
        ("fastmail.com", "fastmail.fm"),
        "https://app.fastmail.com/settings/security",
        False,
        "https://www.fastmail.com/help/clients/apppassword.html",
        _SEEN,
    ),
    Hint(
        "Zoho",
        Wants.APP_PASSWORD_WITH_TWO_STEPS,
        ("zoho.com", "zoho.eu", "zoho.in", "zoho.com.au", "zoho.jp"),
        ("zohomail.com", "zohomail.eu"),
        "https://accounts.zoho.com/home#security/app_password",
        True,
        "https://help.zoho.com/portal/kb/articles/manage-application-specific-passwords",
        _SEEN,
    ),
    Hint(
        "Telekom",
        Wants.APP_PASSWORD,
        ("t-online.de",),
        ("t-online.de", "magenta.de"),
        "https://www.telekom.de/hilfe/apps-dienste/e-mail/programme/passwort-verwalten",
        False,
        "https://www.telekom.de/hilfe/apps-dienste/e-mail/programme/passwort-verwalten",
        _SEEN,
    ),
    Hint(
        "Yandex",
        Wants.APP_PASSWORD,
        ("yandex.com", "yandex.ru"),
        ("yandex.com", "yandex.ru", "ya.ru"),
        "https://id.yandex.com/security/app-passwords",
        False,
        "https://yandex.com/support/passport/authorization/app-passwords.html",
        _SEEN,
    ),
    Hint(
        "Microsoft 365",
        Wants.NO_PASSWORD,
        ("outlook.office365.com", "outlook.office.com", "smtp.office365.com", "smtp-mail.outlook.com"),
        ("outlook.com", "hotmail.com", "live.com", "msn.com"),
        "",
        False,
        "https://learn.microsoft.com/exchange/clients-and-mobile-in-exchange-online/deprecation-of-basic-authentication-exchange-online",
        _SEEN,
    ),
)


def hint_for(domain: str, hosts: Iterable[str] = ()) -> Hint | None:
    """The hint for mailboxes of a domain at these servers; by the domain alone where none is known."""
    servers = tuple(hosts)
    for hint in HINTS:
        if any(_is_below(host, name) for host in servers for name in hint.hosts):
            return hint
        if not servers and domain in hint.domains:
            return hint
    return None


def _is_below(host: str, name: str) -> bool:
    return host == name or host.endswith(f".{name}")
