"""Where a webhook may go: what a URL says, and what of it may be used. Pure."""

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from checks.model import Invalid
from checks.network.address_policy import AddressPolicy
from checks.settings import normalise_host

LONGEST = 2_000
_PORTS = {"https": 443, "http": 80}
_HIDDEN = "..."


@dataclass(frozen=True, slots=True)
class Target:
    """A receiver. `path` is with its query; `shown` the URL without that, which may hold a secret."""

    scheme: str
    host: str
    port: int
    path: str
    shown: str

    @property
    def encrypted(self) -> bool:
        return self.scheme == "https"

    @property
    def authority(self) -> str:
        """As in the header `Host`."""
        return _authority(self.scheme, self.host, self.port)


def parse(url: str) -> Target:
    """What a URL says. Raises `Invalid`, whose words have nothing of a secret."""
    if len(url) > LONGEST or not url.isascii() or not url.isprintable() or " " in url:
        raise Invalid(f"the URL of a webhook endpoint has at most {LONGEST} characters of ASCII and no blanks", "url")
    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme.lower(), parts.hostname or "", parts.port
    except ValueError:
        raise Invalid(
            "the URL of a webhook endpoint is malformed; give one such as https://app.example.com/h", "url"
        ) from None
    if scheme not in _PORTS or not host or port == 0:
        raise Invalid("the URL of a webhook endpoint is malformed; give one such as https://app.example.com/h", "url")
    if "@" in parts.netloc:
        raise Invalid("the URL has a user name or a password; webhooks are signed, verify the signature instead", "url")
    if "#" in url:
        raise Invalid("the URL has a fragment (#), which is never sent", "url")
    if parts.query == _HIDDEN:
        raise Invalid("the URL's query is left out here, as it may hold a secret; give the whole URL", "url")
    host = _host(host)
    port = port or _PORTS[scheme]
    path = parts.path or "/"
    shown = f"{scheme}://{_authority(scheme, host, port)}{path}" + (f"?{_HIDDEN}" if parts.query else "")
    return Target(scheme, host, port, path + (f"?{parts.query}" if parts.query else ""), shown)


def accept(url: str, policy: AddressPolicy, *, embedded: bool) -> Target:
    """A URL that an endpoint may have. Raises `Invalid`.

    `http:` only where the service is embedded, or the operator allows networks: the sender then goes nowhere else.
    What a name leads to is judged at each connection; a numeric address can be judged at once.
    """
    target = parse(url)
    if not target.encrypted and not embedded and not policy.networks:
        raise Invalid("the URL of a webhook endpoint begins with https://", "url")
    try:
        admitted = policy.admits(str(ipaddress.ip_address(target.host)))
    except ValueError:
        return target
    if not admitted:
        raise Invalid("the address is not public, or not among those that the operator allows", "url")
    return target


def _host(text: str) -> str:
    try:
        return normalise_host(text)
    except Invalid as error:
        raise Invalid(str(error), "url") from None


def _authority(scheme: str, host: str, port: int) -> str:
    name = f"[{host}]" if ":" in host else host
    return name if port == _PORTS[scheme] else f"{name}:{port}"
