"""What Autodiscover says of EWS, for comparison only: it needs no credentials, and nothing fails for want of it.

`/autodiscover/autodiscover.json?Email=..&Protocol=EWS` answers `{"Protocol":"EWS","Url":"https://.."}`.
"""

import contextlib
import json
from urllib.parse import quote, urlsplit

from checks.context import CheckContext
from checks.model import Fault, Invalid
from checks.network.dial import Deadline, dial, resolve
from checks.network.http import USER_AGENT, Request, exchange
from checks.network.stream import Stream
from checks.protocols.exchange.url import normalise_url, same_place
from checks.tls import handshake

SECONDS = 5.0
_PATH = "/autodiscover/autodiscover.json?Email={address}&Protocol=EWS"


def other_url(url: str, context: CheckContext, deadline: Deadline) -> str:
    """The EWS URL that Autodiscover names, where it is another than `url`; '' where it agrees or says nothing.

    Asked are the server of `url` and, where the domain of the mailboxes is known, its `autodiscover.` host: no mailbox
    is named to either. Never raises.
    """
    host, port = urlsplit(url).hostname or "", urlsplit(url).port or 443
    domain = context.domain
    about = domain or host.partition(".")[2]
    places = [(host, port)] + ([(f"autodiscover.{domain}", 443)] if domain else [])
    for name, number in places:
        try:
            limit = Deadline(min(SECONDS, deadline.remaining()))
            found = _ask(name, number, f"postmaster@{about or host}", context, limit)
        except (Fault, OSError):
            continue
        if found and not same_place(found, url):
            return found
    return ""


def _ask(host: str, port: int, address: str, context: CheckContext, deadline: Deadline) -> str:
    """The URL that a host names, in canonical form. Raises `Fault` and `OSError`."""
    addresses = resolve(host, port, context.policy, deadline)
    trust = context.trust.insecure if context.allow_insecure_certificate else context.trust.strict
    named = f"[{host}]" if ":" in host else host
    target = _PATH.format(address=quote(address, safe="@"))
    request = Request("GET", target, named if port == 443 else f"{named}:{port}", (("User-Agent", USER_AGENT),))
    with contextlib.closing(Stream(dial(addresses, port, deadline, context.way_out), deadline)) as stream:
        handshake.secure(stream, trust, host)
        reply = exchange(stream, request.encoded(), "GET")
    return _url_in(reply.body) if reply.status == 200 else ""


def _url_in(body: bytes) -> str:
    try:
        document = json.loads(body)
        named = document.get("Url", "") if isinstance(document, dict) else ""
        return normalise_url(named).url if isinstance(named, str) and named else ""
    except (ValueError, RecursionError, Invalid):
        return ""
