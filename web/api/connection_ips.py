"""`/v1/connection-ips`: what customers put on the allow lists of their mail servers."""

import ipaddress
from typing import Annotated, Literal

from settings_store.access.roles import Right
from web.access.granted import needs
from web.access.routing import router
from web.documents import Document
from worker.service.account import Account

routes = router("connection-ips")


class ConnectionIp(Document):
    """An address that we connect from."""

    address: str
    family: Literal["ipv4", "ipv6"]


class ConnectionIpList(Document):
    """Those that are known. `complete` is false where the system chooses an address: then there may be others."""

    items: list[ConnectionIp]
    next_cursor: None = None
    complete: bool


@routes.get("/v1/connection-ips", operation_id="connection_ips.list", summary="List the connection IPs")
def list_(account: Annotated[Account, needs(Right.READ)]) -> ConnectionIpList:
    """The addresses from which mail servers are connected to."""
    known = account.health.connection_ips()
    return ConnectionIpList(items=[_document(each) for each in known.addresses], complete=not known.system_chooses)


def _document(address: str) -> ConnectionIp:
    return ConnectionIp(address=address, family="ipv6" if ipaddress.ip_address(address).version == 6 else "ipv4")
