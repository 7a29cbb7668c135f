"""The secret of an application that gets its own tokens (OAuth2 client credentials, RFC 6749, 4.4), as it is stored."""

import json
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from checks.model import Invalid
from checks.settings import normalise_host

_FORM = "a JSON object with token_url, client_id, client_secret and scope, all of them text"
_NAMES = ("token_url", "client_id", "client_secret", "scope")


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """`host`, `port` and `target` are those of the token endpoint. `scope` may be ''."""

    host: str
    port: int
    target: str
    client_id: str
    client_secret: str = field(repr=False)
    scope: str = ""


def parse_client_secret(text: str) -> ClientSecret:
    """What is stored as a credential of the kind `oauth2_client`. Raises `Invalid`, which quotes nothing of it."""
    values = _values(text)
    host, port, target = _place(values["token_url"])
    return ClientSecret(host, port, target, values["client_id"], values["client_secret"], values["scope"])


def _values(text: str) -> dict[str, str]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise Invalid(f"it must be {_FORM}") from None
    if not isinstance(document, dict):
        raise Invalid(f"it must be {_FORM}")
    values = {name: document.get(name, "") for name in _NAMES}
    if not all(isinstance(value, str) for value in values.values()) or not all(values[name] for name in _NAMES[:3]):
        raise Invalid(f"it must be {_FORM}")
    return values


def _place(url: str) -> tuple[str, int, str]:
    wrong = "token_url must be like https://login.example.com/oauth2/v2.0/token"
    if not (url.isascii() and url.isprintable() and " " not in url):
        raise Invalid(wrong)
    try:
        parts = urlsplit(url)
        host, port = normalise_host(parts.hostname or ""), parts.port or 443
    except ValueError:
        raise Invalid(wrong) from None
    if parts.scheme != "https" or parts.username is not None or not host:
        raise Invalid(wrong)
    return host, port, (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
