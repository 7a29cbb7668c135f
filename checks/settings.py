"""The settings of a domain, validated: bad input never reaches the network."""

import ipaddress
import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

import idna

from checks.model import Authentication, Endpoint, Invalid, Protocol, Security

_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)\Z")
_NUMBER = re.compile(r"([0-9]+|0x[0-9a-f]*)\Z")  # a last label that resolvers take for an IPv4 address
_PORT = re.compile(r"[0-9]{1,5}\Z")
_LONGEST = 253  # characters of a name (RFC 1035, 2.3.4, without the final dot)
_SHOWN = 80


@dataclass(frozen=True, slots=True)
class ImapSettings:
    """IMAP for reading and SMTP for sending. `ca_pem` holds CAs trusted for this domain only, as PEM text, or ''.

    Whether SMTP wants a login is said by its endpoint (`Endpoint.authentication`). `static_addresses`: connections
    leave from the operator's static addresses, and from no others.
    """

    imap: Endpoint
    smtp: Endpoint
    allow_insecure_certificate: bool = False
    ca_pem: str = ""
    static_addresses: bool = False

    @property
    def kind(self) -> Literal["imap"]:
        return "imap"

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        return (self.imap, self.smtp)


@dataclass(frozen=True, slots=True)
class ExchangeSettings:
    """Exchange Web Services, for mail and calendar.

    `url` is canonical (`checks.protocols.exchange.url`), `typed` what was given where that was another text, or ''.
    """

    url: str
    allow_insecure_certificate: bool = False
    ca_pem: str = ""
    typed: str = ""
    static_addresses: bool = False

    @property
    def kind(self) -> Literal["exchange"]:
        return "exchange"

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        return (exchange_endpoint(self.url, self.typed),)


def exchange_endpoint(url: str, typed: str = "") -> Endpoint:
    """Where a canonical URL is served; `typed` is what was given for it, or ''."""
    parts = urlsplit(url)
    return Endpoint(Protocol.HTTPS, parts.hostname or "", parts.port or 443, Security.TLS, url, typed)


Settings = ImapSettings | ExchangeSettings


def normalise_domain(text: str) -> str:
    """The ASCII (IDNA 2008, UTS 46) form of a domain, in lower case. Raises `Invalid`."""
    return _ascii_name(text.strip().removesuffix("."), "domain", minimum_labels=2)


def normalise_host(text: str) -> str:
    """A host name in ASCII lower case, or an IP address in its shortest form. Raises `Invalid`."""
    text = text.strip()
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        return _ascii_name(text.removesuffix("."), "host", minimum_labels=1)
    if isinstance(address, ipaddress.IPv6Address) and address.scope_id:
        raise Invalid(f"host {_shown(text)} must not have a zone: it means something on one machine only", "host")
    return str(address)


def _ascii_name(text: str, field: str, minimum_labels: int) -> str:
    labels = _encoded(text, field).split(".")
    name = ".".join(labels)
    if len(name) > _LONGEST or len(labels) < minimum_labels or not all(map(_LABEL.match, labels)):
        example = "mail.example.com" if field == "host" else "example.com"
        raise Invalid(f"{field} {_shown(text)} is not a valid name; give it like {example}", field)
    if _NUMBER.match(labels[-1]):
        raise Invalid(f"{field} {_shown(text)} looks like an incomplete IP address", field)
    return name


def _encoded(text: str, field: str) -> str:
    if text.isascii():
        return text.lower()
    if len(text) > _LONGEST:
        raise Invalid(f"{field} {_shown(text)} is too long for a name", field)
    try:
        return idna.encode(text, uts46=True).decode("ascii").lower()
    except idna.IDNAError as error:
        raise Invalid(f"{field} {_shown(text)} is not a valid name: {error}", field) from None


def _shown(text: str) -> str:
    """Input in a message: quoted, on one line and not at any length."""
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "…")


def parse_port(text: str | int, field: str = "port") -> int:
    """A TCP port. Raises `Invalid`."""
    digits = str(text)
    if not (_PORT.match(digits) and 1 <= int(digits) <= 65535):
        raise Invalid(f"port {_shown(digits)} must be a number from 1 to 65535", field)
    return int(digits)


def parse_endpoint(
    text: str,
    protocol: Protocol,
    security: Security = Security.AUTO,
    authentication: Authentication = Authentication.LOGIN,
) -> Endpoint:
    """`HOST:PORT` or `[IPv6]:PORT` as an endpoint. Raises `Invalid`."""
    host, colon, port = text.strip().rpartition(":")
    if not colon or not host or (":" in host and not host.startswith("[")):
        raise Invalid(f"{_shown(text)} must be HOST:PORT, for example mail.example.com:993", protocol.value)
    return Endpoint(protocol, normalise_host(host), parse_port(port), security, authentication=authentication)
