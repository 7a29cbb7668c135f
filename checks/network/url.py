"""The URLs of strangers: what may be asked for at all, before anybody looks where that is."""

from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

_LONGEST = 1_000


class NoUrl(Exception):
    """A text that is no URL which we would ask for."""


@dataclass(frozen=True, slots=True)
class Url:
    """Its parts. `host` is '' where it has none, as in `ldap:///`; `port` is None where the scheme says it.

    `authority` is host and port as they are written.
    """

    scheme: str
    host: str
    port: int | None
    authority: str
    target: str


def parsed(text: str) -> Url:
    """The parts of a URL that is short and printable, and without a user name. Raises `NoUrl`."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise NoUrl from None
    if "@" in parts.netloc or len(text) > _LONGEST or not _plain(text):
        raise NoUrl
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Url(parts.scheme.lower(), host, port, parts.netloc, target)


def joined(url: str, location: str) -> str:
    """Where an answer from `url` leads to. Raises `NoUrl`."""
    try:
        return urljoin(url, location)
    except ValueError:
        raise NoUrl from None


def _plain(text: str) -> bool:
    return text.isascii() and text.isprintable() and " " not in text
