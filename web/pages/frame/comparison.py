"""Settings beside each other, before and after, as rows of a table."""

from collections.abc import Iterator
from dataclasses import dataclass

from checks.model import Authentication, Endpoint
from checks.settings import ExchangeSettings, Settings
from web.pages.wording import Words


@dataclass(frozen=True, slots=True)
class Compared:
    """One setting. Texts are '' where the settings do not have it; `first`: none were in force before."""

    name: str
    label: str
    before: str
    after: str
    first: bool = False

    @property
    def changed(self) -> bool:
        """Whether it differs from what was before."""
        return not self.first and self.before != self.after


def compared(before: Settings | None, after: Settings, t: Words) -> list[Compared]:
    """Each setting that one of them has; `before` is None where nothing is in force yet."""
    was, will = dict(_texts(before, t)) if before else {}, dict(_texts(after, t))
    names = [name for name in _ORDER if name in was or name in will]
    return [
        Compared(name, t(f"comparison.{name}"), was.get(name, ""), will.get(name, ""), before is None) for name in names
    ]


_ORDER = (
    "kind",
    *(f"{protocol}.{name}" for protocol in ("imap", "smtp") for name in ("host", "port", "security")),
    "smtp.authentication",
    "exchange.url",
    "allow_insecure_certificate",
    "ca_pem",
    "static_addresses",
)


def _texts(settings: Settings, t: Words) -> Iterator[tuple[str, str]]:
    yield "kind", t(f"comparison.kind.{settings.kind}")
    if isinstance(settings, ExchangeSettings):
        yield "exchange.url", settings.url
    else:
        yield from _server("imap", settings.imap, t)
        yield from _server("smtp", settings.smtp, t)
        login = settings.smtp.authentication is Authentication.LOGIN
        yield "smtp.authentication", t("comparison.login" if login else "comparison.no_login")
    yield "allow_insecure_certificate", t("comparison.on" if settings.allow_insecure_certificate else "comparison.off")
    if settings.ca_pem:
        yield "ca_pem", t("comparison.certificates", count=settings.ca_pem.count("BEGIN CERTIFICATE"))
    if settings.static_addresses:
        yield "static_addresses", t("comparison.on")


def _server(protocol: str, endpoint: Endpoint, t: Words) -> Iterator[tuple[str, str]]:
    yield f"{protocol}.host", endpoint.host
    yield f"{protocol}.port", str(endpoint.port)
    yield f"{protocol}.security", t(f"comparison.security.{endpoint.security}")
