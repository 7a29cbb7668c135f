"""Where a request comes from, when it comes by proxies of ours: `X-Forwarded-For` is believed from listed ones only."""

import ipaddress
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from checks.network.address_policy import Network

_Address = IPv4Address | IPv6Address


class Proxies:
    """Middleware: `scope["client"]` and `scope["scheme"]` are those of whoever asked our outermost proxy."""

    def __init__(self, app: ASGIApp, trusted: Sequence[Network]) -> None:
        self._app, self._trusted = app, tuple(trusted)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope.get("client"):
            scope = self._seen(scope)
        await self._app(scope, receive, send)

    def _seen(self, scope: Scope) -> Scope:
        host, port = scope["client"]
        peer = address_of(host)
        if peer is None or not self._is_ours(peer):
            return scope
        headers = Headers(scope=scope)
        client = self._client(peer, ",".join(headers.getlist("x-forwarded-for")))
        scheme = headers.get("x-forwarded-proto", "").rpartition(",")[2].strip().lower()
        return {
            **scope,
            "client": (str(client), port if client == peer else 0),
            "scheme": scheme if scheme in {"http", "https"} else scope["scheme"],
        }

    def _client(self, peer: _Address, forwarded: str) -> _Address:
        """From the right, each proxy's word counts as long as it is one of ours; what it cannot mean ends it."""
        client = peer
        for text in reversed(forwarded.split(",")):
            if not self._is_ours(client) or (named := address_of(text)) is None:
                break
            client = named
        return client

    def _is_ours(self, address: _Address) -> bool:
        return any(address in network for network in self._trusted)


def address_of(text: str) -> _Address | None:
    """The address that a text names, with or without a port; None where it names none."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found
