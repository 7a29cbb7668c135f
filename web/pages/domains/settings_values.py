"""Settings as the texts of a form, and by what names these go."""

from collections.abc import Mapping
from typing import Any

from checks.model import Authentication, Security
from checks.settings import Settings
from web.api.settings_document import document_of

IMAP = ("imap.host", "imap.port", "imap.security")
SMTP = ("smtp.host", "smtp.port", "smtp.security", "smtp.authentication")
FIELDS: Mapping[str, tuple[str, ...]] = {"imap": (*IMAP, *SMTP), "exchange": ("exchange_url",)}
"""By kind."""
SHARED = ("kind", "allow_insecure_certificate", "ca_pem", "static_addresses")
EVERY = (*IMAP, *SMTP, "exchange_url", *SHARED)
EMPTY: Mapping[str, str] = {
    "kind": "imap",
    "imap.port": "993",
    "imap.security": Security.AUTO,
    "smtp.port": "587",
    "smtp.security": Security.AUTO,
    "smtp.authentication": Authentication.LOGIN,
}


def values_of(settings: Settings | None) -> dict[str, str]:
    """Those of a form with these settings in it."""
    return flat(document_of(settings).model_dump(mode="json")) if settings else dict(EMPTY)


def flat(document: Mapping[str, Any], head: str = "") -> dict[str, str]:
    """A document as texts by the names of a form: `host` in `imap` is `imap.host`. What is off is left out."""
    found: dict[str, str] = {}
    for name, value in document.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{head}{name}.")
        elif value is not False:
            found[head + name] = "true" if value is True else str(value)
    return found
