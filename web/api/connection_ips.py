"""`/v1/connection-ips`: what customers put on the allow lists of their mail servers, and the request to do so."""

import ipaddress
from typing import Annotated, Literal

from fastapi import Query
from pydantic import Field

from checks.language import Language
from checks.model import Endpoint, Protocol
from settings_store.access.roles import Right
from web.access.granted import needs
from web.access.routing import router
from web.api.cursor import cursor_after, read_cursor
from web.api.domain_name import DomainName
from web.documents import Document, Limit
from worker.service.account import Account
from worker.service.domains.egress import ConnectionIps, Request

routes = router("connection-ips")

Reader = Annotated[Account, needs(Right.READ)]


class ConnectionIp(Document):
    """An address, or a range in CIDR notation, that we connect from."""

    address: str = Field(examples=["203.0.113.8/30"])
    family: Literal["ipv4", "ipv6"]
    static: bool = Field(description="Whether only domains with static addresses are connected to from there.")


class ConnectionIpList(Document):
    """Those that are known. `complete` is false where the system chooses an address: then there may be others.

    Static ranges are listed once a domain of the account uses them, or has a change under way that would;
    `static_available` says whether the operator has any, `static_domains` which domains use them, by name: all of them,
    unless `limit` asks for a page. Then `next_cursor` leads on, to pages that have domains alone and no `items`.
    """

    items: list[ConnectionIp]
    next_cursor: str | None = None
    complete: bool
    static_available: bool
    static_domains: list[str]


class FirewallTarget(Document):
    """A server and TCP port that has to be reached."""

    protocol: Protocol
    host: str
    port: int


class RequestWords(Document):
    """The request as a text to send; `explanation` tells those who do not know us what it is about."""

    subject: str
    explanation: str
    text: str


class FirewallRequestDocument(Document):
    """What the people who run a domain's firewall are asked for. `blocked`: addresses that were last not let in."""

    domain: str
    static: bool
    addresses: list[str]
    servers: list[FirewallTarget]
    blocked: list[str]
    words: dict[Language, RequestWords]


@routes.get("/v1/connection-ips", operation_id="connection_ips.list", summary="List the connection IPs")
def list_(
    account: Reader, limit: Annotated[Limit | None, Query()] = None, cursor: str | None = None
) -> ConnectionIpList:
    """The addresses from which mail servers are connected to, and so many of the domains that use static ones."""
    after = read_cursor(cursor)[0] if cursor is not None else ""
    known = account.egress.connection_ips(after, limit + 1 if limit else None)
    found = list_document(known, limit)
    return found.model_copy(update={"items": []}) if after else found


def list_document(known: ConnectionIps, limit: int | None = None) -> ConnectionIpList:
    """Those that are known, with so many of the domains at most."""
    items = [_document(each, static=False) for each in known.shared]
    items += [_document(each, static=True) for each in known.static]
    more = limit is not None and len(known.domains) > limit
    shown = list(known.domains[:limit])
    return ConnectionIpList(
        items=items,
        next_cursor=cursor_after(shown[-1]) if more else None,
        complete=not known.system_chooses,
        static_available=known.static_exist,
        static_domains=shown,
    )


@routes.get(
    "/v1/domains/{domain}/firewall-request",
    operation_id="domains.firewall_request",
    summary="Write the request to a domain's firewall",
)
def firewall_request(domain: DomainName, account: Reader) -> FirewallRequestDocument:
    """The request to let our addresses in, in every language: for the newest change that may still be applied, else
    for the settings in force.
    """
    return _request(account.egress.request(domain))


def _document(address: str, *, static: bool) -> ConnectionIp:
    family: Literal["ipv4", "ipv6"] = "ipv6" if ipaddress.ip_network(address).version == 6 else "ipv4"
    return ConnectionIp(address=address, family=family, static=static)


def _request(found: Request) -> FirewallRequestDocument:
    return FirewallRequestDocument(
        domain=found.domain,
        static=found.static,
        addresses=list(found.addresses),
        servers=[_target(server) for server in found.servers],
        blocked=list(found.blocked),
        words={
            language: RequestWords(subject=each.subject, explanation=each.explanation, text=each.text)
            for language, each in found.words.items()
        },
    )


def _target(server: Endpoint) -> FirewallTarget:
    return FirewallTarget(protocol=server.protocol, host=server.host, port=server.port)
